use marula_core::{Error, ErrorKind, Result};

use super::{SavedPlan, unwrap};

/// Reads a plan in text form.
///
/// # Errors
/// As [`super::parse`].
pub fn parse_text(text: &str) -> Result<SavedPlan> {
    parse_bare(unwrap::unwrap(text).trim())
}

pub(super) fn parse_bare(_text: &str) -> Result<SavedPlan> {
    Err(Error::new(ErrorKind::Unsupported, "plans in text form are not read yet")
        .hint(super::HOW_TO_SAVE))
}
