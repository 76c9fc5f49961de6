//! MongoDB's logs and profiles.

use crate::{Clue, Guess};

/// MongoDB's formats that make sense of a head.
pub(crate) fn detect(_: &Clue<'_>) -> Vec<Guess> {
    Vec::new()
}
