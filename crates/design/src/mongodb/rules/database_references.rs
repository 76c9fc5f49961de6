use super::support::*;

/// DBRefs
pub static RULE: Check = rule(
    "database-references",
    "References that carry their collection's name",
    Severity::Low,
    "A DBRef stores the collection's name in each document, `$lookup` cannot follow it before 4.4, and \
     nothing checks it either. Where all point to one collection its _id alone says the same.",
    "MongoDB manual, database references",
    &[
        bad("a DBRef", "db.orders.insertMany([{_id: 1, customer: {$ref: 'customers', $id: 7}}])"),
        good("its _id", "db.orders.insertMany([{_id: 1, customer_id: 7}])"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    fields(catalog)
        .filter(|(_, path, _)| last(path) == "$ref")
        .map(|(collection, path, profile)| {
            let name = &collection.name;
            let own = plain(path.trim_end_matches(".$ref"));
            let title = format!("{name}.{own} is a DBRef");
            let why =
                "Where all point to one collection, its _id alone says the same in less space.";
            Draft::new(Severity::Low, name.clone(), title, why)
                .at(own)
                .number("collections pointed to", profile.distinct as f64)
        })
        .collect()
}
