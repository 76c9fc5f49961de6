use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Json, Version};

/// The collections of one MongoDB database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentCatalog {
    /// The server's version.
    pub version: Version,
    /// The database's name.
    pub database: String,
    /// Collections and views, by name.
    pub collections: Vec<Collection>,
    /// What could not be read and why, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl DocumentCatalog {
    /// The collection of that name.
    pub fn find(&self, name: &str) -> Option<&Collection> {
        self.collections.iter().find(|collection| collection.name == name)
    }
}

/// What sort of collection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CollectionKind {
    /// An ordinary collection.
    Collection,
    /// A view.
    View,
    /// A time-series collection.
    Timeseries,
}

/// One collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Collection {
    /// Its name, without the database.
    pub name: String,
    /// What sort it is.
    pub kind: CollectionKind,
    /// Options of `createCollection` (collation, capped, validator, viewOn …) as extended JSON.
    pub options: Json,
    /// Documents, from the collection's metadata.
    pub documents: u64,
    /// Uncompressed size, in bytes.
    pub bytes: u64,
    /// Size on disk without indexes, in bytes.
    pub storage_bytes: u64,
    /// All indexes, in bytes.
    pub index_bytes: u64,
    /// Average size of a document, in bytes.
    pub average_bytes: u64,
    /// Its indexes.
    pub indexes: Vec<DocumentIndex>,
    /// What its documents look like; `None` when nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<InferredSchema>,
}

/// One index of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentIndex {
    /// Its name.
    pub name: String,
    /// Paths with 1, −1, `"text"`, `"hashed"`, `"2dsphere"` …, in order.
    pub keys: Vec<(String, Json)>,
    /// Whether it forbids duplicates.
    pub unique: bool,
    /// Whether it leaves out documents without the path.
    pub sparse: bool,
    /// Whether the planner is kept from it.
    pub hidden: bool,
    /// The filter of a partial index, as extended JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<Json>,
    /// Seconds after which documents are removed, for a TTL index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_after_seconds: Option<f64>,
    /// Its collation, when it is not simple.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collation: Option<Json>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Uses since the server started; `None` when the user may not see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accesses: Option<u64>,
    /// The index's whole specification as extended JSON, as `listIndexes` gives it.
    pub specification: Json,
}

/// What sampled documents look like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InferredSchema {
    /// Documents looked at.
    pub sampled: u64,
    /// Whether that was all of them.
    pub complete: bool,
    /// The sizes of the documents, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_bytes: Option<Spread>,
    /// Fields by path; elements of an array have the path `items[]`, their fields `items[].sku`.
    pub fields: BTreeMap<String, FieldProfile>,
}

/// One field over the sampled documents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldProfile {
    /// Parents in which it could stand: documents, or array elements.
    pub parents: u64,
    /// Parents in which it stands, null or not.
    pub present: u64,
    /// How often each BSON type was seen, by the name `$type` takes; null is one of them.
    pub types: BTreeMap<String, u64>,
    /// Lengths, when it is an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array_length: Option<Spread>,
    /// Distinct scalar values seen; counting stops at 1,000.
    pub distinct: u64,
    /// The most frequent scalar values as extended JSON with their counts, at most ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub common_values: Vec<(Json, u64)>,
}

impl FieldProfile {
    /// Parents in which it does not stand at all.
    pub fn missing(&self) -> u64 {
        self.parents.saturating_sub(self.present)
    }

    /// Parents in which it stands as null.
    pub fn null(&self) -> u64 {
        self.types.get("null").copied().unwrap_or(0)
    }
}

/// How numbers are spread: the lengths of an array field, the sizes of documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// The least.
    pub min: u64,
    /// The median.
    pub median: u64,
    /// 99 of 100 are not more.
    pub p99: u64,
    /// The most.
    pub max: u64,
}
