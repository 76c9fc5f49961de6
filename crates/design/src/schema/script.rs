use marula_core::Engine;

use super::{Schema, Stage};

impl Schema {
    /// All of it as a script for psql or mongosh, with the reasons as comments.
    pub fn to_script(&self) -> String {
        let mut out = String::new();
        let mark = match self.engine {
            Engine::Postgres => "--",
            _ => "//",
        };
        comment(&mut out, mark, &self.title);
        let made_for = format!(
            "Made for {} {}: an older server may refuse parts of it.",
            self.engine.title(),
            self.version
        );
        comment(&mut out, mark, &made_for);
        for note in &self.notes {
            comment(&mut out, mark, &format!("Note: {note}"));
        }
        for (stage, title) in [
            (Stage::BeforeLoading, "Before there is data"),
            (Stage::AfterLoading, "When the data is there"),
        ] {
            let mut pieces = self.pieces.iter().filter(|piece| piece.stage == stage).peekable();
            if pieces.peek().is_some() {
                out.push('\n');
                comment(&mut out, mark, &format!("==== {title}"));
            }
            for piece in pieces {
                out.push('\n');
                let why = piece.why.as_deref().map(|why| format!(": {why}"));
                comment(&mut out, mark, &format!("{}{}", piece.object, why.unwrap_or_default()));
                for statement in &piece.statements {
                    out.push_str(statement);
                    out.push_str(";\n");
                }
            }
        }
        out
    }
}

/// So many characters a comment's line has.
const WIDTH: usize = 98;

/// The text as comment lines: nothing in it ends the comment.
fn comment(out: &mut String, mark: &str, text: &str) {
    let mut line = String::from(mark);
    let mut length = 0;
    for word in one_line(text).split(' ') {
        let letters = word.chars().count();
        if length > 0 && length + letters > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = String::from(mark);
            length = 0;
        }
        line.push(' ');
        line.push_str(word);
        length += letters + 1;
    }
    out.push_str(&line);
    out.push('\n');
}

/// The text without line ends and control characters, whatever a language takes for one.
pub(crate) fn one_line(text: &str) -> String {
    let bare = text.replace(
        |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'),
        " ",
    );
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_comment() {
        for end in ["\n", "\r", "\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\0"] {
            let mut out = String::new();
            comment(&mut out, "--", &format!("a{end}DROP TABLE t"));
            assert_eq!(out, "-- a DROP TABLE t\n");
        }
        let mut out = String::new();
        comment(&mut out, "//", &"word ".repeat(50));
        assert!(out.lines().count() > 2 && out.lines().all(|line| line.starts_with("// word")));
    }
}
