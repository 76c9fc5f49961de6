use super::support::*;

/// One value written in several ways
pub static RULE: Check = rule(
    "strings-differ-in-case",
    "One value written in several ways",
    Severity::Medium,
    "\"Paid\" and \"paid\" are two values to the database and one to people: every filter misses some \
     documents. Bring them to one spelling, and let a validator keep it; or ask with a collation of \
     strength 2, and an index of the same.",
    "what a filter on one spelling leaves out",
    &[
        bad(
            "two spellings",
            numbered!(
                "orders",
                "90",
                "status: {$arrayElemAt: [[\"paid\", \"Paid\", \"open\"], {$mod: [\"$i\", 3]}]}"
            ),
        ),
        good(
            "one spelling",
            numbered!(
                "orders",
                "90",
                "status: {$arrayElemAt: [[\"paid\", \"open\"], {$mod: [\"$i\", 2]}]}"
            ),
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    fields(catalog)
        .filter(|(_, _, profile)| profile.distinct <= 30)
        .filter_map(|(collection, path, profile)| {
            let words = texts(profile);
            let same = |a: &str, b: &str| a != b && a.trim().to_lowercase() == b.trim().to_lowercase();
            let (one, other) = words
                .iter()
                .enumerate()
                .find_map(|(at, a)| words[at + 1..].iter().find(|b| same(a, b)).map(|b| (a, b)))?;
            let (name, path) = (&collection.name, plain(path));
            let title = format!("{name}.{path} holds one value in several spellings");
            let why = format!(
                "A filter on \"{one}\" misses the documents with \"{other}\". Bring them to one spelling: \
                 marula migrate backfill {name} --set … --engine mongodb"
            );
            let draft = Draft::new(Severity::Medium, name.clone(), title, why).at(path);
            Some(draft.word("values", format!("{one}, {other}")))
        })
        .collect()
}
