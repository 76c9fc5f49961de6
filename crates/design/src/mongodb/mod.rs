//! MongoDB's half.

mod bucket;
mod held;
pub mod load;
mod review;
mod rules;
pub mod schema;
pub mod statement;
mod value;
pub mod write;

use marula_core::DocumentCatalog;

use crate::Rule;

pub use bucket::Append;
pub use held::Refill;
pub use review::review;
pub use schema::{SchemaOptions, schema};
pub use value::CopyRead;

/// Every rule on a MongoDB database.
pub fn rules() -> &'static [&'static Rule<DocumentCatalog>] {
    rules::RULES
}
