use super::reference_without_index::references;
use super::support::*;

/// A reference whose type its target does not have
pub static RULE: Check = rule(
    "reference-type-mismatch",
    "A reference whose type its target does not have",
    Severity::High,
    "A text never equals an ObjectId and \"7\" never 7: `$lookup` along such a reference finds nothing, \
     and says nothing. Convert it to the type of the target's _id.",
    "comparisons by type",
    &[
        bad(
            "texts to numbers",
            "db.customers.insertMany([{_id: 1}, {_id: 2}])
db.orders.insertMany([{_id: 1, customer_id: '1'}, {_id: 2, customer_id: '2'}])",
        ),
        good(
            "numbers to numbers",
            "db.customers.insertMany([{_id: 1}, {_id: 2}])
db.orders.insertMany([{_id: 1, customer_id: NumberLong(1)}, {_id: 2, customer_id: 2}])",
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    let kind = |name: &str| if is_number(name) { "number".to_owned() } else { name.to_owned() };
    let kinds = |collection: &Collection, path: &str| {
        let profile = collection.schema.as_ref()?.fields.get(path)?;
        let found: std::collections::BTreeSet<String> =
            types(profile).into_iter().filter(|name| *name != "array").map(kind).collect();
        (!found.is_empty()).then_some(found)
    };
    references(catalog)
        .filter_map(|(collection, path, parent)| {
            let element = format!("{path}[]");
            let own = kinds(collection, &element).or_else(|| kinds(collection, path))?;
            let theirs = kinds(parent, "_id")?;
            if own.intersection(&theirs).next().is_some() {
                return None;
            }
            let to = theirs.iter().next().cloned().unwrap_or_default();
            let to = if to == "number" { "long".to_owned() } else { to };
            let join = |set: &std::collections::BTreeSet<String>| {
                set.iter().cloned().collect::<Vec<_>>().join(" or ")
            };
            let title = format!("is {}, and {}._id is {}", join(&own), parent.name, join(&theirs));
            Some(convert(
                Severity::High,
                collection,
                path,
                &to,
                &title,
                "A $lookup along it finds nothing.",
            ))
        })
        .collect()
}
