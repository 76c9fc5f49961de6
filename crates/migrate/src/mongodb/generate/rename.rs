//! Another name for a field.

use marula_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::field::{self, and, check, path, reachable};
use super::{batches, checked, failing, written};

/// Another name for a field, in batches: three migrations. The new field beside the old one, then
/// (when the application writes both) what was written meanwhile, then the old field goes where the
/// new one has its value.
///
/// # Errors
/// `Usage` for names that cannot be, that are one, or of which one lies inside the other.
pub fn rename_field(collection: &str, old: &str, new: &str) -> Result<Vec<(&'static str, String)>> {
    check(old)?;
    check(new)?;
    let inside = |one: &str, other: &str| one.starts_with(&format!("{other}."));
    let refused = |what: String, hint: &str| Err(Error::new(ErrorKind::Usage, what).hint(hint));
    if old == new {
        let what = format!("the field {old} is to be called {new}, which it is");
        return refused(what, "write the new name, without the collection's");
    }
    if inside(old, new) || inside(new, old) {
        let what =
            format!("of {old} and {new} one lies inside the other: they cannot stand side by side");
        return refused(what, "go by a third name: two renames");
    }
    let fill = |from: &str, to: &str| {
        let filter = json!({ from: { "$exists": true }, to: { "$exists": false } });
        let update = json!([{ "$set": { to: path(from) } }]);
        batches(collection, and(filter, reachable(&[from, to])), update)
    };
    let unset = |field: &str| {
        let mut asked = vec![json!({ "$eq": [path(old), path(new)] })];
        asked.extend(reachable(&[old, new]));
        let filter = and(json!({ field: { "$exists": true } }), asked);
        batches(collection, filter, json!({ "$unset": { field: "" } }))
    };
    let differing = json!([
        { "$match": { old: { "$exists": true }, "$expr": { "$ne": [path(old), path(new)] } } },
    ]);
    let told = "the new field has another value than the old one: let the application write both, or \
                settle which is right";
    let mut checks: Vec<Value> = Vec::new();
    if let Some(stages) = field::unreachable(json!({ old: { "$exists": true } }), &[old, new]) {
        let told = format!(
            "they hold a list or a plain value where {old} or {new} needs a document around it: \
             mend them first"
        );
        checks.push(failing(collection, stages, &told));
    }
    checks.push(failing(collection, differing, told));
    let with = |mut before: Vec<Value>, after: Vec<Value>| {
        before.extend(after);
        before
    };
    Ok(vec![
        ("copy", written(&json!({ "up": [fill(old, new)], "down": [unset(new)] }))),
        ("verify", checked(with(vec![fill(old, new)], checks.clone()))),
        (
            "contract",
            written(&json!({
                "options": { "hold": true },
                "up": with(checks, vec![unset(old)]),
                "down": [fill(new, old)],
            })),
        ),
    ])
}

/// What the reader should know of [`rename_field`].
pub const RENAMED: [&str; 3] = [
    "deploy what writes both fields before the verify, and what uses the new one alone before the \
     contract: nothing in MongoDB keeps them the same",
    "a document in which the two differ stops the verify and the contract: neither value is thrown \
     away",
    "the way back gives every document that has the new field the old one, and then takes the new \
     one, also from those that had it before",
];
