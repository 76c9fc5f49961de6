//! What is read and compared, and cannot be written: it is named, never passed over.

use marula_core::{Error, ErrorKind, Result};

use super::model::Model;

/// So many are named.
const NAMED: usize = 6;
/// What only tells a note: which versions there are to choose from is the server's business.
const VERSION: &str = "version of extension";

/// Fails, by name, for what differs and cannot be written here; what is said of extensions'
/// versions comes back as notes.
pub(super) fn compared(from: &Model, to: &Model) -> Result<Vec<String>> {
    let mut differing: Vec<String> = Vec::new();
    let mut notes = Vec::new();
    for (id, definition) in &from.others {
        let (kind, name) = id;
        match to.others.get(id) {
            Some(other) if other == definition => {}
            Some(other) if kind == VERSION => notes.push(format!(
                "extension {name} is {definition} in FROM and {other} in TO: ALTER EXTENSION {name} \
                 UPDATE is not written"
            )),
            Some(_) => differing.push(format!("{kind} {name} (another)")),
            None if kind == VERSION => {}
            None => differing.push(format!("{kind} {name} (gone)")),
        }
    }
    for (kind, name) in to.others.keys() {
        if kind != VERSION && !from.others.contains_key(&(kind.clone(), name.clone())) {
            differing.push(format!("{kind} {name} (new)"));
        }
    }
    if differing.is_empty() {
        return Ok(notes);
    }
    let more = differing.len().saturating_sub(NAMED);
    differing.truncate(NAMED);
    let mut listed = differing.join(", ");
    if more > 0 {
        listed.push_str(&format!(" and {more} more"));
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!("FROM and TO differ in what cannot be written here: {listed}"),
    )
    .hint("write a migration for these by hand (marula migrate new), and make both sides the same in them")
    .hint("then take the difference again: it covers the rest"))
}
