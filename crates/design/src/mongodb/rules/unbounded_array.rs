use super::support::*;

/// An array that grows without end
pub static RULE: Check = rule(
    "unbounded-array",
    "An array that grows without end",
    Severity::High,
    "Each push writes the whole document again, a multikey index gets an entry for each element, and at \
     16 MB the next push fails. Keep the newest few in the document (subset pattern) and all in a \
     collection of their own with a reference; or buckets of a fixed size.",
    GUIDANCE,
    &[
        bad("hundreds", numbered!("posts", "50", "comments: {$range: [0, 300]}")),
        good("a few", numbered!("posts", "50", "comments: {$range: [0, 3]}")),
    ],
    check,
);

/// Compass warns from here on.
const LONG: u64 = 250;

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    fields(catalog)
        .filter_map(|(collection, path, profile)| {
            let length = profile.array_length.filter(|length| length.p99 >= LONG)?;
            let (name, path) = (&collection.name, plain(path));
            let title = format!("{name}.{path} holds up to {} elements", length.max);
            let why = "Each push writes the whole document again, until 16 MB end it. Keep the newest few \
                       here, and all in a collection of their own.";
            let draft = Draft::new(Severity::High, name.clone(), title, why).at(path);
            Some(
                draft
                    .number("median", length.median as f64)
                    .number("p99", length.p99 as f64)
                    .number("longest", length.max as f64),
            )
        })
        .collect()
}
