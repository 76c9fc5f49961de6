//! Diagnose a query, advise indexes, rewrite queries, and prove each on the lab.
//!
//! The two halves, [`postgres`] and [`mongodb`], have the same file names where they do the same
//! job: `explain.rs` is the way through, `shape.rs` reads the statement, `candidates.rs` thinks
//! of indexes, `rules/` and `rewrites/` hold one file each. What both need is here.

mod collect;
mod failure;
pub mod mongodb;
mod options;
pub mod postgres;
mod prove;
mod rule;
pub mod tuning;

use std::sync::OnceLock;

pub use collect::{Collected, Draft, Proposal, collect};
use marula_core::RuleInfo;
pub use options::{ExplainOptions, ProveMode};
pub use rule::{Rule, check_all};
pub use tuning::{Stop, TuneOptions};

/// Every rule of both engines, PostgreSQL first, each half in the order of its own list.
pub fn rules() -> &'static [&'static RuleInfo] {
    static ALL: OnceLock<Vec<&'static RuleInfo>> = OnceLock::new();
    ALL.get_or_init(|| {
        let postgres = postgres::rules().iter().map(|rule| &rule.info);
        postgres.chain(mongodb::rules().iter().map(|rule| &rule.info)).collect()
    })
}
