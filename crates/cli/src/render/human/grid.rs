//! Tables that fit the screen.

use super::super::Look;
use super::paint::Ink;
use super::text;

/// One column: its head, and whether its cells stand to the right.
pub struct Column {
    head: &'static str,
    right: bool,
}

/// A column of words.
pub fn words(head: &'static str) -> Column {
    Column { head, right: false }
}

/// A column of numbers.
pub fn numbers(head: &'static str) -> Column {
    Column { head, right: true }
}

/// A table with two blanks before each column. When it is too wide, the widest columns of words
/// give way, the first one last: it names the row. Columns in which nothing stands are left out.
pub fn grid(columns: &[Column], rows: &[Vec<String>], look: &Look, out: &mut String) {
    let cell =
        |row: &'_ [String], at: usize| row.get(at).map(|c| text::flat(c)).unwrap_or_default();
    let mut widths: Vec<usize> = (0..columns.len())
        .map(|at| rows.iter().map(|row| text::width(&cell(row, at))).max().unwrap_or(0))
        .collect();
    let shown: Vec<usize> = (0..columns.len()).filter(|at| widths[*at] > 0).collect();
    for at in &shown {
        widths[*at] = widths[*at].max(text::width(columns[*at].head));
    }
    while shown.iter().map(|at| widths[*at] + 2).sum::<usize>() > look.width {
        let words = shown.iter().copied().filter(|at| !columns[*at].right && widths[*at] > 8);
        let named = shown.first().copied();
        match words.max_by_key(|at| (Some(*at) != named, widths[*at])) {
            Some(widest) => widths[widest] -= 1,
            None => break,
        }
    }
    let line = |cells: &dyn Fn(usize) -> String| {
        let mut line = String::new();
        for at in &shown {
            let cell = text::cut(&cells(*at), widths[*at]);
            let padded = if columns[*at].right {
                text::right(&cell, widths[*at])
            } else {
                text::left(&cell, widths[*at])
            };
            line.push_str("  ");
            line.push_str(&padded);
        }
        line.trim_end().to_string()
    };
    let head = line(&|at| columns[at].head.to_string());
    text::push_line(out, &look.paint.ink(Ink::Faint, &head));
    for row in rows {
        text::push_line(out, &line(&|at| cell(row, at)));
    }
}
