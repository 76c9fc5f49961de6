use super::support::*;

/// A reference no index serves
pub static RULE: Check = rule(
    "reference-without-index",
    "A reference no index serves",
    Severity::Medium,
    "`customer_id` beside a collection `customers`: \"all orders of this customer\", a `$lookup` the other \
     way round, and the check before a customer is removed each read the whole collection. Build an \
     index that begins with it.",
    "a $lookup without an index reads the foreign collection once a document",
    &[
        bad(
            "none",
            "db.customers.insertMany([{_id: 1}, {_id: 2}])
db.orders.insertMany([{_id: 1, customer_id: 1}, {_id: 2, customer_id: 2}])",
        ),
        good(
            "one that begins with it",
            "db.customers.insertMany([{_id: 1}, {_id: 2}])
db.orders.insertMany([{_id: 1, customer_id: 1}, {_id: 2, customer_id: 2}])
db.orders.createIndex({customer_id: 1, at: -1})",
        ),
        good(
            "one of those that have it",
            "db.customers.insertMany([{_id: 1}, {_id: 2}])
db.orders.insertMany([{_id: 1, customer_id: 1}, {_id: 2}, {_id: 3, customer_id: 2}])
db.orders.createIndex({customer_id: 1}, {partialFilterExpression: {customer_id: {$exists: true}}})",
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    references(catalog)
        .filter(|(collection, path, _)| !leads(collection, &plain(path)))
        .map(|(collection, path, parent)| {
            let (name, path) = (&collection.name, plain(path));
            let title = format!("no index serves the reference {name}.{path} to {}", parent.name);
            let why =
                format!("All {name} of one of {} are found by reading all {name}.", parent.name);
            Draft::new(Severity::Medium, name.clone(), title, why)
                .at(path.clone())
                .number("documents", collection.documents as f64)
                .fix(index_on(name, &path, false))
        })
        .collect()
}

/// Fields named like another collection's document, which is where they point.
pub(super) fn references(
    catalog: &DocumentCatalog,
) -> impl Iterator<Item = (&Collection, &str, &Collection)> {
    fields(catalog).filter_map(move |(collection, path, profile)| {
        let thing = names::refers_to(last(path))?;
        let parent = collections(catalog).find(|parent| names::names(&parent.name, &thing))?;
        let scalar = !profile.types.contains_key("object");
        (scalar && parent.name != collection.name && path != "_id")
            .then_some((collection, path, parent))
    })
}
