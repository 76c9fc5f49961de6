//! Which collections and tables a statement reads.

use std::collections::BTreeSet;

use marula_core::{Engine, ObjectDigest};

/// The most that are told.
const TOLD: usize = 200;

/// What a statement reads of its users' own: nothing for one that writes, and nothing that a
/// server keeps for itself.
pub(crate) fn read_by<'a>(
    engine: Engine,
    operation: &str,
    objects: &'a [String],
) -> BTreeSet<&'a str> {
    let reads = match engine {
        Engine::Postgres => operation.eq_ignore_ascii_case("select"),
        Engine::Mongodb => matches!(operation, "find" | "aggregate" | "count" | "distinct"),
    };
    let own = |name: &&str| match engine {
        Engine::Postgres => !(name.starts_with("pg_") || name.starts_with("information_schema.")),
        Engine::Mongodb => is_own(name),
    };
    objects.iter().filter(|_| reads).map(String::as_str).filter(own).collect()
}

/// Whether `database.collection` is its users' own.
pub(crate) fn is_own(namespace: &str) -> bool {
    let Some((database, collection)) = namespace.split_once('.') else { return false };
    !(matches!(database, "admin" | "config" | "local")
        || collection.starts_with("system.")
        || collection.contains('$'))
}

/// The slowest on average first.
pub(crate) fn in_order(objects: impl Iterator<Item = ObjectDigest>) -> Vec<ObjectDigest> {
    let mut objects: Vec<_> = objects.collect();
    objects.sort_by(|a, b| {
        b.load.mean_ms.total_cmp(&a.load.mean_ms).then_with(|| a.name.cmp(&b.name))
    });
    objects.truncate(TOLD);
    objects
}
