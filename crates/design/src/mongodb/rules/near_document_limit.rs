use super::support::*;

/// Documents near 16 MB
pub static RULE: Check = rule(
    "near-document-limit",
    "Documents near 16 MB",
    Severity::High,
    "A document may not be larger than 16 MB: the update that would make it so fails, and so does every \
     later one. Find what grows in it (an array, an object used as a map) and move it out before.",
    "MongoDB limits and thresholds",
    &[
        bad(
            "more than half",
            numbered!(
                "logs",
                "4",
                "body: {$reduce: {input: {$range: [0, {$cond: [{$eq: [\"$i\", 2]}, 20, 1]}]}, initialValue: \"xxxxxxxxx\", in: {$concat: [\"$$value\", \"$$value\"]}}}"
            ),
        ),
        good(
            "far from it",
            numbered!(
                "logs",
                "4",
                "body: {$reduce: {input: {$range: [0, 7]}, initialValue: \"xxxxxxxxx\", in: {$concat: [\"$$value\", \"$$value\"]}}}"
            ),
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    collections(catalog)
        .filter_map(|collection| {
            let largest = collection.schema.as_ref()?.document_bytes?.max;
            (largest > 8 << 20).then(|| {
                let name = &collection.name;
                let title = format!("a document of {name} is near the limit of 16 MB");
                let why = "The update that makes it larger than that fails. Move out what grows.";
                Draft::new(Severity::High, name.clone(), title, why)
                    .bytes("largest seen", largest as f64)
            })
        })
        .collect()
}
