use super::support::*;

/// A field that is null here and missing there
pub static RULE: Check = rule(
    "null-and-missing",
    "A field that is null here and missing there",
    Severity::Low,
    "`{a: null}` finds both, `{a: {$exists: false}}` one of them, `{$type: 10}` the other; a unique index \
     takes both for the same value, a sparse one holds null and leaves out what is missing. Choose one \
     of the two.",
    "MongoDB manual, query for null or missing fields",
    &[
        bad("both", "db.users.insertMany([{_id: 1, phone: null}, {_id: 2}, {_id: 3, phone: '1'}])"),
        good("missing only", "db.users.insertMany([{_id: 2}, {_id: 3, phone: '1'}])"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    fields(catalog)
        .filter(|(_, path, profile)| {
            !path.ends_with("[]") && profile.null() > 0 && profile.missing() > 0
        })
        .map(|(collection, path, profile)| {
            let (name, path) = (&collection.name, plain(path));
            let title = format!("{name}.{path} is null in some documents and missing in others");
            let why = "Conditions and indexes tell them apart in different ways. Choose one.";
            Draft::new(Severity::Low, name.clone(), title, why)
                .at(path)
                .number("null", profile.null() as f64)
                .number("missing", profile.missing() as f64)
        })
        .collect()
}
