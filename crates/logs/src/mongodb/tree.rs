//! A logged command as a document. Made once for each shape and sample, so it may take its time.

use bson::{Bson, Document, oid::ObjectId};

use super::cursor::{Cursor, Syntax};
use super::key::is_extended;

/// How deep a document is followed; what is deeper is left out.
const MAX_DEPTH: usize = 200;

/// The document, and whether all of it was there.
pub(super) fn document<S: Syntax + Copy>(raw: &[u8], syntax: S) -> (Document, bool) {
    let mut cursor = Cursor::new(raw, syntax);
    let mut whole = true;
    if !cursor.eat(b'{') {
        return (Document::new(), false);
    }
    let document = object(&mut cursor, 0, &mut whole);
    (document, whole)
}

fn object<S: Syntax + Copy>(
    cursor: &mut Cursor<'_, S>,
    depth: usize,
    whole: &mut bool,
) -> Document {
    let mut document = Document::new();
    let mut closed = false;
    while !closed {
        match cursor.key() {
            Some(key) => {
                let key = text::<S>(key);
                if cursor.peek() == 0 {
                    // The log was cut after the colon.
                    break;
                }
                document.insert(key, value(cursor, depth + 1, whole));
            }
            None => closed = true,
        }
    }
    *whole &= ends_with(cursor, b'}');
    document
}

/// Whether the byte just walked over is what closes the value.
fn ends_with<S: Syntax + Copy>(cursor: &Cursor<'_, S>, close: u8) -> bool {
    cursor.walked().last() == Some(&close)
}

fn value<S: Syntax + Copy>(cursor: &mut Cursor<'_, S>, depth: usize, whole: &mut bool) -> Bson {
    match cursor.peek() {
        b'{' | b'[' if depth >= MAX_DEPTH => {
            cursor.skip();
            Bson::Null
        }
        b'{' => {
            cursor.eat(b'{');
            let document = object(cursor, depth, whole);
            if S::TEXT { Bson::Document(document) } else { scalar_of(document) }
        }
        b'[' => {
            cursor.eat(b'[');
            let mut items = Vec::new();
            while cursor.item() {
                items.push(value(cursor, depth + 1, whole));
            }
            *whole &= ends_with(cursor, b']');
            Bson::Array(items)
        }
        b'"' => {
            let raw = cursor.string();
            *whole &= ends_with(cursor, b'"');
            Bson::String(text::<S>(raw))
        }
        _ => word(cursor.scalar()),
    }
}

/// A string's contents with its escapes undone; text logs have none.
pub(super) fn text<S: Syntax>(raw: &[u8]) -> String {
    if S::TEXT || !raw.contains(&b'\\') {
        return String::from_utf8_lossy(raw).into_owned();
    }
    let mut quoted = Vec::with_capacity(raw.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(raw);
    quoted.push(b'"');
    serde_json::from_slice(&quoted).unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned())
}

/// Extended JSON's objects that stand for scalars.
fn scalar_of(document: Document) -> Bson {
    let Some(first) = document.keys().next() else { return Bson::Document(document) };
    if !is_extended(first.as_bytes()) {
        return Bson::Document(document);
    }
    let first = first.clone();
    let inner = document.get(&first);
    let string = inner.and_then(Bson::as_str);
    let parsed = match (first.as_str(), string, inner) {
        ("$date", Some(text), _) => {
            bson::DateTime::parse_rfc3339_str(text).ok().map(Bson::DateTime)
        }
        ("$date", None, Some(Bson::Int64(ms))) => {
            Some(Bson::DateTime(bson::DateTime::from_millis(*ms)))
        }
        ("$date", None, Some(Bson::Int32(ms))) => {
            Some(Bson::DateTime(bson::DateTime::from_millis(i64::from(*ms))))
        }
        ("$oid", Some(hex), _) => ObjectId::parse_str(hex).ok().map(Bson::ObjectId),
        ("$numberLong", Some(digits), _) => digits.parse().ok().map(Bson::Int64),
        ("$numberInt", Some(digits), _) => digits.parse().ok().map(Bson::Int32),
        ("$numberDouble", Some(digits), _) => match digits {
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            "NaN" => Some(f64::NAN),
            digits => digits.parse().ok(),
        }
        .map(Bson::Double),
        _ => None,
    };
    parsed
        .or_else(|| {
            Bson::try_from(Bson::Document(two_digits(document)).into_relaxed_extjson()).ok()
        })
        // A scalar all the same: its shape is a value's.
        .filter(|value| !matches!(value, Bson::Document(_)))
        .unwrap_or(Bson::Undefined)
}

/// Servers write a binary's kind with one digit, where there is one.
fn two_digits(mut scalar: Document) -> Document {
    if let Ok(binary) = scalar.get_document_mut("$binary")
        && let Ok(kind) = binary.get_str("subType")
        && kind.len() == 1
    {
        let kind = format!("0{kind}");
        binary.insert("subType", kind);
    }
    scalar
}

/// A number, a word, or one of the constructors text logs print.
fn word(raw: &[u8]) -> Bson {
    let text = String::from_utf8_lossy(raw);
    let text = text.trim();
    let number = text.strip_suffix(".0").filter(|whole| matches!(*whole, "nan" | "inf" | "-inf"));
    match text {
        "true" => return Bson::Boolean(true),
        "false" => return Bson::Boolean(false),
        "null" | "" => return Bson::Null,
        "undefined" => return Bson::Undefined,
        "MinKey" => return Bson::MinKey,
        "MaxKey" => return Bson::MaxKey,
        _ => {}
    }
    if let Some(number) = number {
        return Bson::Double(number.parse().unwrap_or(f64::NAN));
    }
    if let Ok(number) = text.parse::<i64>() {
        return i32::try_from(number).map_or(Bson::Int64(number), Bson::Int32);
    }
    if text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        && let Ok(number) = text.parse::<f64>()
    {
        return Bson::Double(number);
    }
    constructed(text).unwrap_or(Bson::Undefined)
}

/// `ObjectId('…')`, `new Date(1706745600000)`, `Timestamp(5, 6)`, `UUID("…")`, `/regex/i` …
fn constructed(text: &str) -> Option<Bson> {
    if let Some(regex) = text.strip_prefix('/') {
        let (pattern, options) = regex.rsplit_once('/')?;
        // `u` says that the pattern is UTF-8; the server adds it by itself.
        let options: String = options.chars().filter(|option| *option != 'u').collect();
        let regex = bson::Regex {
            pattern: pattern.to_owned().try_into().ok()?,
            options: options.try_into().ok()?,
        };
        return Some(Bson::RegularExpression(regex));
    }
    let (name, rest) = text.split_once('(')?;
    let argument = rest.strip_suffix(')')?;
    let bare = argument.trim_matches(['"', '\'']);
    match name {
        "ObjectId" => ObjectId::parse_str(bare).ok().map(Bson::ObjectId),
        "new Date" => bare.parse().ok().map(|ms| Bson::DateTime(bson::DateTime::from_millis(ms))),
        "UUID" => bson::Uuid::parse_str(bare).ok().map(|uuid| Bson::Binary(uuid.into())),
        "NumberDecimal" => bare.parse().ok().map(Bson::Decimal128),
        "Timestamp" => {
            let (time, increment) = argument.split_once(',')?;
            let time = time.trim().parse().ok()?;
            let increment = increment.trim().parse().ok()?;
            Some(Bson::Timestamp(bson::Timestamp { time, increment }))
        }
        _ => None,
    }
}
