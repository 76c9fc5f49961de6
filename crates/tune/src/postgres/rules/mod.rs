//! One file per rule. A new rule is its file, and one line in [`ALL`].

use super::Context;
use crate::Rule;

/// Every rule.
pub(super) static ALL: &[&Rule<Context>] = &[];
