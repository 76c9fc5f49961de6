//! PostgreSQL's half.

mod bound;
pub mod load;
mod review;
mod rules;
pub mod schema;
pub mod statement;

use marula_core::RelationalCatalog;

use crate::Rule;

pub mod write;

pub use review::review;
pub use schema::{SchemaOptions, schema};

/// Every rule on a PostgreSQL database.
pub fn rules() -> &'static [&'static Rule<RelationalCatalog>] {
    rules::RULES
}
