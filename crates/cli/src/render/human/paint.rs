//! Colour, sparingly: everything reads the same without it.

/// What a piece of text is, for the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Headings and the headline.
    Strong,
    /// What is there to be looked up, not read.
    Faint,
    /// Trouble.
    Bad,
    /// Half trouble.
    Warn,
    /// Proven, met.
    Good,
    /// Something to copy.
    Code,
}

/// Whether there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    /// `text` in `ink`, each of its lines on its own so that a pager does not lose it.
    pub fn ink(self, ink: Ink, text: &str) -> String {
        if !self.0 || text.is_empty() {
            return text.to_string();
        }
        let code = match ink {
            Ink::Strong => "1",
            Ink::Faint => "2",
            Ink::Bad => "31",
            Ink::Warn => "33",
            Ink::Good => "32",
            Ink::Code => "36",
        };
        let lines: Vec<String> =
            text.split('\n').map(|line| format!("\x1b[{code}m{line}\x1b[0m")).collect();
        lines.join("\n")
    }
}
