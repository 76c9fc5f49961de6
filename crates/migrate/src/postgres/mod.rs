//! PostgreSQL: SQL files, the schema they meet, and the rules.

pub mod apply;
mod blocks;
pub mod classify;
pub mod context;
pub mod diff;
pub(crate) mod files;
pub mod fix;
pub mod generate;
pub mod lint;
pub mod lock;
pub mod long;
pub mod rehearse;
mod rules;
pub mod schema;
mod state;
mod transaction;
pub mod types;
mod written;

pub use context::Context;
pub use lock::Lock;
pub use schema::Schema;

use crate::rule::Rule;

/// The columns an expression reads.
pub(crate) fn state_columns(expression: &pg_query::protobuf::Node) -> Vec<String> {
    state::column_names(expression)
}

/// Every rule of this engine.
pub fn rules() -> &'static [&'static Rule<Context>] {
    rules::RULES
}
