//! BSON documents one after another, as mongodump writes them.

use std::io::Read as _;

use bson::{Bson, RawBsonRef, RawDocument};
use marula_core::Result;

use super::builder::Shredder;
use super::document::{DEPTH, Node, moment};
use super::json::Seen;
use super::records::LONGEST;
use super::{Limits, Read, SourceRead, What};
use crate::infer::column::Kind;

/// Reads all documents. Behind one whose length is not to be believed nothing can be found.
pub fn read(
    mut reader: impl std::io::BufRead,
    mut source: SourceRead,
    table: &str,
    limits: Limits,
) -> Result<Read> {
    let mut shredder = Shredder::new(table, limits);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let start = (&mut reader).take(4).read_to_end(&mut bytes)?;
        if start == 0 {
            break;
        }
        source.read += 1;
        let place = source.read;
        let length = bytes.first_chunk::<4>().map(|length| i32::from_le_bytes(*length));
        let Some(length) = length else {
            aside(&mut source, What::CutOff, place, "the file ends in a document's length".into());
            break;
        };
        let Some(rest) = usize::try_from(length).ok().filter(|l| (5..=LONGEST).contains(l)) else {
            let detail = format!("a length of {length} bytes; what follows cannot be read");
            aside(&mut source, What::Malformed, place, detail);
            break;
        };
        let rest = rest - 4;
        let got = (&mut reader).take(rest as u64).read_to_end(&mut bytes)?;
        if got < rest {
            let detail = format!("{} of {length} bytes are there", got + 4);
            aside(&mut source, What::CutOff, place, detail);
            break;
        }
        match RawDocument::from_bytes(&bytes) {
            Ok(document) => {
                add(document, place, &mut shredder, &mut source);
            }
            Err(error) => aside(&mut source, What::Malformed, place, error.to_string()),
        }
    }
    let tables = shredder.finish(&mut source);
    Ok(Read { tables, source })
}

fn aside(source: &mut SourceRead, what: What, place: u64, detail: String) {
    source.trouble(what, place, detail);
    source.set_aside += 1;
}

/// Takes one document that was counted as read.
pub fn add(document: &RawDocument, place: u64, shredder: &mut Shredder, source: &mut SourceRead) {
    let mut seen = Seen::default();
    match object(document, 0, &mut seen) {
        Ok(fields) => {
            if let Some(path) = seen.twice {
                source.trouble(What::DuplicateField, place, path);
            }
            if let Some(path) = seen.deep {
                source.trouble(What::TooDeep, place, path);
            }
            if let Some(replaced) = seen.replaced {
                source.trouble(What::Replaced, place, replaced.words());
            }
            match shredder.document(&fields, place, source) {
                true => source.kept += 1,
                false => source.beyond += 1,
            }
        }
        Err(detail) => aside(source, What::Malformed, place, detail),
    }
}

type Fields = Vec<(String, Node)>;

fn object(document: &RawDocument, depth: usize, seen: &mut Seen) -> Result<Fields, String> {
    let mut fields: Fields = Vec::new();
    let mut names = rustc_hash::FxHashMap::default();
    for element in document {
        let (name, value) = element.map_err(|error| error.to_string())?;
        let name = name.as_str().to_string();
        let node = node(value, depth + 1, seen, &name)?;
        match names.get(&name).copied() {
            Some(at) => {
                seen.twice.get_or_insert_with(|| name.clone());
                if let Some(field) = fields.get_mut::<usize>(at) {
                    field.1 = node;
                }
            }
            None => {
                names.insert(name.clone(), fields.len());
                fields.push((name, node));
            }
        }
    }
    Ok(fields)
}

fn node(value: RawBsonRef<'_>, depth: usize, seen: &mut Seen, name: &str) -> Result<Node, String> {
    let text = |kind, text: String| Ok(Node::Value(kind, text));
    match value {
        RawBsonRef::Document(_) | RawBsonRef::Array(_) if depth >= DEPTH => {
            seen.deep.get_or_insert_with(|| format!("…{name}"));
            let bytes = match value {
                RawBsonRef::Document(inner) => inner.as_bytes(),
                RawBsonRef::Array(inner) => inner.as_bytes(),
                _ => &[],
            };
            // Turning it into JSON would go down as deep as it is; its bytes say all there is.
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            text(Kind::Json, format!("{{\"$bson\":\"{hex}\"}}"))
        }
        RawBsonRef::Document(inner) => object(inner, depth, seen).map(Node::Object),
        RawBsonRef::Array(items) => {
            let mut nodes = Vec::new();
            for item in items {
                nodes.push(node(item.map_err(|error| error.to_string())?, depth + 1, seen, name)?);
            }
            Ok(Node::Array(nodes))
        }
        RawBsonRef::Null | RawBsonRef::Undefined => Ok(Node::Null),
        RawBsonRef::String(value) | RawBsonRef::Symbol(value) => {
            for _ in value.matches('\0') {
                seen.replace(0, || format!("{name}: a zero character"));
            }
            text(Kind::Text, value.replace('\0', "\u{FFFD}"))
        }
        RawBsonRef::Boolean(yes) => text(Kind::Boolean, yes.to_string()),
        RawBsonRef::Int32(number) => text(Kind::Number, number.to_string()),
        RawBsonRef::Int64(number) => text(Kind::Number, number.to_string()),
        RawBsonRef::Double(number) => text(Kind::Number, double(number)),
        RawBsonRef::Decimal128(number) => text(Kind::Number, number.to_string()),
        RawBsonRef::DateTime(at) => text(Kind::Moment, moment(at.timestamp_millis())),
        RawBsonRef::ObjectId(id) => text(Kind::ObjectId, id.to_hex()),
        RawBsonRef::Binary(binary) => {
            let kind = match binary.subtype {
                bson::spec::BinarySubtype::Uuid if binary.bytes.len() == 16 => Kind::Uuid,
                _ => Kind::Binary,
            };
            let mut hex: String = binary.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            if kind == Kind::Uuid {
                for at in [20, 16, 12, 8] {
                    hex.insert(at, '-');
                }
            }
            text(kind, hex)
        }
        other => {
            let value = Bson::try_from(other).map_err(|error| error.to_string())?;
            text(Kind::Json, value.into_relaxed_extjson().to_string())
        }
    }
}

/// A double as its shortest text; what is a whole number still has a point.
fn double(number: f64) -> String {
    format!("{number:?}")
}
