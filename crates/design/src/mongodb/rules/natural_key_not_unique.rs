use super::support::*;

/// A name for a document that may come twice
pub static RULE: Check = rule(
    "natural-key-not-unique",
    "A name for a document that may come twice",
    Severity::Medium,
    "An e-mail address, a user name, a slug or an SKU names one document; all differ today, and nothing \
     keeps two equal ones out tomorrow: an upsert by it in two sessions at once inserts both. A unique \
     index does, and serves the look-ups by it.",
    "MongoDB manual, upsert with unique index",
    &[
        bad(
            "an address",
            numbered!(
                "users",
                "200",
                "email: {$concat: [\"u\", {$toString: \"$i\"}, \"@example.org\"]}"
            ),
        ),
        good(
            "unique",
            concat!(
                numbered!(
                    "users",
                    "200",
                    "email: {$concat: [\"u\", {$toString: \"$i\"}, \"@example.org\"]}"
                ),
                "db.users.createIndex({email: 1}, {unique: true})"
            ),
        ),
        good(
            "duplicates are usual",
            numbered!(
                "orders",
                "200",
                "email: {$concat: [\"u\", {$toString: {$mod: [\"$i\", 20]}}, \"@example.org\"]}"
            ),
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    const NAMES: [&str; 6] = ["email", "username", "login", "slug", "sku", "isbn"];
    fields(catalog)
        .filter(|(collection, path, profile)| {
            let differ = profile.distinct >= 100.min(profile.present)
                && profile.present >= 100
                && profile.common_values.first().is_some_and(|(_, count)| *count == 1);
            let unique = collection
                .indexes
                .iter()
                .any(|index| index.unique && index.keys.iter().any(|(key, _)| key == path));
            !path.contains(['.', '[']) && names::ends_in(path, &NAMES) && differ && !unique
        })
        .map(|(collection, path, profile)| {
            let name = &collection.name;
            let title = format!("nothing keeps {name}.{path} unique");
            let why = "All values seen differ; two upserts at once make the first pair.";
            Draft::new(Severity::Medium, name.clone(), title, why)
                .at(path)
                .number("documents seen", profile.present as f64)
                .fix(index_on(name, path, true).mind("fails on duplicates"))
        })
        .collect()
}
