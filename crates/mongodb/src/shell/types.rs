//! The shell's constructors: `ISODate`, `ObjectId`, `NumberLong` and their kin.

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, DateTime, Decimal128, Timestamp, doc};
use marula_core::{ErrorKind, Result};
use oxc_ast::ast::{Argument, Expression, StaticMemberExpression};
use oxc_span::{GetSpan, Span};
use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;

use super::base64;
use super::value::{Scope, Value, kind_of};

/// The value a call stands for, such as `ISODate("2024-01-01")` or `new Date()`.
pub(super) fn call(
    scope: &Scope<'_>,
    callee: &Expression<'_>,
    arguments: &[Argument<'_>],
    span: Span,
) -> Result<Value> {
    let name = match callee {
        Expression::Identifier(name) => name.name.to_string(),
        Expression::StaticMemberExpression(member) => match &member.object {
            Expression::Identifier(object) => format!("{}.{}", object.name, member.property.name),
            object => return method(scope, object, member, arguments, span),
        },
        other => return Err(scope.source.not_constant(kind_of(other), span)),
    };
    if name == "Date.UTC" {
        return utc(scope, arguments, span);
    }
    // A method of a bound date: `from.getTime()`.
    if let Expression::StaticMemberExpression(member) = callee
        && matches!(member.property.name.as_str(), "getTime" | "valueOf" | "toISOString")
    {
        return method(scope, &member.object, member, arguments, span);
    }
    let mut values = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match argument.as_expression() {
            Some(inner) => values.push(scope.value(inner)?),
            None => return Err(scope.source.not_constant("a spread argument", argument.span())),
        }
    }
    construct(scope, &name, values, span)
}

/// Constants that hang on a name: `Number.MAX_SAFE_INTEGER`.
pub(super) fn constant(scope: &Scope<'_>, member: &StaticMemberExpression<'_>) -> Result<Value> {
    let object = match &member.object {
        Expression::Identifier(object) => object.name.as_str(),
        _ => "",
    };
    Ok(Value::Number(match (object, member.property.name.as_str()) {
        ("Number", "MAX_SAFE_INTEGER") => 9_007_199_254_740_991.0,
        ("Number", "MIN_SAFE_INTEGER") => -9_007_199_254_740_991.0,
        ("Number", "MAX_VALUE") => f64::MAX,
        ("Number", "POSITIVE_INFINITY") => f64::INFINITY,
        ("Number", "NEGATIVE_INFINITY") => f64::NEG_INFINITY,
        ("Number", "NaN") => f64::NAN,
        _ => return Err(scope.source.not_constant("looking up a property", member.span)),
    }))
}

