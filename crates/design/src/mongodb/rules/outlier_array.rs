use super::support::*;

/// A few documents with very long arrays
pub static RULE: Check = rule(
    "outlier-array",
    "A few documents with very long arrays",
    Severity::Medium,
    "Nearly all arrays are short and one in hundreds is a hundred times as long: code that suits the \
     many is slow or fails on the few (the celebrity's followers). The outlier pattern marks those \
     documents and lets their rest live in further ones.",
    GUIDANCE,
    &[
        bad(
            "one in two hundred",
            numbered!(
                "books",
                "200",
                "buyers: {$range: [0, {$cond: [{$eq: [\"$i\", 7]}, 900, 4]}]}"
            ),
        ),
        good("all alike", numbered!("books", "200", "buyers: {$range: [0, 4]}")),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    fields(catalog)
        .filter_map(|(collection, path, profile)| {
            let length = profile.array_length?;
            if length.p99 >= 250 || length.max < 250 || length.max < 20 * length.median.max(1) {
                return None;
            }
            let (name, path) = (&collection.name, plain(path));
            let title = format!("a few documents of {name} hold up to {} {path}", length.max);
            let why = "What suits the short ones fails on these. Mark them, and keep their rest in \
                       further documents (outlier pattern).";
            let draft = Draft::new(Severity::Medium, name.clone(), title, why).at(path);
            Some(draft.number("median", length.median as f64).number("longest", length.max as f64))
        })
        .collect()
}
