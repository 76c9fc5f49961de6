//! Keys, strings and the other values that have no parts.

use std::fmt::Write;

use bson::Bson;
use bson::spec::BinarySubtype;

use super::print_document;

pub(super) fn write_key(out: &mut String, key: &str) {
    if key == "__proto__" {
        // Written plainly it would set the object's prototype.
        out.push_str("[\"__proto__\"]: ");
    } else if is_identifier(key) {
        let _ = write!(out, "{key}: ");
    } else {
        let _ = write!(out, "{}: ", quoted(key));
    }
}

pub(super) fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}

/// A JavaScript string: JSON's escapes, and the two line ends JSON leaves bare.
pub(super) fn quoted(text: &str) -> String {
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

pub(super) fn write_scalar(out: &mut String, value: &Bson) {
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
