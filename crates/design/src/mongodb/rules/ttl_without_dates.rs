use super::support::*;

/// A TTL index that removes nothing
pub static RULE: Check = rule(
    "ttl-without-dates",
    "A TTL index that removes nothing",
    Severity::High,
    "Only dates (and arrays of them) expire: where the field is a number or a text, documents stay for \
     ever, and nothing says so. Store dates.",
    "MongoDB manual, TTL indexes",
    &[
        bad(
            "numbers",
            "db.sessions.insertMany([{_id: 1, seen: 1700000000}, {_id: 2, seen: 1700000001}])
db.sessions.createIndex({seen: 1}, {expireAfterSeconds: 3600})",
        ),
        good(
            "dates",
            "db.sessions.insertMany([{_id: 1, seen: new Date()}])
db.sessions.createIndex({seen: 1}, {expireAfterSeconds: 3600})",
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for collection in collections(catalog) {
        let Some(schema) = &collection.schema else { continue };
        for index in collection.indexes.iter().filter(|index| index.expire_after_seconds.is_some())
        {
            let Some((path, _)) = index.keys.first() else { continue };
            let element = format!("{path}[]");
            let profiles: Vec<&FieldProfile> =
                [path, &element].into_iter().filter_map(|path| schema.fields.get(path)).collect();
            let dates = profiles.iter().any(|profile| profile.types.contains_key("date"));
            if profiles.is_empty() || dates {
                continue;
            }
            let title = format!("the TTL index {} removes nothing", index.name);
            found.push(
                convert(
                    Severity::High,
                    collection,
                    path,
                    "date",
                    "never expires",
                    "Only dates expire; what is something else stays for ever.",
                )
                .index(index.name.clone())
                .word("types", counted(profiles[0]))
                .word("what", title),
            );
        }
    }
    found
}
