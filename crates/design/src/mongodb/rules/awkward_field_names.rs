use super::support::*;

/// Field names no path can reach
pub static RULE: Check = rule(
    "awkward-field-names",
    "Field names no path can reach",
    Severity::Medium,
    "A dot in a name reads as a step in a path, a dollar in front as an operator: ordinary queries, \
     updates and indexes cannot name such a field; from 5.0 on `$getField` and `$setField` can.",
    "MongoDB manual, field names with periods and dollar signs",
    &[
        bad("a dollar", "db.t.insertMany([{_id: 1, price: {'$usd': 5}}])"),
        good("plain", "db.t.insertMany([{_id: 1, price: {usd: 5}}])"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    // A dot cannot be told from a step in an inferred path; a dollar can.
    const LINKS: [&str; 3] = ["$ref", "$id", "$db"];
    fields(catalog)
        .filter(|(_, path, _)| last(path).starts_with('$') && !LINKS.contains(&last(path)))
        .map(|(collection, path, _)| {
            let name = &collection.name;
            let title = format!("{name}.{path} has a name that reads as an operator");
            let why =
                "Ordinary queries and indexes cannot name it. Rename it: marula migrate rename";
            Draft::new(Severity::Medium, name.clone(), title, why).at(path)
        })
        .collect()
}
