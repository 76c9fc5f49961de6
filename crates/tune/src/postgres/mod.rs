//! Why a PostgreSQL query is slow, and what to do about it.

mod context;
mod rules;

pub use context::Context;

use crate::Rule;

/// The rules of PostgreSQL, in the order of their pages.
pub fn rules() -> &'static [&'static Rule<Context>] {
    rules::ALL
}
