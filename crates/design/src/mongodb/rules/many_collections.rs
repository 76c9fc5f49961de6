use super::support::*;

/// Very many collections
pub static RULE: Check = rule(
    "many-collections",
    "Very many collections",
    Severity::Medium,
    "Each collection and index is an open file with its part of the cache; a replica set should not hold \
     more than 10,000 of them, and a database of more than 1,000 is on its way there.",
    "MongoDB's anti-pattern: massive number of collections",
    &[good("two", "db.a.insertOne({a: 1})\ndb.b.insertOne({a: 1})")],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    let count = collections(catalog).count();
    let files: usize = collections(catalog).map(|one| 1 + one.indexes.len()).sum();
    if count <= 1000 {
        return Vec::new();
    }
    let title = format!("{} holds {count} collections", catalog.database);
    let why = "Each of them and each index is an open file. Put alike ones together.";
    vec![
        Draft::new(Severity::Medium, catalog.database.clone(), title, why)
            .number("files", files as f64),
    ]
}
