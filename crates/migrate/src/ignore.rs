//! `-- marula:ignore rule-id reason`: a finding that was looked at and is meant.

use std::cell::Cell;

/// One comment that silences a rule.
#[derive(Debug)]
pub(crate) struct Ignore {
    /// The rule, or `all`.
    pub rule: String,
    /// Why; empty when none was given.
    pub reason: String,
    /// The line of the comment, from 1.
    pub line: usize,
    /// Whether it is for the whole file.
    pub file: bool,
    /// Whether something was silenced.
    pub used: Cell<bool>,
}

/// All ignores of a text whose comments begin with one of `marks`.
pub(crate) fn of(text: &str, marks: &[&str]) -> Vec<Ignore> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some(start) = line.find("marula:ignore") else { continue };
        let before = line[..start].trim_end();
        if !marks.iter().any(|mark| before.ends_with(mark)) {
            continue;
        }
        let rest = &line[start + "marula:ignore".len()..];
        let (file, rest) = match rest.strip_prefix("-file") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let rest = rest.trim_start_matches(':').trim().trim_end_matches("*/").trim_end_matches('"');
        let (rule, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        found.push(Ignore {
            rule: rule.trim_matches(',').to_string(),
            reason: reason.trim().trim_matches(['"', ',']).trim().to_string(),
            line: at + 1,
            file,
            used: Cell::new(false),
        });
    }
    found
}

impl Ignore {
    /// Whether it silences `rule` in a statement that stands in these lines. A comment is for the
    /// statement in whose lines it stands, or else for the next one below it.
    pub(crate) fn covers(&self, rule: &str, lines: (usize, usize), previous_end: usize) -> bool {
        let here = (lines.0..=lines.1).contains(&self.line)
            || (self.line > previous_end && self.line < lines.0);
        (self.file || here) && self.rule == rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignores_are_read_and_cover_what_follows() {
        let text = "-- marula:ignore create-index the table is empty\nCREATE INDEX …;\n\
                    SELECT 1; -- marula:ignore-file drop-column agreed";
        let found = of(text, &["--"]);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].rule.as_str(), found[0].reason.as_str()),
            ("create-index", "the table is empty")
        );
        assert!(found[0].covers("create-index", (2, 2), 0));
        assert!(!found[0].covers("create-index", (3, 3), 2));
        assert!(found[1].file && found[1].covers("drop-column", (9, 9), 3));
        assert!(of("SELECT 'marula:ignore x'", &["--"]).is_empty());
    }
}
