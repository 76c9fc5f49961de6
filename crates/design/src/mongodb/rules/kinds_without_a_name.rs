use super::support::*;

/// Documents of several kinds in one collection, and no field that says which
pub static RULE: Check = rule(
    "kinds-without-a-name",
    "Documents of several kinds, and no field that says which",
    Severity::Low,
    "Most fields stand in a few documents only: several kinds of things share the collection. The \
     polymorphic pattern needs one field that names the kind (`type`), so that queries, partial indexes \
     and validators can tell them apart.",
    GUIDANCE,
    &[
        bad(
            "three kinds",
            numbered!(
                "things",
                "90",
                "isbn: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 0]}, \"$i\", \"$$REMOVE\"]}, pages: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 0]}, \"$i\", \"$$REMOVE\"]}, wheels: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 1]}, 4, \"$$REMOVE\"]}, engine: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 1]}, \"$i\", \"$$REMOVE\"]}, leaves: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 2]}, \"$i\", \"$$REMOVE\"]}, height: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 2]}, \"$i\", \"$$REMOVE\"]}"
            ),
        ),
        good(
            "their kind is named",
            numbered!(
                "things",
                "90",
                "type: {$arrayElemAt: [[\"book\", \"car\", \"tree\"], {$mod: [\"$i\", 3]}]}, isbn: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 0]}, \"$i\", \"$$REMOVE\"]}, pages: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 0]}, \"$i\", \"$$REMOVE\"]}, wheels: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 1]}, 4, \"$$REMOVE\"]}, engine: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 1]}, \"$i\", \"$$REMOVE\"]}, leaves: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 2]}, \"$i\", \"$$REMOVE\"]}, height: {$cond: [{$eq: [{$mod: [\"$i\", 3]}, 2]}, \"$i\", \"$$REMOVE\"]}"
            ),
        ),
        good(
            "one kind",
            numbered!(
                "things",
                "90",
                "a: \"$i\", b: \"$i\", c: \"$i\", d: \"$i\", e: \"$i\", f: \"$i\""
            ),
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    const KINDS: [&str; 6] = ["type", "kind", "_t", "_cls", "category", "_class"];
    collections(catalog)
        .filter_map(|collection| {
            let schema = collection.schema.as_ref().filter(|schema| schema.sampled >= 30)?;
            let own: Vec<_> = schema
                .fields
                .iter()
                .filter(|(path, _)| path.as_str() != "_id" && !path.contains(['.', '[']))
                .collect();
            let named = own.iter().any(|(path, profile)| {
                KINDS.contains(&path.as_str()) && profile.present * 10 >= schema.sampled * 9
            });
            let seldom =
                own.iter().filter(|(_, profile)| profile.present * 2 < schema.sampled).count();
            if named || own.len() < 6 || seldom * 3 < own.len() * 2 {
                return None;
            }
            let name = &collection.name;
            let title = format!("{name} holds documents of several kinds, and no field says which");
            let why =
                "Give them a field that names the kind, and partial indexes and validators by it.";
            Some(
                Draft::new(Severity::Low, name.clone(), title, why)
                    .number("fields", own.len() as f64)
                    .number("in less than half of the documents", seldom as f64),
            )
        })
        .collect()
}
