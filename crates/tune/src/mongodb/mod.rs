//! Why a MongoDB query is slow, and what to do about it.
//!
//! `explain.rs` is the way through. `shape.rs` (over `predicate.rs` and `pipeline.rs`) says what
//! a command asks of each collection, `candidates.rs` thinks of indexes for it, `rules/` read the
//! plan, `rewrites/` write the pipeline another way.

mod candidates;
mod context;
mod explain;
mod implies;
mod index;
mod order;
mod prove;
mod rewrites;
#[cfg(test)]
mod robust;
mod rules;
mod tune;
mod view;

// What commands ask of collections; the rules and rewrites here speak of it as their own.
use marula_mongodb::access::{pipeline, predicate, shape};

pub use context::Context;
pub use explain::{explain, explain_saved};
pub use tune::tune;

use crate::Rule;

/// The rules of MongoDB.
pub fn rules() -> &'static [&'static Rule<Context>] {
    rules::ALL
}
