//! Copies of what a statement touches, from a server that is only read to a lab server.

pub mod mongodb;
pub mod postgres;

use std::collections::BTreeSet;

use marula_core::Result;

use crate::room::Room;

/// How much may be copied.
#[derive(Debug, Clone)]
pub struct CloneLimits {
    /// All of the touched tables or collections are copied up to this many bytes; above it, a
    /// sample of about this size is.
    pub bytes: u64,
    /// Tables or collections copied at the same time.
    pub parallel: usize,
}

impl Default for CloneLimits {
    fn default() -> Self {
        CloneLimits { bytes: 2 << 30, parallel: 2 }
    }
}

/// How much of the rows or documents is copied.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Size {
    /// All, if not more than so many bytes.
    Limit(u64),
    /// This share of every table or collection that is not tiny.
    Share(f64),
}

impl Size {
    /// The same, or less when the disk has no room for it, out of `total` bytes.
    fn on_this_disk(self, total: u64, notes: &mut Vec<String>) -> Result<Self> {
        let Size::Limit(limit) = self else { return Ok(self) };
        let Some(room) = Room::look()? else { return Ok(self) };
        let (limit, note) = room.copy(total, limit)?;
        notes.extend(note);
        Ok(Size::Limit(limit))
    }
}

/// Two columns (or paths) a statement compares for equality: a sample keeps their rows together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// One side's relation (`schema.name`) or collection.
    pub left: String,
    /// One side's column or path.
    pub left_column: String,
    /// The other side's relation or collection.
    pub right: String,
    /// The other side's column or path.
    pub right_column: String,
}

/// The words of a statement: whatever may be a name in it, in its own and in lower case.
pub(crate) fn words(statement: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in statement.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')) {
        if !word.is_empty() && word.len() <= 64 {
            found.insert(word.to_lowercase());
            found.insert(word.to_owned());
        }
    }
    found
}
