use super::lexer::{Sink, Token, lex};
use super::words;

/// A statement's tokens, kept.
#[derive(Default)]
struct Tokens<'a> {
    text: &'a [u8],
    kept: Vec<(Token, Vec<u8>)>,
}

impl Sink for Tokens<'_> {
    fn token(&mut self, token: Token, bytes: &[u8]) {
        // What is behind any sensible length only makes the shape unreadable.
        if self.kept.len() < self.text.len() {
            self.kept.push((token, bytes.to_vec()));
        }
    }
}

/// A statement in its normal form.
pub(super) struct Normal {
    /// As it is shown: keywords in capitals, values as `$1` …, lists and VALUES by their first
    /// member and `/*, ... */`, as PostgreSQL 18 writes them.
    pub shown: String,
    /// The same with values that always parse: `'x'` and `1`.
    pub parsed: String,
    /// The first word, in capitals.
    pub verb: String,
    /// Whether the text ends inside a string or comment.
    pub open: bool,
}

/// The normal form. It follows from what [`super::shape::key`] hashes alone.
pub(super) fn normal(text: &[u8]) -> Normal {
    let mut tokens = Tokens { text, kept: Vec::new() };
    let open = lex(text, &mut tokens);
    while matches!(tokens.kept.last(), Some((Token::Sign, sign)) if sign == b";") {
        tokens.kept.pop();
    }
    let mut next_value = 1 + tokens
        .kept
        .iter()
        .filter(|(token, _)| *token == Token::Parameter)
        .filter_map(|(_, bytes)| std::str::from_utf8(&bytes[1..]).ok()?.parse::<u32>().ok())
        .max()
        .unwrap_or(0);
    let (mut shown, mut parsed) = (Writer::default(), Writer::default());
    let mut verb = String::new();
    for (token, bytes) in &tokens.kept {
        let word = String::from_utf8_lossy(bytes);
        match token {
            Token::Number | Token::Text => {
                shown.put(*token, &format!("${next_value}"));
                next_value = next_value.saturating_add(1);
                parsed.put(*token, if *token == Token::Number { "1" } else { "'x'" });
            }
            Token::More => {
                shown.out.push_str(" /*, ... */");
                shown.last = Last::Other;
            }
            Token::Word => {
                let word = words::folded(&word);
                if verb.is_empty() {
                    verb = word.to_ascii_uppercase();
                }
                shown.put(*token, &word);
                parsed.put(*token, &word);
            }
            _ => {
                shown.put(*token, &word);
                parsed.put(*token, &word);
            }
        }
    }
    Normal { shown: shown.out, parsed: parsed.out, verb, open }
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Last {
    #[default]
    Start,
    Name,
    Keyword,
    Open,
    Dot,
    Cast,
    Unary,
    Other,
    Operator,
}

/// Writes tokens with the blanks that people put between them.
#[derive(Default)]
struct Writer {
    out: String,
    last: Last,
}

impl Writer {
    fn put(&mut self, token: Token, word: &str) {
        let operator = token == Token::Sign
            && !matches!(word, "(" | ")" | "[" | "]" | "," | ";" | "." | "::" | ":" | "$");
        let unary = operator
            && matches!(word, "-" | "+")
            && matches!(self.last, Last::Start | Last::Keyword | Last::Open | Last::Operator);
        let glued = match self.last {
            Last::Start | Last::Open | Last::Dot | Last::Cast | Last::Unary => true,
            Last::Name => matches!(word, "(" | "["),
            _ => false,
        } || token == Token::Sign && matches!(word, ")" | "]" | "," | ";" | "." | "::")
            || word == "[" && self.last != Last::Keyword;
        if !glued {
            self.out.push(' ');
        }
        self.out.push_str(word);
        self.last = match (token, word) {
            (Token::Word, "ARRAY") => Last::Name,
            (Token::Word, word) if words::is_keyword(word) => Last::Keyword,
            (Token::Word | Token::Quoted, _) => Last::Name,
            (Token::Sign, "(" | "[") => Last::Open,
            (Token::Sign, ".") => Last::Dot,
            (Token::Sign, "::") => Last::Cast,
            _ if unary => Last::Unary,
            _ if operator => Last::Operator,
            _ => Last::Other,
        };
    }
}
