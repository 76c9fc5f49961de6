//! Applying a migration that a human confirmed.

use marula_core::{Error, ErrorKind, Result};

use crate::plans::Plan;
use crate::tools::Call;
use crate::{Found, by_hand};

/// Runs it, and gives what ran and what to know.
pub(crate) async fn apply(_: &Call, plan: &Plan, _: &Found) -> Result<(Vec<String>, Vec<String>)> {
    Err(Error::new(ErrorKind::Unsupported, "migrations are applied from the command line")
        .hint(by_hand::hint(plan)))
}
