//! What type one value has, by how it is written.

use super::super::column::Kind;
use super::Class;
use crate::looks;

/// What one value is.
pub(super) fn classify(kind: Kind, text: &str) -> Class {
    match kind {
        Kind::Boolean => Class::Boolean,
        Kind::Number => match number(text) {
            Some(class) => class,
            None if text.bytes().any(|byte| byte.is_ascii_digit()) => Class::Text,
            // NaN, and what is endless.
            None => Class::Float,
        },
        Kind::Moment if looks::is_timestamp(text) => Class::Timestamp,
        Kind::ObjectId => Class::ObjectId,
        Kind::Uuid => Class::Uuid,
        Kind::Binary => Class::Binary,
        Kind::Json => Class::Json,
        Kind::Text | Kind::Moment => written(text),
    }
}

/// The most digits, and the largest exponent, that are taken for a number.
const DIGITS: usize = 10_000;

fn number(text: &str) -> Option<Class> {
    if text.len() > DIGITS {
        return None;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain(digits) {
        return Some(match text.parse::<i64>() {
            Ok(_) => Class::Integer,
            Err(_) if is_double(text) => Class::Decimal,
            Err(_) => Class::Vast,
        });
    }
    if let Some((whole, fraction)) = digits.split_once('.')
        && plain(whole)
        && plain(fraction)
    {
        // More digits than a double holds, or than anyone writes by hand, are measured.
        return Some(match fraction.len() {
            _ if !is_double(text) => Class::Vast,
            0..=8 => Class::Decimal,
            _ => Class::Float,
        });
    }
    let exponent = match text.split_once(['e', 'E']) {
        Some((_, exponent)) => exponent.parse::<i64>().ok()?,
        None => 0,
    };
    let near = exponent.unsigned_abs() <= DIGITS as u64 && text.parse::<f64>().is_ok();
    let written = near && text.bytes().any(|byte| byte.is_ascii_digit());
    written.then(|| if is_double(text) { Class::Float } else { Class::Vast })
}

/// Whether a double holds the number, if not exactly: it is neither endless there nor nothing.
fn is_double(text: &str) -> bool {
    let significant = text.split(['e', 'E']).next().unwrap_or_default();
    let nothing = !significant.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    text.parse::<f64>().is_ok_and(|number| number.is_finite() && (number != 0.0 || nothing))
}

/// What a text says. Numbers with leading zeros or a plus are codes.
fn written(text: &str) -> Class {
    if looks::is_number(text) {
        return number(text).unwrap_or(Class::Text);
    }
    if looks::is_uuid(text) {
        return Class::Uuid;
    }
    if looks::is_object_id(text) {
        return Class::ObjectId;
    }
    if looks::is_date(text) {
        return if real_day(text) { Class::Date } else { Class::Text };
    }
    if looks::is_timestamp(text) {
        let whole = text.get(..10).is_some_and(real_day) && real_time(text.get(11..).unwrap_or(""));
        return if whole { Class::Timestamp } else { Class::Text };
    }
    let exponent =
        text.contains(['e', 'E']) && text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if exponent && text.contains('.') && text.parse::<f64>().is_ok_and(f64::is_finite) {
        return Class::Float;
    }
    let lower = text.to_ascii_lowercase();
    if text.len() <= 5
        && matches!(lower.as_str(), "true" | "false" | "yes" | "no" | "y" | "n" | "t" | "f")
    {
        return Class::Boolean;
    }
    if looks::is_json(text) {
        return Class::Json;
    }
    Class::Text
}

/// Whether that day is in the calendar.
fn real_day(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|p| p.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    year > 0 && (1..=12).contains(&month) && (1..=days).contains(&day)
}

/// `10:00`, `10:00:00.123Z`, `10:00:00+02:00`.
fn real_time(text: &str) -> bool {
    let zone = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (time, zone) = text.split_at(zone);
    let mut parts = time.trim_end().split(':');
    let mut within = |most: u32, needed: bool| match parts.next() {
        None => !needed,
        Some(part) => {
            let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
            whole.len() == 2
                && whole.parse::<u32>().is_ok_and(|number| number <= most)
                && fraction.len() <= 9
                && fraction.bytes().all(|byte| byte.is_ascii_digit())
        }
    };
    let time = within(23, true) && within(59, true) && within(59, false) && parts.next().is_none();
    let digits = zone.trim_start_matches(['+', '-']);
    let zone = matches!(zone, "" | "Z" | "z")
        || (matches!(digits.len(), 2 | 4 | 5)
            && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
            && digits.get(..2).is_some_and(|hours| hours <= "14"));
    time && zone
}
