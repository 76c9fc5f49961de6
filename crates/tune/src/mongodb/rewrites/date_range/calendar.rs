//! Days, months and years in UTC.

use bson::DateTime;
use time::{Date, Month, OffsetDateTime, Time};

/// What a date is cut to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Year,
    Month,
    Day,
    Hour,
}

impl Unit {
    /// The unit of that name, of those that have one start everywhere.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "year" => Some(Unit::Year),
            "month" => Some(Unit::Month),
            "day" => Some(Unit::Day),
            "hour" => Some(Unit::Hour),
            _ => None,
        }
    }
}

/// The beginning of a day; nothing when there is no such day.
pub(super) fn day(year: i64, month: i64, day: i64) -> Option<DateTime> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let year = i32::try_from(year).ok().filter(|year| (0..=9999).contains(year))?;
    let date = Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()?;
    Some(milliseconds(date, 0))
}

/// Where the unit after the one that begins at `from` begins.
pub(super) fn next(from: DateTime, unit: Unit) -> Option<DateTime> {
    let moment = moment(from)?;
    let date = moment.date();
    let (year, month) = (i64::from(date.year()), i64::from(u8::from(date.month())));
    match unit {
        Unit::Year => day(year + 1, 1, 1),
        Unit::Month if month == 12 => day(year + 1, 1, 1),
        Unit::Month => day(year, month + 1, 1),
        Unit::Day => Some(milliseconds(date.next_day()?, 0)),
        Unit::Hour => Some(DateTime::from_millis(from.timestamp_millis().checked_add(3_600_000)?)),
    }
}

/// Where the unit begins that a moment lies in.
pub(super) fn start_of(moment_in: DateTime, unit: Unit) -> Option<DateTime> {
    let moment = moment(moment_in)?;
    let date = moment.date();
    let (year, month) = (i64::from(date.year()), i64::from(u8::from(date.month())));
    match unit {
        Unit::Year => day(year, 1, 1),
        Unit::Month => day(year, month, 1),
        Unit::Day => Some(milliseconds(date, 0)),
        Unit::Hour => Some(milliseconds(date, moment.hour())),
    }
}

/// The beginning of what `$dateToString` writes as `text`, and how long it is.
pub(super) fn written(format: &str, text: &str) -> Option<(DateTime, Unit)> {
    let unit = match format {
        "%Y-%m-%d" => Unit::Day,
        "%Y-%m" => Unit::Month,
        "%Y" => Unit::Year,
        _ => return None,
    };
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<i64>().ok())?
    };
    let year = number(4)?;
    let month = if unit == Unit::Year { 1 } else { number(2)? };
    let date = if unit == Unit::Day { number(2)? } else { 1 };
    if parts.next().is_some() {
        return None;
    }
    Some((day(year, month, date)?, unit))
}

fn moment(date: DateTime) -> Option<OffsetDateTime> {
    let nanoseconds = i128::from(date.timestamp_millis()).checked_mul(1_000_000)?;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
}

fn milliseconds(date: Date, hour: u8) -> DateTime {
    let time = Time::from_hms(hour, 0, 0).unwrap_or(Time::MIDNIGHT);
    let seconds = date.with_time(time).assume_utc().unix_timestamp();
    DateTime::from_millis(seconds.saturating_mul(1000))
}
