//! Plans as PostgreSQL prints them, read into the neutral tree: JSON and text, bare or as psql,
//! pgAdmin and `auto_explain` wrap them.

mod details;
mod document;
mod foreign;
mod json;
mod label;
mod lines;
mod node_line;
mod properties;
mod text;
mod timing;
mod tree;
mod unwrap;

pub use json::parse_json;
pub use label::label;
pub use text::parse_text;

pub(crate) use document::from_document;

use marula_core::{Error, ErrorKind, Plan, Result};

/// A plan somebody saved.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPlan {
    /// The plan.
    pub plan: Plan,
    /// The statement, when the file holds it (`auto_explain` writes it).
    pub statement: Option<String>,
}

/// Levels a plan may have.
pub(crate) const MAX_LEVELS: usize = 500;

/// Reads a saved plan, JSON or text; which, it finds out.
///
/// # Errors
/// `Syntax` when it is cut off or no plan, with the place marked; `Unsupported` when it is a
/// plan of another tool or in XML or YAML, which is named.
pub fn parse(text: &str) -> Result<SavedPlan> {
    let bare = unwrap::unwrap(text);
    let bare = bare.trim();
    if bare.is_empty() {
        return Err(Error::new(ErrorKind::Syntax, "the plan is empty").hint(HOW_TO_SAVE));
    }
    if bare.starts_with('[') || bare.starts_with('{') {
        return json::parse_bare(bare);
    }
    // The frame a tool draws may be what tells it.
    foreign::named(text)?;
    foreign::named(bare)?;
    text::parse_bare(bare)
}

/// What to do when a file is no plan.
pub(crate) const HOW_TO_SAVE: &str =
    "save it with: psql -XAtc 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT …' > plan.json";