fn method(
    scope: &Scope<'_>,
    object: &Expression<'_>,
    member: &StaticMemberExpression<'_>,
    arguments: &[Argument<'_>],
    span: Span,
) -> Result<Value> {
    let name = member.property.name.as_str();
    if !matches!(name, "getTime" | "valueOf" | "toISOString") {
        let what = format!("the method {name}()");
        return Err(scope.source.not_constant(&what, member.property.span));
    }
    match (name, scope.value(object)?, arguments) {
        ("getTime" | "valueOf", Value::Bson(Bson::DateTime(at)), []) => {
            Ok(Value::Number(at.timestamp_millis() as f64))
        }
        ("toISOString", Value::Bson(Bson::DateTime(at)), []) => {
            let mut text = at.try_to_rfc3339_string().unwrap_or_default();
            // JavaScript always prints three digits of a second.
            if let Some(whole) = text.strip_suffix('Z') {
                text = match whole.split_once('.') {
                    Some((seconds, digits)) => format!("{seconds}.{digits:0<3}Z"),
                    None => format!("{whole}.000Z"),
                };
            }
            Ok(Value::Bson(Bson::String(text)))
        }
        _ => Err(scope.source.not_constant(&format!("the method {name}()"), span)),
    }
}

fn construct(scope: &Scope<'_>, name: &str, mut given: Vec<Value>, span: Span) -> Result<Value> {
    let wrong = |message: &str| scope.source.usage(format!("{name}: {message}"), span);
    given.truncate(8);
    let mut given = given.into_iter();
    let (first, second, third) = (given.next(), given.next(), given.next());
    Ok(Value::Bson(match (name, first, second) {
        ("Date.now", None, _) => {
            return Ok(Value::Number(DateTime::now().timestamp_millis() as f64));
        }
        ("ISODate" | "Date", None, _) => Bson::DateTime(DateTime::now()),
        ("ISODate" | "Date", Some(first), None) => {
            Bson::DateTime(date(first).ok_or_else(|| {
                wrong("not a date").hint("write it like ISODate(\"2024-01-31T12:00:00Z\")")
            })?)
        }
        ("Date", Some(_), Some(_)) => {
            return Err(wrong("its parts mean the time zone of the client")
                .hint("write ISODate(\"…Z\"), or new Date(Date.UTC(…))"));
        }
        ("ObjectId" | "ObjectID", None, _) => Bson::ObjectId(ObjectId::new()),
        ("ObjectId" | "ObjectID" | "ObjectId.createFromHexString", Some(first), None) => {
            let text = string(&first).ok_or_else(|| wrong("takes 24 hexadecimal digits"))?;
            let id = ObjectId::parse_str(text);
            Bson::ObjectId(id.map_err(|_| wrong("takes 24 hexadecimal digits"))?)
        }
        ("NumberLong" | "Long" | "Long.fromString" | "Long.fromNumber", None, _) => Bson::Int64(0),
        ("NumberLong" | "Long" | "Long.fromString" | "Long.fromNumber", Some(first), None) => {
            Bson::Int64(long(&first).ok_or_else(|| wrong("takes a 64-bit whole number"))?)
        }
        // Long(low, high): two halves, as the driver's class has it.
        ("Long" | "Long.fromBits", Some(low), Some(high)) => match (long(&low), long(&high)) {
            (Some(low), Some(high)) => Bson::Int64((high << 32) | (low & 0xffff_ffff)),
            _ => return Err(wrong("takes two whole numbers")),
        },
        ("NumberInt" | "Int32", None, _) => Bson::Int32(0),
        ("NumberInt" | "Int32", Some(first), None) => Bson::Int32(
            long(&first)
                .and_then(|number| i32::try_from(number).ok())
                .ok_or_else(|| wrong("takes a 32-bit whole number"))?,
        ),
        ("Double" | "NumberDouble", Some(first), None) => {
            Bson::Double(double(&first).ok_or_else(|| wrong("takes a number"))?)
        }
        ("NumberDecimal" | "Decimal128" | "Decimal128.fromString", Some(first), None) => {
            let text = match &first {
                Value::Number(number) => Some(format!("{number}")),
                other => string(other).map(str::to_string),
            };
            let number = text.and_then(|text| text.parse::<Decimal128>().ok());
            Bson::Decimal128(number.ok_or_else(|| wrong("takes a decimal number as a string"))?)
        }
        ("UUID", Some(first), None) => {
            let text = string(&first).ok_or_else(|| wrong("takes 32 hexadecimal digits"))?;
            let uuid = bson::Uuid::parse_str(text);
            Bson::Binary(uuid.map_err(|_| wrong("takes 32 hexadecimal digits"))?.into())
        }
        ("BinData", Some(kind), Some(data)) => binary(&kind, &data, base64::decode)
            .ok_or_else(|| wrong("takes a subtype and base 64"))?,
        ("HexData", Some(kind), Some(data)) => {
            binary(&kind, &data, hex).ok_or_else(|| wrong("takes a subtype and hex digits"))?
        }
        ("Binary.createFromBase64", Some(data), kind) => {
            binary(&kind.unwrap_or(Value::Number(0.0)), &data, base64::decode)
                .ok_or_else(|| wrong("takes base 64 and a subtype"))?
        }
        ("Timestamp", Some(Value::Bson(Bson::Document(parts))), None) => {
            let part = |key| parts.get(key).and_then(crate::plan::number).map(|n| n as u32);
            Bson::Timestamp(Timestamp {
                time: part("t").ok_or_else(|| wrong("takes {t: seconds, i: number}"))?,
                increment: part("i").unwrap_or(0),
            })
        }
        ("Timestamp", first, second) => {
            let part = |value: Option<Value>| match value {
                None => Some(0),
                Some(value) => long(&value).and_then(|number| u32::try_from(number).ok()),
            };
            match (part(first), part(second)) {
                (Some(time), Some(increment)) => Bson::Timestamp(Timestamp { time, increment }),
                _ => return Err(wrong("takes seconds and a number")),
            }
        }
        ("MinKey", None, _) => Bson::MinKey,
        ("MaxKey", None, _) => Bson::MaxKey,
        ("RegExp" | "BSONRegExp", Some(pattern), options) => {
            let (pattern, given) = match &pattern {
                Value::Bson(Bson::String(text)) => (text.clone(), String::new()),
                Value::Bson(Bson::RegularExpression(regex)) => {
                    (regex.pattern.to_string(), regex.options.to_string())
                }
                _ => return Err(wrong("takes a pattern and options")),
            };
            let options = match &options {
                None => given,
                Some(options) => {
                    string(options).ok_or_else(|| wrong("takes options as a string"))?.to_string()
                }
            };
            return scope.regex(&pattern, options, span);
        }
        ("DBRef", Some(collection), Some(id)) => {
            let name = string(&collection).ok_or_else(|| wrong("takes a collection's name"))?;
            let mut reference = doc! { "$ref": name, "$id": id.into_bson() };
            if let Some(database) = third.as_ref().and_then(string) {
                reference.insert("$db", database);
            }
            Bson::Document(reference)
        }
        ("BSONSymbol", Some(text), None) => {
            Bson::Symbol(string(&text).ok_or_else(|| wrong("takes a string"))?.to_string())
        }
        ("Code", Some(code), scope_given) => {
            let code = string(&code).ok_or_else(|| wrong("takes a string"))?.to_string();
            match scope_given {
                Some(Value::Bson(Bson::Document(scope))) => {
                    Bson::JavaScriptCodeWithScope(bson::JavaScriptCodeWithScope { code, scope })
                }
                _ => Bson::JavaScriptCode(code),
            }
        }
        // What this program prints for types the shell has no constructor for.
        ("EJSON", Some(Value::Bson(value)), None) => super::json::decode(value),
        (
            "ISODate" | "ObjectId" | "NumberLong" | "NumberInt" | "NumberDecimal" | "UUID"
            | "BinData",
            ..,
        ) => return Err(wrong("these arguments are not understood")),
        _ => {
            return Err(scope
                .source
                .error(ErrorKind::Refused, format!("{name}() is not evaluated here"), span)
                .hint("write the value it gives: the text is parsed and never run"));
        }
    }))
}

fn string(value: &Value) -> Option<&str> {
    match value {
        Value::Bson(Bson::String(text)) => Some(text),
        _ => None,
    }
}

fn long(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9.3e18 => {
            Some(*number as i64)
        }
        Value::Bson(Bson::Int64(number)) => Some(*number),
        Value::Bson(Bson::Int32(number)) => Some(i64::from(*number)),
        Value::Bson(Bson::String(text)) => text.trim().parse().ok(),
        _ => None,
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Bson(Bson::Int64(number)) => Some(*number as f64),
        Value::Bson(Bson::String(text)) => text.trim().parse().ok(),
        _ => None,
    }
}

