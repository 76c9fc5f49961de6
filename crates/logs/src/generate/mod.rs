//! Logs made up for tests and benchmarks, with the truth about them beside: what a digest of one
//! must say, counted while it is written. The same seed gives the same log.

pub mod mongodb;
pub mod postgres;
mod random;
mod truth;

pub use random::Random;
pub use truth::{StatementTruth, Truth};
