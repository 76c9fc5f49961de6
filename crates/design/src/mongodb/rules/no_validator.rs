use bson::{Bson, Document, doc};

use super::support::*;

/// A collection that takes anything
pub static RULE: Check = rule(
    "no-validator",
    "A collection that takes anything",
    Severity::Info,
    "All documents have the same fields of the same types, and nothing keeps the first misspelt one out. \
     A `$jsonSchema` does; at level `moderate` it leaves documents alone that break it today.",
    "MongoDB manual, schema validation",
    &[
        bad(
            "documents of one form",
            numbered!("users", "120", "name: {$concat: [\"u\", {$toString: \"$i\"}]}, age: \"$i\""),
        ),
        good(
            "a validator",
            concat!(
                numbered!(
                    "users",
                    "120",
                    "name: {$concat: [\"u\", {$toString: \"$i\"}]}, age: \"$i\""
                ),
                "db.runCommand({collMod: 'users', validator: {$jsonSchema: {required: ['name']}}})"
            ),
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    collections(catalog).filter_map(draft).collect()
}

fn draft(collection: &Collection) -> Option<Draft> {
    let schema = collection.schema.as_ref().filter(|schema| schema.sampled >= 100)?;
    if collection.options.get("validator").is_some() {
        return None;
    }
    let own = schema
        .fields
        .iter()
        .filter(|(path, _)| path.as_str() != "_id" && !path.contains(['.', '[']));
    let firm: Vec<(&String, &str)> = own
        .filter(|(_, profile)| profile.present == schema.sampled && profile.types.len() == 1)
        .filter_map(|(path, profile)| Some((path, profile.types.keys().next()?.as_str())))
        .collect();
    if firm.is_empty() {
        return None;
    }
    let mut properties = Document::new();
    for (path, kind) in &firm {
        let kind = if is_number(kind) { "number" } else { kind };
        properties.insert(path.as_str(), doc! { "bsonType": kind });
    }
    let required: Vec<&str> = firm.iter().map(|(path, _)| path.as_str()).collect();
    let modify = doc! {
        "collMod": &collection.name,
        "validator": { "$jsonSchema": {
            "bsonType": "object", "required": required.clone(), "properties": properties,
        } },
        "validationLevel": "moderate",
    };
    let back = doc! { "collMod": &collection.name, "validator": {}, "validationLevel": "strict" };
    let run = |command: Document| {
        format!("db.runCommand({})", Bson::Document(command).into_relaxed_extjson())
    };
    let name = &collection.name;
    let title = format!("{name} takes documents of any form");
    let why = "Those there are all have one form; nothing keeps the first misspelt one out.";
    Some(
        Draft::new(Severity::Info, name.clone(), title, why)
            .word("always there", required.join(", "))
            .fix(
                Fix::ddl(format!("check new documents of {name}"), vec![run(modify)], vec![run(back)])
                    .mind("writes that break it fail from then on: begin with validationAction warn, and look into the log"),
            ),
    )
}
