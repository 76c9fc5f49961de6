//! Lines that fit: widths are columns on the screen, not bytes or characters.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns `text` takes; it must hold no colour.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` on one line of at most `width` columns, with … where something is left out.
pub fn cut(text: &str, width: usize) -> String {
    let flat = flat(text);
    if flat.width() <= width {
        return flat;
    }
    let mut out = String::new();
    let mut used = 0;
    for letter in flat.chars() {
        let wide = letter.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        out.push(letter);
    }
    out.push('…');
    out
}

/// Words broken into lines; the first begins with `first`, the others with `rest`. A word longer
/// than a line stands alone and whole: it may be something to copy.
pub fn wrap(text: &str, width: usize, first: &str, rest: &str) -> String {
    let mut out = String::new();
    let mut begin = first;
    for paragraph in text.split('\n') {
        let mut line = String::from(begin);
        let mut empty = true;
        for word in paragraph.split_whitespace() {
            if !empty && line.width() + 1 + word.width() > width {
                push_line(&mut out, &line);
                line = String::from(rest);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        push_line(&mut out, &line);
        begin = rest;
    }
    out
}

/// Adds a line without trailing blanks.
pub fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}

/// `text` padded with blanks on the right.
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

/// `text` padded with blanks on the left.
pub fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(text.width())))
}

/// Every stretch of white space as one blank, and no control characters: text from a server must
/// not steer the terminal.
pub fn flat(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for letter in text.trim().chars() {
        if letter.is_whitespace() {
            gap = true;
        } else if !letter.is_control() {
            if gap {
                out.push(' ');
            }
            gap = false;
            out.push(letter);
        }
    }
    out
}

/// `1 row`, `20 rows`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", super::numbers::grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_words_stay_whole() {
        assert_eq!(wrap("one two three", 9, "- ", "  "), "- one two\n  three\n");
        assert_eq!(wrap("abcdefghijkl x", 5, "", ""), "abcdefghijkl\nx\n");
        assert_eq!(wrap("a\nb", 9, "1 ", "  "), "1 a\n  b\n");
        assert_eq!(cut("a  long\ntext", 7), "a long…");
        assert_eq!(cut("日本語テキスト", 7), "日本語…");
        assert_eq!(cut("fits", 4), "fits");
        assert_eq!(flat("\x1b[31mred\x07"), "[31mred");
    }
}
