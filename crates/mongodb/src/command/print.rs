//! The command as a person writes it: mongosh syntax, broken into lines where it is long.
//! Whatever is printed here, [`crate::shell::parse`] reads back to the same command.

use std::fmt::Write;

use bson::spec::BinarySubtype;
use bson::{Bson, Document};

use super::{Command, CountKind, Operation};

/// Where lines are broken.
const WIDTH: usize = 96;

impl Command {
    /// Mongosh text on as few lines as fit within 96 columns.
    pub fn to_shell(&self) -> String {
        let mut out = receiver(self);
        let name = self.name();
        match &self.operation {
            Operation::Find(find) => {
                let mut arguments = Vec::new();
                let others = without(&find.options, &[]);
                if !find.filter.is_empty() || find.projection.is_some() || find.one {
                    arguments.push(Bson::Document(find.filter.clone()));
                }
                arguments.extend(find.projection.clone().map(Bson::Document));
                if find.one || !others.is_empty() {
                    // What has no cursor method is given as the third argument.
                    let mut options = others;
                    if find.one {
                        put(&mut options, "sort", find.sort.clone());
                        put(&mut options, "skip", find.skip);
                        put(&mut options, "hint", find.hint.clone());
                        put(&mut options, "collation", find.collation.clone());
                    }
                    if !options.is_empty() {
                        if arguments.is_empty() {
                            arguments.push(Bson::Document(Document::new()));
                        }
                        if arguments.len() == 1 {
                            arguments.push(Bson::Document(Document::new()));
                        }
                        arguments.push(Bson::Document(options));
                    }
                }
                call(&mut out, name, &arguments);
                if !find.one {
                    method(&mut out, "sort", find.sort.clone().map(Bson::Document));
                    method(&mut out, "skip", find.skip.map(super::wire::integer));
                    method(&mut out, "limit", find.limit.map(super::wire::integer));
                    method(&mut out, "hint", find.hint.clone());
                    method(&mut out, "collation", find.collation.clone().map(Bson::Document));
                }
            }
            Operation::Aggregate(aggregate) => {
                let pipeline =
                    aggregate.pipeline.iter().cloned().map(Bson::Document).collect::<Vec<_>>();
                let mut options = aggregate.options.clone();
                put(&mut options, "hint", aggregate.hint.clone());
                put(&mut options, "collation", aggregate.collation.clone());
                finish(&mut out, name, vec![Bson::Array(pipeline)], options);
            }
            Operation::Count(count) => {
                let mut options = count.options.clone();
                put(&mut options, "skip", count.skip);
                put(&mut options, "limit", count.limit);
                put(&mut options, "hint", count.hint.clone());
                put(&mut options, "collation", count.collation.clone());
                let mut arguments = Vec::new();
                let estimated = count.kind == CountKind::Estimated;
                if !estimated && (!count.filter.is_empty() || !options.is_empty()) {
                    arguments.push(Bson::Document(count.filter.clone()));
                }
                finish(&mut out, name, arguments, options);
            }
            Operation::Distinct(distinct) => {
                let mut options = distinct.options.clone();
                put(&mut options, "hint", distinct.hint.clone());
                put(&mut options, "collation", distinct.collation.clone());
                let mut arguments = vec![Bson::String(distinct.key.clone())];
                if !distinct.filter.is_empty() || !options.is_empty() {
                    arguments.push(Bson::Document(distinct.filter.clone()));
                }
                finish(&mut out, name, arguments, options);
            }
            Operation::Update(update) => {
                let mut options = update.options.clone();
                put(&mut options, "upsert", update.upsert.then_some(true));
                put(&mut options, "hint", update.hint.clone());
                put(&mut options, "collation", update.collation.clone());
                put(&mut options, "arrayFilters", update.array_filters.clone());
                let arguments = vec![Bson::Document(update.filter.clone()), update.update.clone()];
                finish(&mut out, name, arguments, options);
            }
            Operation::Delete(delete) => {
                let mut options = delete.options.clone();
                put(&mut options, "hint", delete.hint.clone());
                put(&mut options, "collation", delete.collation.clone());
                finish(&mut out, name, vec![Bson::Document(delete.filter.clone())], options);
            }
            Operation::FindAndModify(modify) => {
                let mut options = modify.options.clone();
                put(&mut options, "sort", modify.sort.clone());
                put(&mut options, "projection", modify.projection.clone());
                put(&mut options, "returnNewDocument", modify.new.then_some(true));
                put(&mut options, "upsert", modify.upsert.then_some(true));
                put(&mut options, "hint", modify.hint.clone());
                put(&mut options, "collation", modify.collation.clone());
                put(&mut options, "arrayFilters", modify.array_filters.clone());
                let mut arguments = vec![Bson::Document(modify.filter.clone())];
                arguments.extend(modify.update.clone());
                finish(&mut out, name, arguments, options);
            }
            Operation::Insert(insert) => {
                let documents = insert.documents.iter().cloned().map(Bson::Document);
                let arguments = match insert.one {
                    true => documents.collect(),
                    false => vec![Bson::Array(documents.collect())],
                };
                call(&mut out, name, &arguments);
            }
            Operation::CreateIndexes(create) => match create.indexes.as_slice() {
                [one] => {
                    let keys = one.get("key").cloned().unwrap_or(Bson::Null);
                    finish(&mut out, name, vec![keys], without(one, &["key"]));
                }
                _ => {
                    return format!(
                        "{}.runCommand({})",
                        database(self),
                        print_document(&self.to_command())
                    );
                }
            },
            Operation::DropIndex(drop) => call(&mut out, name, std::slice::from_ref(&drop.index)),
            Operation::CollMod(_) => {
                return format!(
                    "{}.runCommand({})",
                    database(self),
                    print_document(&self.to_command())
                );
            }
            Operation::CreateCollection(create) => {
                out = database(self);
                let mut arguments = vec![Bson::String(self.collection.clone())];
                if !create.options.is_empty() {
                    arguments.push(Bson::Document(create.options.clone()));
                }
                call(&mut out, name, &arguments);
            }
            Operation::Drop => call(&mut out, name, &[]),
        }
        out
    }
}

