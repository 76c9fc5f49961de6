//! PostgreSQL's half.

mod review;
mod rules;

use marula_core::RelationalCatalog;

use crate::Rule;

pub use review::review;

/// Every rule on a PostgreSQL database.
pub fn rules() -> &'static [&'static Rule<RelationalCatalog>] {
    rules::RULES
}
