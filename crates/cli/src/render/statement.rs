//! Statements to copy: never cut, broken only where white space stands already.

use marula_core::Engine;

use super::text;

/// The statement for a terminal: as it is when it fits, broken into indented lines when not, and
/// ended so that it can be pasted as it stands.
pub fn laid_out(statement: &str, engine: Engine, width: usize) -> Vec<String> {
    let statement = statement.trim();
    let ended = match engine {
        Engine::Postgres if !statement.ends_with(';') && !statement.is_empty() => {
            // A comment at the end would swallow the semicolon.
            if statement.lines().last().is_some_and(|line| line.contains("--")) {
                format!("{statement}\n;")
            } else {
                format!("{statement};")
            }
        }
        _ => statement.to_string(),
    };
    let lines: Vec<String> = ended.lines().map(|line| line.trim_end().to_string()).collect();
    // A comment ends with its line, and whether a backslash hides a quote depends on settings:
    // what could be misread is left as it was written.
    let unclear = match engine {
        Engine::Postgres => ["--", "/*", "\\"].iter().any(|mark| ended.contains(mark)),
        Engine::Mongodb => ["//", "/*"].iter().any(|mark| ended.contains(mark)),
    };
    if unclear || lines.iter().all(|line| text::width(line) <= width) {
        return lines;
    }
    let lines = match engine {
        Engine::Postgres if lines.len() == 1 => by_clause(&lines[0]),
        _ => lines,
    };
    lines.iter().flat_map(|line| folded(line, width)).collect()
}

const CLAUSES: [&str; 21] = [
    "FROM",
    "WHERE",
    "GROUP BY",
    "HAVING",
    "ORDER BY",
    "LIMIT",
    "OFFSET",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "JOIN",
    "LEFT JOIN",
    "RIGHT JOIN",
    "FULL JOIN",
    "CROSS JOIN",
    "INNER JOIN",
    "LEFT OUTER JOIN",
    "SELECT",
    "SET",
    "VALUES",
    "RETURNING",
];

/// One line of SQL with every clause on a line of its own, indented by its parentheses.
fn by_clause(line: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut indent = 0;
    let mut depth: usize = 0;
    for (at, letter) in outside_quotes(line) {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ' ' if at > start && begins_clause(&line[at + 1..], &line[start..at]) => {
                lines.push(format!("{}{}", "  ".repeat(indent.min(12)), line[start..at].trim()));
                start = at + 1;
                indent = depth;
            }
            _ => {}
        }
    }
    lines.push(format!("{}{}", "  ".repeat(indent.min(12)), line[start..].trim()));
    lines
}

fn begins_clause(rest: &str, before: &str) -> bool {
    let joins = ["LEFT", "RIGHT", "FULL", "CROSS", "INNER", "OUTER", "DISTINCT", "IS", "NATURAL"];
    let last = before.rsplit([' ', '(']).next().unwrap_or_default();
    // `IS DISTINCT FROM`, `EXTRACT(x FROM y)`, `LEFT JOIN`: the word before belongs to it.
    if joins.iter().any(|word| last.eq_ignore_ascii_case(word)) || is_function_from(rest, before) {
        return false;
    }
    CLAUSES.iter().any(|clause| {
        rest.get(..clause.len()).is_some_and(|head| head.eq_ignore_ascii_case(clause))
            && !rest[clause.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

fn is_function_from(rest: &str, before: &str) -> bool {
    let begins_with_from = rest.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("from "));
    let open = before.rfind('(').filter(|open| !before[*open..].contains(')'));
    begins_with_from
        && open.is_some_and(|open| {
            let inner = before[open + 1..].trim_start();
            !inner.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("select"))
        })
}

/// A line broken at blanks outside of quotes, continued two columns further in.
fn folded(line: &str, width: usize) -> Vec<String> {
    if text::width(line) <= width {
        return vec![line.to_string()];
    }
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let further = format!("{indent}  ");
    let mut lines: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut start = indent.len();
    let breaks: Vec<usize> = outside_quotes(line)
        .filter(|(at, letter)| *letter == ' ' && *at > indent.len())
        .map(|(at, _)| at)
        .chain([line.len()])
        .collect();
    for end in breaks {
        let word = &line[start..end];
        let begin = if lines.is_empty() { &indent } else { &further };
        if current.is_empty() {
            current = format!("{begin}{word}");
        } else if text::width(&current) + 1 + text::width(word) > width {
            lines.push(std::mem::replace(&mut current, format!("{further}{word}")));
        } else {
            current.push(' ');
            current.push_str(word);
        }
        start = (end + 1).min(line.len());
    }
    lines.push(current);
    lines
}

/// The letters that stand outside of quotes, with their places. Dollar quotes and regular
/// expressions count as quoted to the end: whatever is not understood is not broken.
fn outside_quotes(line: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut opaque = false;
    let mut previous = ' ';
    line.char_indices().filter(move |(at, letter)| {
        if opaque {
            return false;
        }
        let outside = quote.is_none();
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if *letter == '\\' => escaped = true,
            Some(open) if *letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '\'' | '"' | '`') => quote = Some(*letter),
            None if *letter == '$' && dollar_quote(&line[*at..]) => opaque = true,
            None if *letter == '/' && matches!(previous, ' ' | '(' | ':' | ',' | '[') => {
                opaque = true;
            }
            None => {}
        }
        previous = *letter;
        outside && quote.is_none() && !opaque
    })
}

/// Whether a dollar-quoted string begins here: `$$`, `$body$`; `$1` and `$match` do not.
fn dollar_quote(rest: &str) -> bool {
    let tag =
        rest[1..].find(|c: char| !c.is_alphanumeric() && c != '_').map(|end| &rest[1..=end + 1]);
    tag.is_some_and(|tag| tag.ends_with('$') && !tag.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
    }

    #[test]
    fn long_sql_is_broken_at_clauses_and_keeps_every_word() {
        let sql = "SELECT c.name, extract(year FROM o.at) AS y FROM customers c LEFT JOIN orders o \
                   ON o.customer_id = c.id WHERE c.note = 'came FROM  afar' AND EXISTS (SELECT 1 \
                   FROM reviews r WHERE r.customer_id = c.id) ORDER BY 2 DESC LIMIT 20";
        let lines = laid_out(sql, Engine::Postgres, 60);
        assert!(lines.iter().all(|line| text::width(line) <= 60), "{lines:#?}");
        assert_eq!(words(&lines.join("\n")), words(&format!("{sql};")));
        assert!(
            lines.contains(&"LEFT JOIN orders o ON o.customer_id = c.id".to_string()),
            "{lines:#?}"
        );
        assert!(lines.join("\n").contains("'came FROM  afar'"));
        assert!(lines.join("\n").contains("extract(year FROM o.at)"));
    }

    #[test]
    fn what_fits_or_holds_comments_is_left_alone() {
        assert_eq!(laid_out("SELECT 1", Engine::Postgres, 80), ["SELECT 1;"]);
        assert_eq!(laid_out("SELECT 1 -- one", Engine::Postgres, 80), ["SELECT 1 -- one", ";"]);
        let long = format!("SELECT {} -- x", "a, ".repeat(60));
        assert_eq!(laid_out(&long, Engine::Postgres, 40)[0], long);
        let regex = format!("db.a.find({{ name: /a b {}/ }})", "c ".repeat(40));
        let lines = laid_out(&regex, Engine::Mongodb, 40);
        let pattern = &regex[regex.find('/').unwrap_or_default()..];
        assert!(lines.iter().any(|line| line.trim_start() == pattern), "{lines:#?}");
    }
}
