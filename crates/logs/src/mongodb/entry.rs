//! The fields of one line of a JSON log.

use marula_core::Timestamp;

use super::cursor::{Cursor, Json, number};
use super::operation::Operation;
use super::waits;

/// A line's fields before `attr`, and what comes after.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry<'a> {
    pub at: Option<Timestamp>,
    /// `I`, `W`, `E`, `F`, `D1` …
    pub severity: &'a [u8],
    pub component: &'a [u8],
    pub id: u64,
    /// The connection or thread.
    pub context: &'a [u8],
    pub message: &'a [u8],
    /// `attr`, unread, with all that follows it.
    pub attributes: &'a [u8],
}

/// Reads a line up to its `attr`. `None` when it is not an entry.
#[inline]
pub(super) fn entry(line: &[u8]) -> Option<Entry<'_>> {
    let mut cursor = Cursor::new(line, Json);
    if !cursor.eat(b'{') {
        return None;
    }
    let mut entry = Entry::default();
    while let Some(key) = cursor.key() {
        match key {
            b"t" => {
                cursor.eat(b'{').then_some(())?;
                (cursor.key()? == b"$date").then_some(())?;
                entry.at = moment(cursor.string());
                cursor.key();
            }
            b"s" => entry.severity = cursor.string(),
            b"c" => entry.component = cursor.string(),
            b"id" => entry.id = number(cursor.skip())?,
            b"ctx" => entry.context = cursor.string(),
            b"msg" => entry.message = cursor.string(),
            b"attr" => {
                entry.attributes = cursor.rest();
                break;
            }
            _ => {
                cursor.skip();
            }
        }
    }
    (entry.at.is_some() && !entry.severity.is_empty()).then_some(entry)
}

/// Whether the line ends as an entry does: half lines do not.
#[inline]
pub(super) fn is_whole(line: &[u8]) -> bool {
    line.trim_ascii_end().last() == Some(&b'}')
}

/// A slow query's attributes; `None` when the line ends in the middle.
pub(super) fn slow<'a>(entry: &Entry<'a>, offset: u64) -> Option<Operation<'a>> {
    let mut found = Operation { at: entry.at, offset, ..Operation::default() };
    let mut cursor = Cursor::new(entry.attributes, Json);
    if !cursor.eat(b'{') {
        return None;
    }
    let mut timed = false;
    while let Some(key) = cursor.key() {
        if key == b"durationMillis" {
            found.micros = number(cursor.skip())?.saturating_mul(1000);
            timed = true;
        } else {
            attribute(&mut found, key, &mut cursor);
        }
    }
    // `truncated` and `size` stand behind the attributes.
    while let Some(key) = cursor.key() {
        let value = cursor.skip();
        if key == b"truncated" {
            let mut inner = Cursor::new(value, Json);
            inner.eat(b'{');
            while let Some(name) = inner.key() {
                found.cut |= matches!(name, b"command" | b"originatingCommand");
                inner.skip();
            }
        }
    }
    timed.then_some(found)
}

/// One attribute that log and profile have under the same name.
#[inline]
pub(super) fn attribute<'a>(found: &mut Operation<'a>, key: &[u8], cursor: &mut Cursor<'a, Json>) {
    match key {
        b"type" => found.kind = cursor.string(),
        b"ns" => found.namespace = cursor.string(),
        b"appName" => found.application = cursor.string(),
        b"remote" => found.remote = cursor.string(),
        b"command" => found.command = cursor.skip(),
        b"originatingCommand" => found.originating = cursor.skip(),
        b"planSummary" => found.plan_summary = cursor.string(),
        b"hasSortStage" => found.sorts = cursor.skip() == b"true",
        b"locks" => found.waited = waits::waited(cursor.skip(), Json),
        b"usedDisk" => found.spilled = matches!(cursor.skip(), b"true" | b"1"),
        b"keysExamined" => found.keys = super::cursor::number_of(cursor.skip()),
        b"docsExamined" => found.documents = super::cursor::number_of(cursor.skip()),
        b"nreturned" | b"ninserted" | b"ndeleted" | b"nMatched" => {
            found.returned = super::cursor::number_of(cursor.skip());
        }
        b"nUpserted" => found.upserted = super::cursor::number_of(cursor.skip()),
        b"errName" => found.error = cursor.string(),
        b"errCode" => found.error_code = cursor.skip(),
        b"errMsg" => found.message = cursor.string(),
        _ => {
            let value = cursor.skip();
            if waits::tells_spilled_bytes(key) {
                found.spill(super::cursor::number_of(value));
            }
        }
    }
}

/// `2026-11-22T19:46:23.199+00:00`, `…Z` and 4.2's `…+0000`, read in place.
#[inline]
pub(super) fn moment(text: &[u8]) -> Option<Timestamp> {
    let digit = |place: usize| {
        let digit = text.get(place)?.wrapping_sub(b'0');
        (digit < 10).then_some(i64::from(digit))
    };
    let two = |place: usize| Some(digit(place)? * 10 + digit(place + 1)?);
    if text.len() < 20 || text[4] != b'-' || text[10] != b'T' || text[13] != b':' {
        return None;
    }
    let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
    let seconds = two(11)? * 3600 + two(14)? * 60 + two(17)?;
    let mut zone = 19;
    let mut ms = 0;
    if text[19] == b'.' {
        ms = digit(20)? * 100 + digit(21)? * 10 + digit(22)?;
        zone = 23;
    }
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let offset = match text.get(zone..)? {
        [b'Z', ..] => 0,
        [sign @ (b'+' | b'-'), rest @ ..] if rest.len() >= 4 => {
            let colon = usize::from(rest[2] == b':');
            let minutes = two(zone + 1)? * 60 + two(zone + 3 + colon)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let civil = Timestamp::from_civil(year, month, day, seconds * 1000 + ms);
    Some(Timestamp(civil.0 - offset * 60_000))
}
