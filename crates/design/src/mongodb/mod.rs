//! MongoDB's half.

mod review;
mod rules;

use marula_core::DocumentCatalog;

use crate::Rule;

pub use review::review;

/// Every rule on a MongoDB database.
pub fn rules() -> &'static [&'static Rule<DocumentCatalog>] {
    rules::RULES
}
