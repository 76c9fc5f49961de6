//! Numbers as people write them in a model: `200k` rows, `300/s`, `5%/month`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of rows or children: `1200`, `2e6`, `200k`, `1.5M`, `2G`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

/// How often something happens, per second: `300/s`, `5/min`, `10/h`, `2/day`; a bare number is
/// per second.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

/// How fast a number of rows grows: a share per month, `0.05` or `5%/month`, `40%/year`.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Growth(pub f64);

fn count(text: &str) -> Option<f64> {
    let text = text.trim().replace(['_', ','], "");
    let (digits, factor) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1e3),
        (at, 'm' | 'M') => (&text[..at], 1e6),
        (at, 'g' | 'G' | 'b' | 'B') => (&text[..at], 1e9),
        _ => (&text[..], 1.0),
    };
    digits.trim().parse::<f64>().ok().map(|number| number * factor)
}

impl Count {
    /// Reads `200k`.
    pub fn parse(text: &str) -> Option<Self> {
        Count::of(count(text)?)
    }

    fn of(number: f64) -> Option<Self> {
        let whole = number.round();
        ((0.0..=9e15).contains(&number) && (whole - number).abs() < 1e-6)
            .then_some(Count(whole as u64))
    }
}

impl Rate {
    /// Reads `300/s`.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
        let seconds = match unit.trim() {
            "s" | "sec" | "second" => 1.0,
            "m" | "min" | "minute" => 60.0,
            "h" | "hour" => 3600.0,
            "d" | "day" => 86_400.0,
            _ => return None,
        };
        Rate::of(count(number)? / seconds)
    }

    fn of(number: f64) -> Option<Self> {
        (0.0..=1e9).contains(&number).then_some(Rate(number))
    }
}

impl Growth {
    /// Reads `5%/month`.
    pub fn parse(text: &str) -> Option<Self> {
        let (share, unit) = text.split_once('/').unwrap_or((text, "month"));
        let share = match share.trim().strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
            None => share.trim().parse::<f64>().ok()?,
        };
        let months = match unit.trim() {
            "day" | "d" => 1.0 / 30.0,
            "week" | "wk" => 7.0 / 30.0,
            "month" | "mo" => 1.0,
            "year" | "yr" | "y" => 12.0,
            _ => return None,
        };
        Growth::of(share / months)
    }

    fn of(number: f64) -> Option<Self> {
        (-1.0..=1e6).contains(&number).then_some(Growth(number))
    }
}

/// Reads, writes and describes a quantity that is a number or a text.
macro_rules! quantity {
    ($type:ident, $what:literal, $example:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Read;
                impl de::Visitor<'_> for Read {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!($what, " such as ", $example))
                    }
                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$type, E> {
                        self.visit_f64(number as f64)
                    }
                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$type, E> {
                        self.visit_f64(number as f64)
                    }
                    fn visit_f64<E: de::Error>(self, number: f64) -> Result<$type, E> {
                        $type::of(number)
                            .ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        $type::parse(text)
                            .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
                    }
                }
                from.deserialize_any(Read)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(to)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": ["number", "string"],
                    "description": concat!($what, ": a number, or a text such as ", $example),
                })
            }
        }
    };
}

quantity!(Count, "a whole number", "200k or 1.5M");
quantity!(Rate, "times per second", "300/s or 5/min");
quantity!(Growth, "a share per month", "5%/month");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_people_write_them() {
        assert_eq!(Count::parse("200k"), Some(Count(200_000)));
        assert_eq!(Count::parse("1.5M"), Some(Count(1_500_000)));
        assert_eq!(Count::parse("2e6"), Some(Count(2_000_000)));
        assert_eq!(Count::parse("0.5"), None);
        assert_eq!(Count::parse("-3"), None);
        assert_eq!(Count::parse("NaN"), None);
        assert_eq!(Count::parse(""), None);
        assert_eq!(Rate::parse("300/s"), Some(Rate(300.0)));
        assert_eq!(Rate::parse("6/min"), Some(Rate(0.1)));
        assert_eq!(Rate::parse("6/fortnight"), None);
        assert_eq!(Growth::parse("5%/month"), Some(Growth(0.05)));
        assert_eq!(Growth::parse("12%/year"), Some(Growth(0.01)));
    }
}
