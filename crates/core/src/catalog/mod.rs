//! What a target holds. The two engines' catalogues are two types: a relation is not a
//! collection, and nothing is gained by pretending.

mod document;
mod relational;

pub use document::*;
pub use relational::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a target holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "engine", rename_all = "lowercase")]
pub enum Catalog {
    /// Relations of a PostgreSQL database.
    Postgres(RelationalCatalog),
    /// Collections of a MongoDB database.
    Mongodb(DocumentCatalog),
}
