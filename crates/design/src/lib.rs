//! Schemas of both engines.
//!
//! [`postgres::review`] and [`mongodb::review`] read what a live database holds and ask every rule
//! whether that is a good design for it; what can be mended is mended on a copy in the lab, where
//! the same rule must then be content. The two halves, [`postgres`] and [`mongodb`], have the same
//! file names where they do the same job.
//!
//! [`postgres::schema`] and [`mongodb::schema`] write a model down for an engine, in a given
//! [`structure`].

pub mod choose;
mod draft;
pub mod figures;
pub mod infer;
mod looks;
pub mod model;
pub mod mongodb;
mod names;
pub mod postgres;
mod propose;
pub mod question;
mod report;
mod rule;
pub mod schema;
pub mod search;
pub mod structure;
pub mod synth;
pub mod trial;
pub mod work;

use std::sync::OnceLock;

use marula_core::RuleInfo;

pub use draft::{Draft, Fix};
pub use looks::Looks;
pub use propose::{ProposeOptions, propose};
pub use report::ReviewOptions;
pub use rule::Rule;

/// Every rule of both engines, PostgreSQL first.
pub fn rules() -> &'static [&'static RuleInfo] {
    static ALL: OnceLock<Vec<&'static RuleInfo>> = OnceLock::new();
    ALL.get_or_init(|| {
        let postgres = postgres::rules().iter().map(|rule| &rule.info);
        postgres.chain(mongodb::rules().iter().map(|rule| &rule.info)).collect()
    })
}