/// The value in mongosh syntax, broken into lines where it is long.
pub fn print_value(value: &Bson) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0);
    out
}

/// The document in mongosh syntax, broken into lines where it is long.
pub fn print_document(document: &Document) -> String {
    let mut out = String::new();
    write_document(&mut out, document, 0);
    out
}

fn database(command: &Command) -> String {
    match &command.database {
        Some(name) => format!("db.getSiblingDB({})", quoted(name)),
        None => "db".to_string(),
    }
}

fn receiver(command: &Command) -> String {
    let mut out = database(command);
    let name = &command.collection;
    // A name that is also a method of `db` would not reach the collection.
    let plain = name.split('.').all(is_identifier) && !name.split('.').any(crate::shell::is_method);
    if plain {
        let _ = write!(out, ".{name}");
    } else {
        let _ = write!(out, ".getCollection({})", quoted(name));
    }
    out
}

fn put(options: &mut Document, key: &str, value: Option<impl Into<Bson>>) {
    if let Some(value) = value {
        options.insert(key, value);
    }
}

fn without(document: &Document, keys: &[&str]) -> Document {
    document
        .iter()
        .filter(|(key, _)| !keys.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn finish(out: &mut String, name: &str, mut arguments: Vec<Bson>, options: Document) {
    if !options.is_empty() {
        arguments.push(Bson::Document(options));
    }
    call(out, name, &arguments);
}

fn method(out: &mut String, name: &str, argument: Option<Bson>) {
    if let Some(argument) = argument {
        call(out, name, &[argument]);
    }
}

fn call(out: &mut String, name: &str, arguments: &[Bson]) {
    let _ = write!(out, ".{name}(");
    for (number, argument) in arguments.iter().enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        write_value(out, argument, 0);
    }
    out.push(')');
}

fn write_value(out: &mut String, value: &Bson, depth: usize) {
    match value {
        Bson::Document(document) => write_document(out, document, depth),
        Bson::Array(items) => write_array(out, items, depth),
        scalar => write_scalar(out, scalar),
    }
}

/// The room left on the line that `out` ends with.
fn room(out: &str) -> usize {
    let line = out.rfind('\n').map_or(0, |at| at + 1);
    // Only the tail matters: a line longer than the width has no room anyway.
    WIDTH.saturating_sub(out.len() - line)
}

fn write_document(out: &mut String, document: &Document, depth: usize) {
    if document.is_empty() {
        out.push_str("{}");
        return;
    }
    if let Some(flat) = flat_document(document, room(out)) {
        out.push_str(&flat);
        return;
    }
    out.push('{');
    for (number, (key, value)) in document.iter().enumerate() {
        out.push_str(if number == 0 { "\n" } else { ",\n" });
        indent(out, depth + 1);
        write_key(out, key);
        write_value(out, value, depth + 1);
    }
    out.push('\n');
    indent(out, depth);
    out.push('}');
}

fn write_array(out: &mut String, items: &[Bson], depth: usize) {
    if items.is_empty() {
        out.push_str("[]");
        return;
    }
    if let Some(flat) = flat_array(items, room(out)) {
        out.push_str(&flat);
        return;
    }
    out.push('[');
    for (number, item) in items.iter().enumerate() {
        out.push_str(if number == 0 { "\n" } else { ",\n" });
        indent(out, depth + 1);
        write_value(out, item, depth + 1);
    }
    out.push('\n');
    indent(out, depth);
    out.push(']');
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// The document on one line when it is at most `room` bytes; gives up as soon as it is longer,
/// so that deep documents are not printed once per level.
fn flat_document(document: &Document, room: usize) -> Option<String> {
    let mut out = String::from("{ ");
    for (number, (key, value)) in document.iter().enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        write_key(&mut out, key);
        flat_value(&mut out, value, room)?;
    }
    out.push_str(" }");
    (out.len() <= room).then_some(out)
}

fn flat_array(items: &[Bson], room: usize) -> Option<String> {
    let mut out = String::from("[");
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        flat_value(&mut out, item, room)?;
    }
    out.push(']');
    (out.len() <= room).then_some(out)
}

