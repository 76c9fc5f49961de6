use super::support::*;

/// One field with values of several types
pub static RULE: Check = rule(
    "mixed-types",
    "One field with values of several types",
    Severity::High,
    "A comparison only meets values of its own type: `{n: {$gt: 5}}` never finds \"7\". Sorting goes by \
     type before value, `$sum` takes texts for 0. Convert to one type, and let a validator keep it.",
    "type bracketing of comparisons, MongoDB manual",
    &[
        bad(
            "numbers and texts",
            "db.orders.insertMany([{_id: 1, n: 5}, {_id: 2, n: \"7\"}, {_id: 3, n: 9}])",
        ),
        good(
            "numbers of all widths",
            "db.orders.insertMany([{_id: 1, n: 5}, {_id: 2, n: 7.5}, {_id: 3, n: NumberLong(9)}])",
        ),
        good("null beside", "db.orders.insertMany([{_id: 1, n: 5}, {_id: 2, n: null}])"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    fields(catalog)
        .filter_map(|(collection, path, profile)| {
            let types = types(profile);
            let mut kinds: Vec<&str> =
                types.iter().map(|name| if is_number(name) { "number" } else { name }).collect();
            kinds.dedup();
            kinds.sort_unstable();
            kinds.dedup();
            let most = profile.types.iter().filter(|(name, _)| *name != "null").max_by_key(|(_, n)| **n)?;
            (kinds.len() > 1).then(|| {
                convert(Severity::High, collection, path, most.0, "has values of several types",
                    "A comparison meets values of its own type only: some documents are never found.")
                    .word("types", counted(profile))
            })
        })
        .collect()
}
