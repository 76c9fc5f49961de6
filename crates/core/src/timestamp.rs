use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, ErrorKind};

const DAY: i64 = 86_400_000;
/// The first and last moments RFC 3339 can write: of the years 1 and 9999.
const FIRST: i64 = -62_135_596_800_000;
const LAST: i64 = 253_402_300_799_999;

/// A moment: milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC; a broken clock's
/// year before 1 or past 9999 is written as the nearest that has a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment of a calendar date and time of day in UTC.
    ///
    /// `month` and `day` count from 1; a date past its month's end runs on into the next.
    pub fn from_civil(year: i64, month: i64, day: i64, ms_of_day: i64) -> Self {
        // Days from civil, with the year beginning in March so that the leap day comes last.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Timestamp((era * 146_097 + day_of_era - 719_468) * DAY + ms_of_day)
    }

    /// Year, month, day and milliseconds of the day, in UTC.
    pub fn to_civil(self) -> (i64, i64, i64, i64) {
        let days = self.0.div_euclid(DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day, self.0.rem_euclid(DAY))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, ms) = Timestamp(self.0.clamp(FIRST, LAST)).to_civil();
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if ms % 1000 != 0 {
            write!(f, ".{:03}", ms % 1000)?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads `2026-03-01`, `2026-03-01 12:30`, and RFC 3339 with a fraction and an offset;
    /// without an offset it is UTC.
    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text.trim().as_bytes()).ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("`{text}` is not a date and time"))
                .hint("write it as 2026-03-01, '2026-03-01 12:30' or 2026-03-01T12:30:00+02:00")
        })
    }
}

fn parse(text: &[u8]) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>, low: i64, high: i64| {
        let digits = text.get(range)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = digits.iter().fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0'));
        (low..=high).contains(&value).then_some(value)
    };
    let at = |place: usize, byte: u8| (text.get(place) == Some(&byte)).then_some(());
    let (year, month) = (number(0..4, 1, 9999)?, number(5..7, 1, 12)?);
    let day = number(8..10, 1, 31)?;
    at(4, b'-').and(at(7, b'-'))?;
    if text.len() == 10 {
        return Some(Timestamp::from_civil(year, month, day, 0));
    }
    at(10, b'T').or(at(10, b't')).or(at(10, b' ')).and(at(13, b':'))?;
    let mut ms = number(11..13, 0, 23)? * 3_600_000 + number(14..16, 0, 59)? * 60_000;
    let mut rest = 16;
    if at(rest, b':').is_some() {
        ms += number(17..19, 0, 60)? * 1000;
        rest = 19;
        if at(rest, b'.').or(at(rest, b',')).is_some() {
            let digits = text[20..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            for (place, digit) in text[20..20 + digits.min(3)].iter().enumerate() {
                ms += i64::from(digit - b'0') * [100, 10, 1][place];
            }
            rest = 20 + digits;
        }
    }
    let offset = match text.get(rest..)? {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let minutes = match zone.len() {
                2 => 0,
                4 => number(rest + 3..rest + 5, 0, 59)?,
                5 if zone[2] == b':' => number(rest + 4..rest + 6, 0, 59)?,
                _ => return None,
            };
            let offset = number(rest + 1..rest + 3, 0, 23)? * 60 + minutes;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    Some(Timestamp(Timestamp::from_civil(year, month, day, ms).0 - offset * 60_000))
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|error: Error| serde::de::Error::custom(error.message()))
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time", "description": "RFC 3339, in UTC." })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_and_read_back() {
        for text in ["1970-01-01T00:00:00Z", "2024-02-29T23:59:59.999Z", "1969-12-31T23:00:00Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        for ms in (FIRST..=LAST).step_by(977_777_777_777).chain([LAST]) {
            assert_eq!(Timestamp(ms).to_string().parse::<Timestamp>().unwrap(), Timestamp(ms));
        }
        for (ms, nearest) in [(i64::MIN, FIRST), (i64::MAX, LAST)] {
            assert_eq!(Timestamp(ms).to_string().parse::<Timestamp>().unwrap(), Timestamp(nearest));
        }
    }

    #[test]
    fn offsets_short_forms_and_nonsense() {
        let noon = "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap();
        for text in
            ["2026-03-01 12:00", "2026-03-01T14:00:00+02:00", "2026-03-01 08:30:00.000-0330"]
        {
            assert_eq!(text.parse::<Timestamp>().unwrap(), noon, "{text}");
        }
        for text in ["", "2026", "2026-13-01", "2026-03-01T", "2026-03-01T12:00:00+", "äöüäöüäöüä"]
        {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
