use marula_core::Relation;

use super::super::super::shape::Key;

/// Whether an index can be over the key: its columns exist, and the expression means the same
/// in every session. Casting and cutting times depends on the session's time zone or style.
pub(super) fn indexable(key: &Key, relation: &Relation) -> bool {
    let types: Option<Vec<&str>> = key
        .columns
        .iter()
        .map(|name| relation.column(name).map(|column| column.type_name.as_str()))
        .collect();
    let Some(types) = types else { return false };
    let timed =
        |kind: &&str| kind.starts_with("time") || **kind == *"date" || **kind == *"interval";
    let zoned = types.iter().any(|kind| kind.contains("with time zone"));
    match key.column {
        Some(_) => true,
        None if !key.immutable || zoned => false,
        None => {
            let has = |part: &str| key.text.contains(part);
            let prints = types.iter().any(timed) && has("::text");
            // A text becomes a time by the session's DateStyle; date_trunc() of a date is that
            // of midnight in the session's zone.
            let reads = !types.iter().all(timed)
                && ["::date", "::time", "::interval", "date("].iter().any(|cast| has(cast));
            let midnight = types.contains(&"date") && has("date_trunc");
            !prints && !reads && !midnight && !has("with time zone")
        }
    }
}
