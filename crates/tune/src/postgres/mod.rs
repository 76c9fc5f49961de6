//! Why a PostgreSQL query is slow, and what to do about it.

mod candidates;
mod context;
mod cost;
mod decline;
mod explain;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fixture;
mod order;
mod prove;
mod rewrites;
mod rules;
mod tune;
mod what_if;

use marula_postgres::access::{ast, shape};

pub use candidates::{Candidate, CandidateKey, Purpose, candidates};
pub use context::{At, Context};
pub use explain::{diagnose_saved, explain, explain_saved};
pub use rewrites::{Rewritten, Session as SessionFacts, rewrites};
pub use shape::{Block, Key, Operator, Predicate, Shape, SortKey, Use, Value};
pub use tune::tune;

use rewrites::is_known_function;

use crate::Rule;

/// The rules of PostgreSQL, in the order of their pages.
pub fn rules() -> &'static [&'static Rule<Context>] {
    rules::RULES
}
