use super::support::*;

/// Measurements, one small document each
pub static RULE: Check = rule(
    "measurements-one-by-one",
    "Measurements, one small document each",
    Severity::Info,
    "A time, a source and a few numbers in each of many small documents: a time-series collection (5.0 and \
     later) packs them into columns by source and time, takes a fraction of the space, and expires by \
     itself. Before 5.0 the bucket pattern does it by hand.",
    "MongoDB manual, time series collections",
    &[
        bad(
            "readings",
            numbered!(
                "readings",
                "2000",
                "at: {$toDate: {$multiply: [\"$i\", {$toLong: 1000}]}}, sensor_id: {$mod: [\"$i\", 5]}, value: {$divide: [\"$i\", 3]}"
            ),
        ),
        good(
            "orders",
            numbered!(
                "orders",
                "2000",
                "placed_at: {$toDate: {$multiply: [\"$i\", {$toLong: 1000}]}}, customer_id: {$mod: [\"$i\", 5]}, items: [{sku: \"a\"}]"
            ),
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    const TIMES: [&str; 6] = ["at", "ts", "time", "timestamp", "date", "recorded"];
    const SOURCES: [&str; 7] = ["sensor", "device", "meter", "station", "probe", "host", "metric"];
    collections(catalog)
        .filter(|collection| collection.documents >= 1000 && collection.average_bytes < 300)
        .filter_map(|collection| {
            let schema = collection.schema.as_ref()?;
            let typed = |profile: &FieldProfile, kinds: &[&str]| {
                types(profile).iter().all(|name| kinds.contains(name))
            };
            let time = schema.fields.iter().find(|(path, profile)| {
                names::has(path, &TIMES) && typed(profile, &["date"])
            })?;
            let source = schema.fields.iter().find(|(path, _)| names::has(path, &SOURCES))?;
            schema.fields.iter().find(|(path, profile)| {
                *path != source.0 && path.as_str() != "_id" && profile.distinct > 10
                    && typed(profile, &["double", "decimal", "int", "long"])
            })?;
            if schema.fields.keys().any(|path| path.ends_with("[]")) {
                return None;
            }
            let name = &collection.name;
            let title = format!("{name} holds measurements, one small document each");
            let why = format!(
                "A time-series collection with timeField {:?} and metaField {:?} (5.0 and later) takes a \
                 fraction of the space.",
                time.0, source.0
            );
            Some(
                Draft::new(Severity::Info, name.clone(), title, why)
                    .number("documents", collection.documents as f64)
                    .bytes("average", collection.average_bytes as f64),
            )
        })
        .collect()
}
