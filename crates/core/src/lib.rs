//! The vocabulary every capability shares: no driver, no terminal, no clock.
//!
//! A question flows through these types in this order: a [`Target`] is opened, a
//! [`Statement`] is planned into a [`Plan`], rules read the plan and the [`Catalog`] and give
//! [`Finding`]s with [`Change`]s, the lab measures each change into a [`Proof`], and the whole
//! goes out as a [`Report`].

mod applied;
mod catalog;
mod change;
mod comparison;
mod designs;
mod digest;
mod engine;
mod error;
mod failure;
mod finding;
mod migration;
pub mod model;
mod number;
mod plan;
mod progress;
mod proof;
mod rehearsal;
mod report;
mod rule;
mod schema_difference;
mod statement;
mod target;
mod timestamp;
mod tuning;
mod workload;

pub use applied::*;
pub use catalog::*;
pub use change::*;
pub use comparison::*;
pub use designs::*;
pub use digest::*;
pub use engine::*;
pub use error::*;
pub use failure::*;
pub use finding::*;
pub use migration::*;
pub use number::*;
pub use plan::*;
pub use progress::*;
pub use proof::*;
pub use rehearsal::*;
pub use report::*;
pub use rule::*;
pub use schema_difference::*;
pub use statement::*;
pub use target::*;
pub use timestamp::*;
pub use tuning::*;
pub use workload::*;

/// JSON objects that belong to an engine, carried as they are.
pub type Json = serde_json::Value;
