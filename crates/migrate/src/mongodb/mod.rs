//! MongoDB: files of commands, the collections they meet, and the rules.

pub mod apply;
pub mod context;
mod definition;
pub mod diff;
pub(crate) mod files;
pub mod fix;
mod form;
pub mod generate;
mod javascript;
pub mod lint;
mod places;
pub mod rehearse;
mod rules;
pub mod schema;
pub mod special;
pub mod validator;

pub use context::Context;
pub use schema::Schema;

use crate::rule::Rule;

/// Every rule of this engine.
pub fn rules() -> &'static [&'static Rule<Context>] {
    rules::RULES
}
