//! PostgreSQL's half.

pub mod load;
mod review;
mod rules;
pub mod statement;

use marula_core::RelationalCatalog;

use crate::Rule;

pub mod write;

pub use review::review;

/// Every rule on a PostgreSQL database.
pub fn rules() -> &'static [&'static Rule<RelationalCatalog>] {
    rules::RULES
}
