//! PostgreSQL's logs.
//!
//! Every format gives [`entry::Entry`]s to the [`interpret::Interpreter`], which makes runs,
//! errors and events of them. Messages are understood in English only.

mod entry;
mod interpret;
mod json;
mod messages;
mod parameters;
mod plans;
mod prefix;
mod sessions;
mod stderr;
mod text;
mod time;

use std::sync::Arc;

use marula_core::Result;

use crate::{Clue, Format, Guess};

pub(crate) use parameters::parameters;

/// Checks a `log_line_prefix`.
///
/// # Errors
/// `Usage` when it holds an escape that does not exist.
pub(crate) fn check_prefix(text: &str) -> Result<()> {
    prefix::Prefix::parse(text).map(|_| ())
}

/// PostgreSQL's formats that make sense of a head.
pub(crate) fn detect(clue: &Clue<'_>) -> Vec<Guess> {
    let mut guesses = Vec::new();
    let mut guess = |format: Arc<dyn Format>, share| guesses.push(Guess { format, share });
    if let Some(prefix) = clue.prefix.and_then(|text| prefix::Prefix::parse(text).ok()) {
        let share = prefix::share_of(&prefix, clue.head);
        guess(Arc::new(stderr::Stderr::new(prefix)), share);
    } else if let Some((prefix, share)) = prefix::infer(clue.head) {
        guess(Arc::new(stderr::Stderr::new(prefix)), share);
    }
    guesses
}
