use super::support::*;

/// One collection for each customer or month
pub static RULE: Check = rule(
    "collection-per-tenant",
    "One collection for each customer or month",
    Severity::High,
    "`orders_17`, `orders_18`, …: each collection and each of its indexes is a file of its own with its \
     part of the cache; from some thousands on the server starts slowly and checkpoints take long. One \
     collection with a field that says whose a document is, first in each index, serves the same \
     questions.",
    GUIDANCE,
    &[
        bad(
            "five customers",
            "db.orders_1.insertOne({a: 1})
db.orders_2.insertOne({a: 1})
db.orders_3.insertOne({a: 1})
db.orders_4.insertOne({a: 1})
db.orders_5.insertOne({a: 1})",
        ),
        good("one collection", "db.orders.insertMany([{tenant: 1, a: 1}, {tenant: 2, a: 1}])"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    let mut groups: Vec<(&str, Vec<&Collection>)> = Vec::new();
    for collection in collections(catalog) {
        let Some((stem, _)) = names::numbered(&collection.name) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == stem) {
            Some((_, members)) => members.push(collection),
            None => groups.push((stem, vec![collection])),
        }
    }
    groups
        .into_iter()
        .filter(|(_, members)| members.len() >= 5)
        .map(|(stem, members)| {
            let title = format!("{} collections {stem}… are one", members.len());
            let why = "Each is a file, and so is each of its indexes. Put them into one, with a field that \
                       says whose a document is, first in each index.";
            Draft::new(Severity::High, members[0].name.clone(), title, why)
                .number("collections", members.len() as f64)
                .number("documents", members.iter().map(|one| one.documents as f64).sum())
        })
        .collect()
}
