//! PostgreSQL's binary COPY format (documentation, "COPY", section "Binary Format").

use super::super::rows::Fields;

/// What every binary COPY begins with: signature, flags, length of an extension.
pub(super) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with: a row of -1 columns.
pub(super) const TRAILER: &[u8] = &(-1i16).to_be_bytes();

/// 2000-01-01 00:00:00 UTC, from which PostgreSQL counts, in milliseconds since 1970.
const EPOCH: i64 = 946_684_800_000;
const EPOCH_DAY: i64 = 10_957;
/// The OID of `text`.
const TEXT: i32 = 25;

/// Writes rows, column by column.
pub(super) struct Row<'a>(pub(super) &'a mut Vec<u8>);

impl Row<'_> {
    /// Begins a row of that many columns.
    pub(super) fn begin(&mut self, columns: i16) {
        self.0.extend_from_slice(&columns.to_be_bytes());
    }

    pub(super) fn null(&mut self) {
        self.0.extend_from_slice(&(-1i32).to_be_bytes());
    }

    fn fixed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, value: &str) {
        self.fixed(value.as_bytes());
    }

    pub(super) fn text_or_null(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.text(value),
            None => self.null(),
        }
    }

    pub(super) fn small(&mut self, value: i16) {
        self.fixed(&value.to_be_bytes());
    }

    pub(super) fn int(&mut self, value: i32) {
        self.fixed(&value.to_be_bytes());
    }

    pub(super) fn int_or_null(&mut self, value: Option<i32>) {
        match value {
            Some(value) => self.int(value),
            None => self.null(),
        }
    }

    pub(super) fn long(&mut self, value: i64) {
        self.fixed(&value.to_be_bytes());
    }

    pub(super) fn flag(&mut self, value: bool) {
        self.fixed(&[u8::from(value)]);
    }

    pub(super) fn uuid(&mut self, value: u128) {
        self.fixed(&value.to_be_bytes());
    }

    /// `date`, from days since 1970.
    pub(super) fn date_or_null(&mut self, days: Option<i64>) {
        self.int_or_null(days.map(|days| (days - EPOCH_DAY) as i32));
    }

    /// `timestamp` or `timestamptz`, from milliseconds since 1970.
    pub(super) fn time(&mut self, ms: i64) {
        self.long((ms - EPOCH) * 1000);
    }

    pub(super) fn time_or_null(&mut self, ms: Option<i64>) {
        match ms {
            Some(ms) => self.time(ms),
            None => self.null(),
        }
    }

    /// `numeric` with two decimals, from cents: digits to the base of 10,000.
    pub(super) fn money(&mut self, cents: i64) {
        let whole = cents.unsigned_abs() / 100;
        // The decimals are the first half of the digit after the point.
        let mut digits = [0u16; 7];
        let mut rest = whole;
        for digit in digits[..6].iter_mut().rev() {
            *digit = (rest % 10_000) as u16;
            rest /= 10_000;
        }
        digits[6] = (cents.unsigned_abs() % 100 * 100) as u16;
        let first = digits.iter().position(|digit| *digit != 0).unwrap_or(7);
        let end = digits.iter().rposition(|digit| *digit != 0).map_or(first, |last| last + 1);
        let weight = if first == 7 { 0 } else { 5 - first as i16 };
        let sign: u16 = if cents < 0 { 0x4000 } else { 0 };
        self.0.extend_from_slice(&(8 + 2 * (end - first) as i32).to_be_bytes());
        self.0.extend_from_slice(&((end - first) as i16).to_be_bytes());
        self.0.extend_from_slice(&weight.to_be_bytes());
        self.0.extend_from_slice(&sign.to_be_bytes());
        self.0.extend_from_slice(&2u16.to_be_bytes());
        for digit in &digits[first..end] {
            self.0.extend_from_slice(&digit.to_be_bytes());
        }
    }

    /// `text[]`.
    pub(super) fn texts(&mut self, values: &[&str]) {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        let dimensions = i32::from(!values.is_empty());
        for part in [dimensions, 0, TEXT] {
            self.0.extend_from_slice(&part.to_be_bytes());
        }
        if !values.is_empty() {
            self.0.extend_from_slice(&(values.len() as i32).to_be_bytes());
            self.0.extend_from_slice(&1i32.to_be_bytes());
            for value in values {
                self.text(value);
            }
        }
        self.close(start);
    }

    /// `jsonb`: a version byte and JSON as text.
    pub(super) fn json(&mut self, write: impl FnOnce(&mut Json<'_>)) {
        let start = self.0.len();
        self.0.extend_from_slice(&[0, 0, 0, 0, 1, b'{']);
        write(&mut Json(self.0));
        self.0.push(b'}');
        self.close(start);
    }

    /// Fills in the length of what was begun at `start`.
    fn close(&mut self, start: usize) {
        let length = (self.0.len() - start - 4) as i32;
        self.0[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

/// Writes the members of a JSON object.
pub(super) struct Json<'a>(&'a mut Vec<u8>);

impl Json<'_> {
    fn key(&mut self, key: &str) {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.string(key);
        self.0.push(b':');
    }

    /// The shop's texts hold no control characters.
    fn string(&mut self, value: &str) {
        self.0.push(b'"');
        for byte in value.bytes() {
            if matches!(byte, b'"' | b'\\') {
                self.0.push(b'\\');
            }
            self.0.push(byte);
        }
        self.0.push(b'"');
    }

    fn number(&mut self, value: u64) {
        let mut digits = [0u8; 20];
        let (mut at, mut rest) = (digits.len(), value);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.0.extend_from_slice(&digits[at..]);
    }

    fn sign(&mut self, value: i64) -> u64 {
        if value < 0 {
            self.0.push(b'-');
        }
        value.unsigned_abs()
    }
}

impl Fields for Json<'_> {
    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.string(value);
    }

    fn int(&mut self, key: &str, value: i32) {
        self.long(key, value.into());
    }

    fn long(&mut self, key: &str, value: i64) {
        self.key(key);
        let digits = self.sign(value);
        self.number(digits);
    }

    fn money(&mut self, key: &str, cents: i64) {
        self.key(key);
        let cents = self.sign(cents);
        self.number(cents / 100);
        self.0.push(b'.');
        self.0.extend_from_slice(&[b'0' + (cents / 10 % 10) as u8, b'0' + (cents % 10) as u8]);
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn texts(&mut self, key: &str, values: &[&str]) {
        self.key(key);
        self.0.push(b'[');
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                self.0.push(b',');
            }
            self.string(value);
        }
        self.0.push(b']');
    }

    fn open(&mut self, key: &str) {
        self.key(key);
        self.0.push(b'{');
    }

    fn close(&mut self) {
        self.0.push(b'}');
    }
}
