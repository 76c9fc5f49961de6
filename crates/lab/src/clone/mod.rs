//! Copies of what a statement touches, from a server that is only read to a lab server.

pub mod mongodb;
pub mod postgres;

use std::collections::BTreeSet;

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
