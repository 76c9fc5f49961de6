use super::support::*;

/// An object whose field names are data
pub static RULE: Check = rule(
    "values-as-field-names",
    "An object whose field names are data",
    Severity::High,
    "`{scores: {u17: 3, u18: 5, …}}` uses an object as a map: no index reaches a name nobody knows, no \
     validator can name it, and each document has fields of its own. The attribute pattern says it: \
     `scores: [{user: 17, score: 3}, …]` with one index on `scores.user`.",
    GUIDANCE,
    &[
        bad(
            "users as names",
            numbered!(
                "games",
                "100",
                "scores: {$arrayToObject: [[{k: {$concat: [\"u\", {$toString: \"$i\"}]}, v: 1}, {k: {$concat: [\"u\", {$toString: {$add: [\"$i\", 1]}}]}, v: 2}]]}"
            ),
        ),
        good(
            "an array",
            numbered!("games", "100", "scores: [{user: \"$i\", score: {$literal: 1}}]"),
        ),
    ],
    check,
);

/// So many names below one path are no design.
const MANY: usize = 50;

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for collection in collections(catalog) {
        let Some(schema) = &collection.schema else { continue };
        for (path, profile) in &schema.fields {
            let objects = profile.types.get("object").copied().unwrap_or(0);
            if objects == 0 {
                continue;
            }
            let below = format!("{path}.");
            let names: Vec<&FieldProfile> = schema
                .fields
                .range(below.clone()..)
                .take_while(|(known, _)| known.starts_with(&below))
                .filter(|(known, _)| {
                    known.get(below.len()..).is_some_and(|rest| !rest.contains(['.', '[']))
                })
                .map(|(_, profile)| profile)
                .collect();
            let each: u64 = names.iter().map(|profile| profile.present).sum();
            // Many names in all, and few of them in any one object.
            let sparse = each < objects.saturating_mul(names.len() as u64) / 5;
            if names.len() < MANY || !sparse {
                continue;
            }
            let (name, path) = (&collection.name, plain(path));
            let title = format!("{name}.{path} uses values as field names");
            let why = "No index and no validator reaches names nobody knows. An array of {k, v} with one \
                       index on k does (attribute pattern).";
            found.push(
                Draft::new(Severity::High, name.clone(), title, why)
                    .at(path)
                    .number("names", names.len() as f64)
                    .number("objects", objects as f64),
            );
        }
    }
    found
}
