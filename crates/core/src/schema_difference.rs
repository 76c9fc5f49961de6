//! How two schemas differ, and the migrations that lead from one to the other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `marula migrate diff` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SchemaDifference {
    /// What the first schema was read from.
    pub from: String,
    /// What the second schema was read from.
    pub to: String,
    /// What becomes of which object.
    pub objects: Vec<ObjectDifference>,
    /// What is lost when the migrations run, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destroys: Vec<String>,
    /// What may only have changed its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likely_renames: Vec<LikelyRename>,
    /// The migrations, in the order in which they run; none when the schemas are the same.
    pub migrations: Vec<WrittenMigration>,
    /// What still differed after the replay in the lab; empty when the migrations are right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remains: Vec<String>,
    /// The lab server they were replayed on.
    pub replayed_on: String,
}

/// What becomes of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectDifference {
    /// `made`, `changed` or `dropped`.
    pub deed: ObjectDeed,
    /// Its kind and name: `column users.email`.
    pub object: String,
}

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ObjectDeed {
    /// It is new.
    Made,
    /// It stays, and is another.
    Changed,
    /// It goes.
    Dropped,
}

/// A drop beside which something much alike is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LikelyRename {
    /// Which object may have become which.
    pub what: String,
    /// The flag that says so: `--rename users.mail=users.email`.
    pub flag: String,
}

/// One migration that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WrittenMigration {
    /// Where it was written; absent when it is only shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Whether it has a way back.
    pub reversible: bool,
    /// Its text.
    pub text: String,
}
