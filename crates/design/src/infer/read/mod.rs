//! Reading data of any form into columns: what is broken is named with its place and set aside,
//! the rest is used.

mod bson;
mod builder;
mod csv;
mod database;
mod document;
mod input;
mod json;
mod records;
mod sniff;

use serde::Serialize;

use super::column::Table;

pub use builder::Shredder;
pub use database::{mongodb, postgres};
pub use input::{file, stream_of};

/// How much is read and kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most rows of one source that are kept.
    pub rows: u64,
    /// The most memory for what is kept, in bytes, of one source.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { rows: 500_000, bytes: 1 << 30 }
    }
}

/// What form data has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// One JSON array of documents, or documents one after another.
    Json,
    /// A JSON document on each line.
    JsonLines,
    /// BSON documents, as mongodump writes them.
    Bson,
    /// Rows of fields with a delimiter.
    Csv,
    /// A table or view of PostgreSQL.
    Postgres,
    /// A collection of MongoDB.
    Mongodb,
}

impl Form {
    /// What its places are counted in.
    pub fn place(self) -> &'static str {
        match self {
            Form::Json | Form::JsonLines | Form::Csv => "line",
            Form::Bson | Form::Mongodb => "document",
            Form::Postgres => "row",
        }
    }
}

/// What was read of one source, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceRead {
    /// The file, table or collection.
    pub name: String,
    /// Its form.
    pub form: Form,
    /// Rows or documents that were read.
    pub read: u64,
    /// Those of them that are used.
    pub kept: u64,
    /// Those that are broken; each is among `trouble`, or counted there.
    pub set_aside: u64,
    /// Those that are sound, but beyond the bounds of rows and memory.
    pub beyond: u64,
    /// Rows or documents there are in all, where that is known and more than were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// What is known of how they were read: delimiter, header, sample.
    pub how: String,
    /// What was wrong.
    pub trouble: Vec<Trouble>,
}

impl SourceRead {
    pub(super) fn new(name: &str, form: Form) -> Self {
        SourceRead {
            name: name.into(),
            form,
            read: 0,
            kept: 0,
            set_aside: 0,
            beyond: 0,
            of: None,
            how: String::new(),
            trouble: Vec::new(),
        }
    }

    /// Something wrong at a line; one of a kind is told with its first places, and counted.
    pub(super) fn trouble(&mut self, what: What, line: u64, detail: impl Into<String>) {
        match self.trouble.iter_mut().find(|known| known.what == what) {
            Some(known) => {
                known.count += 1;
                if known.places.len() < PLACES {
                    known.places.push((line, detail.into()));
                }
            }
            None => {
                let places = vec![(line, detail.into())];
                self.trouble.push(Trouble { what, count: 1, places });
            }
        }
    }
}

/// So many places of one kind of trouble are told.
const PLACES: usize = 5;

/// One kind of trouble with a source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trouble {
    /// What it is.
    pub what: What,
    /// How often.
    pub count: u64,
    /// The first places: the line, or the number of the document, and what was there.
    pub places: Vec<(u64, String)>,
}

/// What can be wrong with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A document that ends before its end.
    CutOff,
    /// A document that is not JSON, or not BSON.
    Malformed,
    /// A row with too few or too many fields.
    Ragged,
    /// Bytes that are not text.
    NotUtf8,
    /// A field that stands twice in one document.
    DuplicateField,
    /// A name that stands twice in the header.
    DuplicateName,
    /// Parts below what is taken apart; kept as they are.
    TooDeep,
    /// More fields than are told apart; kept as they are.
    TooManyFields,
    /// A record that is too long to be held.
    TooLong,
    /// A document that is no object.
    NoObject,
    /// Nothing in it.
    Empty,
    /// Values of different types in one place.
    MixedTypes,
    /// Characters that no text of PostgreSQL holds.
    Replaced,
    /// Numbers that no double holds.
    BeyondDouble,
    /// A row whose key another has.
    DuplicateKey,
}

impl What {
    /// The rule's name in findings.
    pub fn id(self) -> &'static str {
        match self {
            What::CutOff => "data-cut-off",
            What::Malformed => "data-malformed",
            What::Ragged => "data-ragged-row",
            What::NotUtf8 => "data-not-utf8",
            What::DuplicateField => "data-duplicate-field",
            What::DuplicateName => "data-duplicate-name",
            What::TooDeep => "data-too-deep",
            What::TooManyFields => "data-too-many-fields",
            What::TooLong => "data-too-long",
            What::NoObject => "data-no-object",
            What::Empty => "data-empty",
            What::MixedTypes => "data-mixed-types",
            What::Replaced => "data-replaced",
            What::BeyondDouble => "data-beyond-double",
            What::DuplicateKey => "data-duplicate-key",
        }
    }

    /// Whether the row it is about is not used.
    pub fn sets_aside(self) -> bool {
        matches!(
            self,
            What::CutOff
                | What::Malformed
                | What::Ragged
                | What::NotUtf8
                | What::TooLong
                | What::NoObject
                | What::DuplicateKey
        )
    }

    /// The word for it, and what became of it.
    pub fn words(self) -> &'static str {
        match self {
            What::CutOff => "cut off before the end: set aside",
            What::Malformed => "not well formed: set aside",
            What::Ragged => "with another number of fields than the header: set aside",
            What::NotUtf8 => "not UTF-8: set aside",
            What::DuplicateField => "with a field that stands twice: the last one counts",
            What::DuplicateName => "with a name that stands twice: both columns are kept",
            What::TooDeep => "nested too deep: what is below is kept as JSON",
            What::TooManyFields => "with more fields than are told apart: kept as JSON",
            What::TooLong => "too long to be held: set aside",
            What::NoObject => "not an object: set aside",
            What::Empty => "empty",
            What::MixedTypes => "with values of different types in one place: kept as text",
            What::Replaced => {
                "with characters that no text of PostgreSQL holds: \u{FFFD} stands in their place"
            }
            What::BeyondDouble => {
                "with numbers beyond what a double holds: kept as decimal numbers, exactly"
            }
            What::DuplicateKey => "with a key that stands before: set aside",
        }
    }
}

/// What was read: its tables, and how that went.
#[derive(Debug)]
pub struct Read {
    /// The roots first, then the elements of their arrays.
    pub tables: Vec<Table>,
    /// How reading went.
    pub source: SourceRead,
}
