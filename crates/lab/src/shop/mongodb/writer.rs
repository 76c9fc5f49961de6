//! Writes BSON (bsonspec.org, version 1.1) straight into a buffer: no tree of values between.

use super::super::calendar::DAY;
use super::super::rows::Fields;

/// Decimal128's exponent for two decimals, biased, where it stands in the upper half.
const TWO_DECIMALS: u64 = (6176 - 2) << 49;

/// A document being written; documents and arrays may be open inside it.
pub(super) struct Bson {
    bytes: Vec<u8>,
    /// Where the open documents begin.
    open: Vec<usize>,
}

impl Bson {
    /// A document with nothing in it.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(&[0; 4]);
        Bson { bytes, open: vec![0] }
    }

    /// Ends the document and gives its bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        self.bytes
    }

    fn key(&mut self, kind: u8, key: &str) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.push(0);
    }

    fn begin(&mut self, kind: u8, key: &str) {
        self.key(kind, key);
        self.open.push(self.bytes.len());
        self.bytes.extend_from_slice(&[0; 4]);
    }

    /// Begins an array.
    pub(super) fn array(&mut self, key: &str) {
        self.begin(4, key);
    }

    /// Begins the array's document in that place.
    pub(super) fn element(&mut self, place: usize) {
        let mut digits = [0u8; 20];
        let (mut at, mut rest) = (digits.len(), place);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.bytes.push(3);
        self.bytes.extend_from_slice(&digits[at..]);
        self.bytes.push(0);
        self.open.push(self.bytes.len());
        self.bytes.extend_from_slice(&[0; 4]);
    }

    pub(super) fn null(&mut self, key: &str) {
        self.key(10, key);
    }

    /// A Date, from milliseconds since 1970.
    pub(super) fn time(&mut self, key: &str, ms: i64) {
        self.key(9, key);
        self.bytes.extend_from_slice(&ms.to_le_bytes());
    }

    pub(super) fn time_or_null(&mut self, key: &str, ms: Option<i64>) {
        match ms {
            Some(ms) => self.time(key, ms),
            None => self.null(key),
        }
    }

    /// A Date at midnight UTC, from days since 1970.
    pub(super) fn date(&mut self, key: &str, days: i64) {
        self.time(key, days * DAY);
    }

    /// A UUID: Binary of subtype 4.
    pub(super) fn uuid(&mut self, key: &str, value: u128) {
        self.key(5, key);
        self.bytes.extend_from_slice(&16i32.to_le_bytes());
        self.bytes.push(4);
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }
}

impl Fields for Bson {
    fn text(&mut self, key: &str, value: &str) {
        self.key(2, key);
        self.bytes.extend_from_slice(&(value.len() as i32 + 1).to_le_bytes());
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(0);
    }

    fn int(&mut self, key: &str, value: i32) {
        self.key(16, key);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn long(&mut self, key: &str, value: i64) {
        self.key(18, key);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Decimal128 in its binary form: sign, exponent, coefficient.
    fn money(&mut self, key: &str, cents: i64) {
        self.key(19, key);
        let sign = if cents < 0 { 1 << 63 } else { 0 };
        self.bytes.extend_from_slice(&cents.unsigned_abs().to_le_bytes());
        self.bytes.extend_from_slice(&(sign | TWO_DECIMALS).to_le_bytes());
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.key(8, key);
        self.bytes.push(u8::from(value));
    }

    fn texts(&mut self, key: &str, values: &[&str]) {
        self.array(key);
        for (place, value) in values.iter().enumerate() {
            let digit = [b'0' + (place % 10) as u8];
            // Lists of the shop have fewer than ten members.
            self.text(std::str::from_utf8(&digit).unwrap_or("0"), value);
        }
        self.close();
    }

    fn open(&mut self, key: &str) {
        self.begin(3, key);
    }

    fn close(&mut self) {
        self.bytes.push(0);
        if let Some(start) = self.open.pop() {
            let length = (self.bytes.len() - start) as i32;
            self.bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_the_bson_library_reads() {
        let mut out = Bson::with_capacity(64);
        out.int("_id", -7);
        out.long("big", 1 << 40);
        out.money("price", -12_305);
        out.money("free", 0);
        out.flag("yes", true);
        out.null("phone");
        out.date("born", -1);
        out.uuid("session", 0x0011_2233_4455_4677_8899_aabb_ccdd_eeff);
        out.texts("tags", &["a", "ß"]);
        out.array("items");
        for place in 0..11 {
            out.element(place);
            out.int("n", place as i32);
            out.close();
        }
        out.close();
        out.open("deep");
        out.text("er", "");
        let bytes = out.finish();
        let document = bson::Document::from_reader(bytes.as_slice()).unwrap();
        assert_eq!(bson::serialize_to_vec(&document).unwrap(), bytes);
        let shown = bson::Bson::Document(document).into_relaxed_extjson().to_string();
        for part in [
            r#""_id":-7,"big":1099511627776,"price":{"$numberDecimal":"-123.05"}"#,
            r#""free":{"$numberDecimal":"0.00"},"yes":true,"phone":null"#,
            r#""tags":["a","ß"]"#,
            r#"{"n":10}],"deep":{"er":""}}"#,
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
}