fn binary(kind: &Value, data: &Value, read: fn(&str) -> Option<Vec<u8>>) -> Option<Bson> {
    let subtype = u8::try_from(long(kind)?).ok()?;
    let bytes = read(string(data)?)?;
    Some(Bson::Binary(Binary { subtype: BinarySubtype::from(subtype), bytes }))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

fn date(value: Value) -> Option<DateTime> {
    match value {
        Value::Number(millis) if millis.is_finite() => Some(DateTime::from_millis(millis as i64)),
        Value::Bson(Bson::DateTime(at)) => Some(at),
        Value::Bson(Bson::Int64(millis)) => Some(DateTime::from_millis(millis)),
        Value::Bson(Bson::String(text)) => parse_date(&text),
        _ => None,
    }
}

/// An ISO 8601 date; without a zone it means UTC, as `ISODate` has it.
fn parse_date(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let text = match text.len() {
        4 if text.bytes().all(|b| b.is_ascii_digit()) => format!("{text}-01-01"),
        7 if text.as_bytes().get(4) == Some(&b'-') => format!("{text}-01"),
        _ => text.replacen(' ', "T", 1),
    };
    let day = text.get(..10).filter(|day| !day.contains('T'));
    let full = match (day, text.get(10..)) {
        (Some(day), Some("")) => format!("{day}T00:00:00Z"),
        (Some(_), Some(clock)) if clock.ends_with('Z') || clock.contains(['+', '-']) => text,
        (Some(_), Some(_)) => format!("{text}Z"),
        // Compact forms: 20240131, 20240131T120000Z.
        _ if text.contains('T') => text,
        _ => format!("{text}T000000Z"),
    };
    let at = OffsetDateTime::parse(&full, &Iso8601::DEFAULT).ok()?;
    let millis = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok()?;
    Some(DateTime::from_millis(millis))
}

fn utc(scope: &Scope<'_>, arguments: &[Argument<'_>], span: Span) -> Result<Value> {
    let mut parts = [1970.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    for (slot, argument) in parts.iter_mut().zip(arguments) {
        match argument.as_expression().map(|inner| scope.value(inner)).transpose()? {
            Some(Value::Number(number)) if number.fract() == 0.0 && number.abs() < 1e6 => {
                *slot = number;
            }
            _ => return Err(scope.source.usage("Date.UTC takes whole numbers", span)),
        }
    }
    let [year, month, day, hour, minute, second, milli] = parts.map(|part| part as i64);
    let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12));
    let first = i32::try_from(year)
        .ok()
        .zip(u8::try_from(month + 1).ok().and_then(|month| time::Month::try_from(month).ok()))
        .and_then(|(year, month)| time::Date::from_calendar_date(year, month, 1).ok())
        .ok_or_else(|| scope.source.usage("Date.UTC: not a date", span))?;
    let days = i64::from(first.to_julian_day()) - 2_440_588 + day - 1;
    let millis = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + milli;
    Ok(Value::Number(millis as f64))
}
