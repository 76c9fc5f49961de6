//! Explain output of every server version since 4.2, as the neutral tree.
//!
//! The tree is read from the top: the root gives the result, leaves read collections and
//! indexes. Stages of a pipeline that the query planner did not absorb are stacked on the
//! cursor's tree, the last stage on top. Every node's `native` is the server's own object
//! without its inputs; with the slot-based engine it is the `queryPlan` node, with the counts of
//! its execution stages under the classic engine's names (`nReturned`, `docsExamined`,
//! `keysExamined`, `executionTimeMillisEstimate`, `usedDisk` …). The root of each cursor's tree
//! also carries `queryPlanner`: the planner's object without its plans.

mod envelope;
mod node;
mod slots;
mod stages;
mod summary;
mod text;

pub use node::short;

use bson::{Bson, Document};
use marula_core::{Plan, Result};

use crate::Command;

/// A saved explain.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPlan {
    /// The plan.
    pub plan: Plan,
    /// The command that was explained, when the envelope has it: 5.0 and newer write it down,
    /// and pasted shell output often begins with it.
    pub command: Option<Command>,
}

/// Reads a saved explain: JSON, extended JSON, or what a shell printed, with or without its
/// prompts.
///
/// # Errors
/// `Syntax` for text that is cut off or no explain, `Unsupported` for another tool's plan.
pub fn parse(text: &str) -> Result<SavedPlan> {
    let (value, typed) = text::read(text)?;
    let mut saved = envelope::read(value)?;
    if saved.command.is_none() {
        saved.command = typed;
    }
    Ok(saved)
}

/// Reads a server's reply to `explain`.
///
/// # Errors
/// As [`parse`].
pub fn from_document(reply: Document) -> Result<SavedPlan> {
    envelope::read(Bson::Document(reply).into_relaxed_extjson())
}

/// A whole number, whatever BSON type it has.
pub(crate) fn number(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        Bson::Double(number) if number.is_finite() => Some(*number as i64),
        _ => None,
    }
}
