use super::support::*;

/// Indexes larger than the data
pub static RULE: Check = rule(
    "indexes-outweigh-data",
    "Indexes larger than the data",
    Severity::Low,
    "The indexes take more space than the documents, uncompressed: they crowd the cache, and writes are \
     mostly index writes. Look for long texts and whole objects as keys, multikey indexes on long \
     arrays, and wildcard indexes.",
    "size and totalIndexSize of $collStats",
    &[
        bad(
            "a multikey index on long arrays",
            concat!(
                numbered!(
                    "tags",
                    "20000",
                    "t: {$map: {input: {$range: [0, 10]}, as: \"j\", in: {$mod: [{$add: [{$multiply: [\"$i\", 7919]}, {$multiply: [\"$$j\", 104729]}]}, 1000003]}}}"
                ),
                "db.tags.createIndex({t: 1})
db.tags.createIndex({t: -1})
db.tags.createIndex({t: 1, _id: 1})
db.tags.createIndex({t: -1, _id: 1})"
            ),
        ),
        good(
            "a small one",
            concat!(
                numbered!(
                    "tags",
                    "5000",
                    "note: {$reduce: {input: {$range: [0, 30]}, initialValue: \"\", in: {$concat: [\"$$value\", \"xxxxxxxxxx\"]}}}, n: \"$i\""
                ),
                "db.tags.createIndex({n: 1})"
            ),
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    collections(catalog)
        .filter(|collection| {
            collection.documents > 1000 && collection.index_bytes > collection.bytes
        })
        .map(|collection| {
            let name = &collection.name;
            let title = format!("the indexes of {name} are larger than its documents");
            let why = "They crowd the cache, and each write is mostly index writes. Prove which may go: \
                       marula tune TARGET";
            Draft::new(Severity::Low, name.clone(), title, why)
                .bytes("documents", collection.bytes as f64)
                .bytes("indexes", collection.index_bytes as f64)
        })
        .collect()
}
