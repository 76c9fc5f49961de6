//! Explain output of every server version, as the neutral tree.

use bson::Bson;
use marula_core::{Error, ErrorKind, Plan, Result};

use crate::Command;

/// A saved explain.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPlan {
    /// The plan.
    pub plan: Plan,
    /// The command that was explained, when the envelope has it (5.0 and newer, mostly).
    pub command: Option<Command>,
}

/// Reads a saved explain.
///
/// # Errors
/// `Syntax` for what is no explain.
pub fn parse(text: &str) -> Result<SavedPlan> {
    let _ = text;
    Err(Error::new(ErrorKind::Unsupported, "saved explains are not read yet"))
}

/// Reads an explain reply.
///
/// # Errors
/// As [`parse`].
pub fn from_document(reply: &bson::Document) -> Result<SavedPlan> {
    let _ = reply;
    Err(Error::new(ErrorKind::Unsupported, "explains are not read yet"))
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
