use super::support::*;

/// An _id that is an object or a long text
pub static RULE: Check = rule(
    "large-id",
    "An _id that is an object or a long text",
    Severity::Low,
    "Every index entry and every reference carries the _id. An object as _id is compared with the order \
     of its fields, so that {a: 1, b: 2} and {b: 2, a: 1} are two; ranges over its parts do not use the \
     index. Give the parts fields of their own with a unique index.",
    "comparison of embedded documents, MongoDB manual",
    &[
        bad("an object", "db.t.insertMany([{_id: {a: 1, b: 2}}, {_id: {b: 2, a: 1}}])"),
        good("a number", "db.t.insertMany([{_id: 1}, {_id: 2}])"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    fields(catalog)
        .filter(|(_, path, _)| *path == "_id")
        .filter_map(|(collection, path, profile)| {
            let long = texts(profile).iter().any(|text| text.len() > 128);
            let what = match profile.types.contains_key("object") {
                true => "an object",
                false if long => "a long text",
                false => return None,
            };
            let name = &collection.name;
            let title = format!("the _id of {name} is {what}");
            let why = "Every index entry and every reference carries it.";
            Some(
                Draft::new(Severity::Low, name.clone(), title, why)
                    .at(path)
                    .word("types", counted(profile)),
            )
        })
        .collect()
}
