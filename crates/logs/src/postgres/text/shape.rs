use marula_core::{Engine, Fingerprint};
use marula_postgres::sql;

use super::lexer::{Sink, Token, lex};
use super::normal::normal;
use crate::Shape;

/// Longest text that the parser is given, and longest that is shown.
const PARSED: usize = 200 << 10;
const SHOWN: usize = 16 << 10;

/// Hashes tokens: names without regard to case, values by their sort alone.
struct Hasher(u64);

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher {
    #[inline]
    fn mix(&mut self, more: u64) {
        let product = u128::from(self.0 ^ more) * u128::from(FACTOR);
        self.0 = (product as u64) ^ ((product >> 64) as u64).rotate_left(17);
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8], fold: bool) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word), fold);
        }
        let rest = chunks.remainder();
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(word), fold);
        self.mix(bytes.len() as u64);
    }

    #[inline]
    fn word(&mut self, word: u64, fold: bool) {
        // Small letters have bit 5; other ASCII that occurs in names has it or stays distinct.
        let small = (!word & 0x8080_8080_8080_8080) >> 2;
        self.mix(if fold { word | small } else { word });
    }
}

impl Sink for Hasher {
    #[inline]
    fn token(&mut self, token: Token, bytes: &[u8]) {
        match token {
            Token::Word => self.bytes(bytes, true),
            Token::Quoted | Token::Sign | Token::Parameter => self.bytes(bytes, false),
            Token::Number => self.mix(0x0101_0101_0101_0101),
            Token::Text => self.mix(0x0202_0202_0202_0202),
            Token::More => self.mix(0x0303_0303_0303_0303),
        }
    }
}

/// The hash of a statement modulo values, blanks, comments and the length of lists.
pub(crate) fn key(text: &[u8]) -> u64 {
    let text = without_end(text);
    let mut hasher = Hasher(text.len().min(1) as u64);
    let open = lex(text, &mut hasher);
    hasher.mix(u64::from(open));
    hasher.0
}

fn without_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b';' | b' ' | b'\n' | b'\t' | b'\r'] = text {
        text = rest;
    }
    text
}

/// The shape of a statement with this key.
pub(crate) fn shape(text: &[u8], key: u64) -> Shape {
    let normal = normal(without_end(text));
    let mut shape = Shape {
        fingerprint: Fingerprint(format!("{key:016x}")),
        engine: Engine::Postgres,
        text: normal.shown,
        operation: normal.verb,
        objects: Vec::new(),
        incomplete: true,
    };
    if !normal.open
        && normal.parsed.len() <= PARSED
        && let Ok(statements) = sql::parse_all(&normal.parsed)
        && let [first, rest @ ..] = statements.as_slice()
    {
        shape.incomplete = false;
        if rest.is_empty() && !first.fingerprint().0.is_empty() {
            shape.fingerprint = first.fingerprint().clone();
        }
        if let Some(operation) = operation(first) {
            shape.operation = operation.to_owned();
        }
        for relation in statements.iter().flat_map(sql::ParsedStatement::relations) {
            let name = relation.qualified();
            if !shape.objects.contains(&name) && shape.objects.len() < 50 {
                shape.objects.push(name);
            }
        }
    }
    if shape.text.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|end| shape.text.is_char_boundary(*end)).unwrap_or(0);
        shape.text.truncate(end);
        shape.text.push('…');
    }
    shape
}

/// What kind of statement, where the first word does not tell (`WITH … INSERT`).
fn operation(statement: &sql::ParsedStatement) -> Option<&'static str> {
    let text = statement.text().trim_start();
    let with = text.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("with"));
    (with || text.starts_with('(')).then(|| {
        if statement.select().is_some() {
            "SELECT"
        } else {
            // The tree's node is named after the statement; its relation is what is written to.
            statement.root().map_or("WITH", written)
        }
    })
}

fn written(node: &sql::Node) -> &'static str {
    use sql::Node;
    match node {
        Node::InsertStmt(_) => "INSERT",
        Node::UpdateStmt(_) => "UPDATE",
        Node::DeleteStmt(_) => "DELETE",
        Node::MergeStmt(_) => "MERGE",
        _ => "WITH",
    }
}

/// The shape of statements of which only the duration was logged.
pub(crate) fn not_logged() -> Shape {
    Shape {
        fingerprint: Fingerprint("not-logged".into()),
        engine: Engine::Postgres,
        text: "(statement not logged)".into(),
        operation: "?".into(),
        objects: Vec::new(),
        incomplete: true,
    }
}

#[cfg(test)]
mod tests;
