//! SQL as a tree: parsing, walking over all nodes, writing back, names and quoting.
//!
//! libpg_query redirects the process's stderr while it parses and recurses as deep as the
//! statement nests. So every call goes through this module, which lets in one at a time, on a
//! thread with a stack made to the statement's measure.

mod children;
mod nesting;
mod parser;
mod place;
mod quote;
mod relations;
mod walk;

pub use parser::{deparse, parse, parse_all, tokens};
pub use quote::{quote_ident, quote_literal, quote_qualified};
pub use relations::{RelationRef, relations_of};
pub(crate) use walk::walk_all;
pub use walk::{UnknownNode, walk};

use std::sync::Arc;

use marula_core::{Fingerprint, Marked};
use pg_query::protobuf as pb;

/// A node of a parse tree.
pub use pg_query::NodeEnum as Node;

/// One statement, parsed. Cheap to clone.
#[derive(Clone)]
pub struct ParsedStatement {
    text: Arc<str>,
    tree: Arc<parser::DeepTree>,
    fingerprint: Fingerprint,
    parameters: usize,
    stripped_explain: bool,
}

impl std::fmt::Debug for ParsedStatement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ParsedStatement").field(&self.text).finish()
    }
}

impl ParsedStatement {
    /// The statement's text: without a closing semicolon, and without the `EXPLAIN (…)` that
    /// stood before it when [`crate::guard::check`] made it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parse tree; exactly one statement is in it. Locations are bytes in [`Self::text`].
    pub fn tree(&self) -> &pb::ParseResult {
        &self.tree
    }

    /// The statement's node.
    pub fn root(&self) -> Option<&pg_query::NodeEnum> {
        self.tree.stmts.first()?.stmt.as_ref()?.node.as_ref()
    }

    /// The statement, when it is a SELECT, VALUES or TABLE (with or without WITH).
    pub fn select(&self) -> Option<&pb::SelectStmt> {
        match self.root()? {
            pg_query::NodeEnum::SelectStmt(select) => Some(select),
            _ => None,
        }
    }

    /// The shape's name: the same over literals, aliases and layout.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The relations it names (not its WITH queries), each once, as written.
    pub fn relations(&self) -> Vec<RelationRef> {
        self.root().map(|root| relations_of(root.to_ref())).unwrap_or_default()
    }

    /// The highest `$n`.
    pub fn parameter_count(&self) -> usize {
        self.parameters
    }

    /// Whether an `EXPLAIN` in front was taken off.
    pub fn stripped_explain(&self) -> bool {
        self.stripped_explain
    }

    /// A place in this statement for an error, from a node's location (bytes): the word there.
    pub fn mark(&self, location: i32) -> Option<Marked> {
        place::word_at(&self.text, usize::try_from(location).ok()?)
    }

    pub(crate) fn with_stripped_explain(mut self) -> Self {
        self.stripped_explain = true;
        self
    }
}

/// A mark on the word that begins at `start` (bytes) of a query.
pub(crate) fn mark_word(text: &str, start: usize) -> Marked {
    place::word_at(text, start).unwrap_or_else(|| place::marked(text, start, start))
}
