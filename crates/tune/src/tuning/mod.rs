//! The neutral part of tuning a workload: what is asked, which statements take part, and the
//! search for the best set of changes, written once over what a set promises and
//! [`marula_lab::bench::Bench`] (what it really does).

mod options;
mod sample;

pub use options::{Stop, TuneOptions};
pub use sample::{Sampled, sample};
