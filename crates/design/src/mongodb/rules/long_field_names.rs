use super::support::*;

/// Field names that outweigh their values
pub static RULE: Check = rule(
    "long-field-names",
    "Field names that outweigh their values",
    Severity::Info,
    "Every document carries its field names. Blocks are compressed on disk, but the cache and the network \
     hold them in full: where names are more than half of a small document, millions of them cost memory. \
     Shorter names, or fewer and larger documents (buckets, time-series collections), help.",
    "BSON stores each name in each document",
    &[
        bad(
            "measurements",
            numbered!(
                "m",
                "200",
                "measured_temperature_in_celsius: \"$i\", measured_humidity_in_percent_of_all: \"$i\", measured_pressure_in_hectopascal_here: \"$i\""
            ),
        ),
        good("short ones", numbered!("m", "200", "t: \"$i\", h: \"$i\", p: \"$i\"")),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    collections(catalog)
        .filter_map(|collection| {
            let schema = collection.schema.as_ref().filter(|schema| schema.sampled >= 100)?;
            let named: u64 = schema
                .fields
                .iter()
                .filter(|(path, _)| !path.ends_with("[]"))
                .map(|(path, profile)| profile.present * last(path).len() as u64)
                .sum();
            let each = named / schema.sampled.max(1);
            (collection.average_bytes > 0 && each * 2 > collection.average_bytes).then(|| {
                let name = &collection.name;
                let title = format!("field names are most of each document of {name}");
                let why = "Cache and network hold them in full, in each document.";
                Draft::new(Severity::Info, name.clone(), title, why)
                    .bytes("names in a document", each as f64)
                    .bytes("document", collection.average_bytes as f64)
            })
        })
        .collect()
}