fn flat_value(out: &mut String, value: &Bson, room: usize) -> Option<()> {
    let left = room.checked_sub(out.len())?;
    match value {
        Bson::Document(document) if document.is_empty() => out.push_str("{}"),
        Bson::Document(document) => out.push_str(&flat_document(document, left)?),
        Bson::Array(items) => out.push_str(&flat_array(items, left)?),
        scalar => write_scalar(out, scalar),
    }
    (out.len() <= room).then_some(())
}

fn write_key(out: &mut String, key: &str) {
    if key == "__proto__" {
        // Written plainly it would set the object's prototype.
        out.push_str("[\"__proto__\"]: ");
    } else if is_identifier(key) {
        let _ = write!(out, "{key}: ");
    } else {
        let _ = write!(out, "{}: ", quoted(key));
    }
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}

/// A JavaScript string: JSON's escapes, and the two line ends JSON leaves bare.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn write_scalar(out: &mut String, value: &Bson) {
    let _ = match value {
        Bson::Double(number) => write_double(out, *number),
        Bson::String(text) => write!(out, "{}", quoted(text)),
        Bson::Boolean(yes) => write!(out, "{yes}"),
        Bson::Null => write!(out, "null"),
        Bson::Int32(number) => write!(out, "{number}"),
        Bson::Int64(number) => write!(out, "Long(\"{number}\")"),
        Bson::ObjectId(id) => write!(out, "ObjectId(\"{id}\")"),
        Bson::DateTime(at) => write_date(out, *at),
        Bson::RegularExpression(regex) => {
            write_regex(out, regex.pattern.as_str(), regex.options.as_str())
        }
        Bson::Decimal128(number) => write!(out, "Decimal128(\"{number}\")"),
        Bson::Timestamp(at) => {
            write!(out, "Timestamp({{ t: {}, i: {} }})", at.time, at.increment)
        }
        Bson::MinKey => write!(out, "MinKey()"),
        Bson::MaxKey => write!(out, "MaxKey()"),
        Bson::Undefined => write!(out, "undefined"),
        Bson::Symbol(name) => write!(out, "BSONSymbol({})", quoted(name)),
        Bson::JavaScriptCode(code) => write!(out, "Code({})", quoted(code)),
        Bson::JavaScriptCodeWithScope(code) => {
            let scope = print_document(&code.scope);
            write!(out, "Code({}, {scope})", quoted(&code.code))
        }
        Bson::Binary(binary) => match (binary.subtype, binary.to_uuid()) {
            (BinarySubtype::Uuid, Ok(uuid)) => write!(out, "UUID(\"{uuid}\")"),
            (subtype, _) => {
                let data = crate::shell::base64::encode(&binary.bytes);
                write!(out, "BinData({}, \"{data}\")", u8::from(subtype))
            }
        },
        // The deprecated pointer type has no accessors: its extended JSON says what it holds.
        other @ Bson::DbPointer(_) => {
            write!(out, "EJSON({})", other.clone().into_canonical_extjson())
        }
        Bson::Document(_) | Bson::Array(_) => Ok(()),
    };
}

/// A plain literal would come back as an int32 where the double is a small whole number.
fn write_double(out: &mut String, number: f64) -> std::fmt::Result {
    if number.is_nan() {
        out.write_str("NaN")
    } else if number.is_infinite() {
        out.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" })
    } else if crate::shell::fits_int32(number) {
        write!(out, "Double({number})")
    } else {
        // `{:?}` prints the shortest digits that read back the same, with an exponent if long.
        write!(out, "{number:?}")
    }
}

fn write_date(out: &mut String, at: bson::DateTime) -> std::fmt::Result {
    match at.try_to_rfc3339_string() {
        // Years beyond four digits are written in a way ISODate does not read everywhere.
        Ok(text) if text.len() <= 24 && text.as_bytes().first() != Some(&b'-') => {
            write!(out, "ISODate(\"{text}\")")
        }
        _ => write!(out, "new Date({})", at.timestamp_millis()),
    }
}

fn write_regex(out: &mut String, pattern: &str, options: &str) -> std::fmt::Result {
    let plain = !pattern.is_empty()
        && !pattern.starts_with('*')
        && options.chars().all(|c| matches!(c, 'i' | 'm'))
        && !options.contains("ii")
        && !options.contains("mm")
        && crate::shell::is_regex_body(pattern);
    if plain {
        write!(out, "/{pattern}/{options}")
    } else {
        write!(out, "BSONRegExp({}, {})", quoted(pattern), quoted(options))
    }
}
