use super::support::*;

/// More than ten indexes on one collection
pub static RULE: Check = rule(
    "many-indexes",
    "More than ten indexes on one collection",
    Severity::Medium,
    "Each insert writes each index, each takes its part of the cache, the planner tries many of them \
     against each other, and 64 are the limit. See which are never used, and which begin like another: \
     `marula tune` with the workload proves which may go.",
    GUIDANCE,
    &[
        bad(
            "twelve",
            "db.t.insertMany([{_id: 1, a: 1}])
db.t.createIndexes([{a: 1}, {b: 1}, {c: 1}, {d: 1}, {e: 1}, {f: 1}, {g: 1}, {h: 1}, {i: 1}, {j: 1}, {k: 1}])",
        ),
        good("one", "db.t.insertMany([{_id: 1, a: 1}])\ndb.t.createIndex({a: 1})"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    collections(catalog)
        .filter(|collection| collection.indexes.len() > 10)
        .map(|collection| {
            let name = &collection.name;
            let unused =
                collection.indexes.iter().filter(|index| index.accesses == Some(0)).count();
            let title = format!("{name} has {} indexes", collection.indexes.len());
            let why = "Each insert writes all of them. Prove which may go: marula tune TARGET";
            Draft::new(Severity::Medium, name.clone(), title, why)
                .number("not used since the server started", unused as f64)
                .bytes("size of all", collection.index_bytes as f64)
        })
        .collect()
}
