//! Migrations of both engines: read in everybody's format, linted, made safe.
//!
//! [`files`] reads a file or a folder into [`Migration`]s, whichever tool they were written for;
//! [`lint`] follows their statements with a small state of the schema and asks every rule. The two
//! halves, [`postgres`] and [`mongodb`], have the same file names where they do the same job.

pub mod apply;
pub mod files;
mod ignore;
mod lag;
pub mod lint;
mod migration;
pub mod mongodb;
pub mod postgres;
pub mod rehearse;
mod rule;
mod secrets;

use std::sync::OnceLock;

use marula_core::RuleInfo;

pub use migration::{Backfill, Migration, MigrationKind, Options, Step, StepKind, Tool};
pub use rehearse::RehearseOptions;
pub use rule::{Draft, Meets, Rule, Size};

/// Every rule of both engines, PostgreSQL first, each half in the order of its numbers.
pub fn rules() -> &'static [&'static RuleInfo] {
    static ALL: OnceLock<Vec<&'static RuleInfo>> = OnceLock::new();
    ALL.get_or_init(|| {
        let postgres = postgres::rules().iter().map(|rule| &rule.info);
        postgres.chain(mongodb::rules().iter().map(|rule| &rule.info)).collect()
    })
}
