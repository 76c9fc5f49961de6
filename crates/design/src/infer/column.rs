use std::hash::Hasher;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

/// What a value was where it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Text; in CSV every value is one until all are known.
    Text,
    /// Yes or no.
    Boolean,
    /// A number.
    Number,
    /// A moment, of BSON or a database.
    Moment,
    /// MongoDB's own name of a document.
    ObjectId,
    /// A 128-bit name.
    Uuid,
    /// Bytes, in hexadecimal.
    Binary,
    /// A part that was not taken apart.
    Json,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::Moment => "moment",
            Kind::ObjectId => "ObjectId",
            Kind::Uuid => "uuid",
            Kind::Binary => "binary",
            Kind::Json => "object",
        }
    }
}

/// The different values of a column, each with a number from 1; 0 is no value at all.
#[derive(Debug, Default)]
pub struct Dictionary {
    text: String,
    ends: Vec<usize>,
    kinds: Vec<Kind>,
    first: FxHashMap<u64, u32>,
    next: Vec<u32>,
}

impl Dictionary {
    /// The number of a value, given out when it is new.
    pub fn code(&mut self, kind: Kind, text: &str) -> u32 {
        let hash = hash(kind, text);
        let mut at = self.first.get(&hash).copied().unwrap_or(0);
        while at != 0 {
            if self.get(at) == Some((kind, text)) {
                return at;
            }
            at = self.next.get(at as usize - 1).copied().unwrap_or(0);
        }
        self.text.push_str(text);
        self.ends.push(self.text.len());
        self.kinds.push(kind);
        let code = self.ends.len() as u32;
        self.next.push(self.first.insert(hash, code).unwrap_or(0));
        code
    }

    /// The number of a value that is there.
    pub fn find(&self, kind: Kind, text: &str) -> Option<u32> {
        let mut at = self.first.get(&hash(kind, text)).copied().unwrap_or(0);
        while at != 0 {
            if self.get(at) == Some((kind, text)) {
                return Some(at);
            }
            at = self.next.get(at as usize - 1).copied().unwrap_or(0);
        }
        None
    }

    /// The value of a number.
    pub fn get(&self, code: u32) -> Option<(Kind, &str)> {
        let at = (code as usize).checked_sub(1)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((*self.kinds.get(at)?, self.text.get(start..*self.ends.get(at)?)?))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them, in the order they were first seen.
    pub fn values(&self) -> impl Iterator<Item = (Kind, &str)> {
        (1..=self.len() as u32).filter_map(|code| self.get(code))
    }

    /// About the memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.len() * 40
    }
}

fn hash(kind: Kind, text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u8(kind as u8);
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// One column: for each row the number of its value.
#[derive(Debug, Clone)]
pub struct Column {
    /// What it is called.
    pub name: String,
    /// The path it was read from, in steps: `["customer", "id"]`.
    pub path: Vec<String>,
    /// For each row the value's number; 0 for none.
    pub codes: Vec<u32>,
    /// The values.
    pub dictionary: Arc<Dictionary>,
    /// In how many rows it stood, and was null.
    pub nulls: u64,
    /// In how many rows it did not stand.
    pub missing: u64,
}

impl Column {
    /// The text of a row's value.
    pub fn text(&self, row: usize) -> Option<&str> {
        self.dictionary.get(*self.codes.get(row)?).map(|(_, text)| text)
    }

    /// How many rows have each value, by its number; none at 0.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.dictionary.len() + 1];
        for code in &self.codes {
            if let Some(count) = counts.get_mut(*code as usize) {
                *count += 1;
            }
        }
        counts
    }
}

/// Rows of one shape: a file of rows, the roots of documents, or the elements of an array.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What it is called.
    pub name: String,
    /// Where it was read from: a file, a table, a collection.
    pub source: String,
    /// Its columns, all of them with as many rows.
    pub columns: Vec<Column>,
    /// How many rows it has.
    pub rows: usize,
    /// The line or number of each row in its source.
    pub places: Vec<u64>,
    /// The table whose rows' array its rows stand in, and for each row that row and its position.
    pub parent: Option<Parent>,
    /// A key somebody declared, by the names of its columns.
    pub declared_key: Vec<String>,
    /// Whether there are rows that were not read, or not kept.
    pub sampled: bool,
}

/// Where the rows of an array's elements stand.
#[derive(Debug, Clone, Default)]
pub struct Parent {
    /// The table's place in the list of tables.
    pub table: usize,
    /// For each row the row it belongs to.
    pub rows: Vec<u32>,
    /// For each row its position in the array, from 1.
    pub ordinals: Vec<u32>,
    /// What the array is called.
    pub array: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_number_and_a_number_one_value() {
        let mut values = Dictionary::default();
        assert_eq!(values.code(Kind::Text, "a"), 1);
        assert_eq!(values.code(Kind::Number, "1"), 2);
        assert_eq!(values.code(Kind::Text, "1"), 3);
        assert_eq!(values.code(Kind::Text, ""), 4);
        assert_eq!(values.code(Kind::Number, "1"), 2);
        assert_eq!(values.get(4), Some((Kind::Text, "")));
        assert_eq!(values.get(3), Some((Kind::Text, "1")));
        assert_eq!((values.get(0), values.get(5)), (None, None));
        assert_eq!(values.find(Kind::Text, "1"), Some(3));
        assert_eq!(values.find(Kind::Text, "b"), None);
    }
}
