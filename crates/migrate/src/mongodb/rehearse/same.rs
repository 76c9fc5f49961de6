//! Whether collections are as before.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use marula_core::Result;
use marula_mongodb::Session;

/// What a database holds: collections with their options, indexes, and a hash of their documents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    lines: Vec<String>,
    data: BTreeMap<String, String>,
}

/// Reads what a database holds.
///
/// # Errors
/// When the server fails.
pub async fn state(session: &Session) -> Result<State> {
    let map = |error| session.map(error);
    let database = session.database();
    let mut state = State::default();
    let mut listed =
        database.run_cursor_command(doc! { "listCollections": 1 }).await.map_err(map)?;
    while let Some(one) = listed.try_next().await.map_err(map)? {
        let name = one.get_str("name").unwrap_or_default().to_owned();
        if name.starts_with("system.") || name.starts_with("marula.") {
            continue;
        }
        let options = one.get_document("options").cloned().unwrap_or_default();
        let kind = one.get_str("type").unwrap_or("collection");
        state.lines.push(format!("{kind} {name} {}", Bson::Document(without_defaults(options))));
        if kind != "collection" {
            continue;
        }
        let mut indexes =
            database.run_cursor_command(doc! { "listIndexes": &name }).await.map_err(map)?;
        while let Some(mut index) = indexes.try_next().await.map_err(map)? {
            // Servers differ in how they write the same.
            for key in ["v", "ns", "background"] {
                index.remove(key);
            }
            state.lines.push(format!("index {name} {}", Bson::Document(index)));
        }
    }
    state.lines.sort();
    let hashes = database.run_command(doc! { "dbHash": 1 }).await.map_err(map)?;
    for (name, hash) in hashes.get_document("collections").cloned().unwrap_or_default() {
        if name.starts_with("marula.") {
            continue;
        }
        state.data.insert(name, hash.as_str().unwrap_or_default().to_owned());
    }
    Ok(state)
}

/// Validation's defaults, which the server writes down when they are said.
fn without_defaults(mut options: Document) -> Document {
    let empty = options.get_document("validator").is_ok_and(Document::is_empty);
    if empty {
        options.remove("validator");
    }
    if options.get_str("validationLevel").is_ok_and(|level| level == "strict") {
        options.remove("validationLevel");
    }
    if options.get_str("validationAction").is_ok_and(|action| action == "error") {
        options.remove("validationAction");
    }
    options
}

/// What is in one and not in the other, in a line each.
pub fn differences(before: &State, after: &State) -> Vec<String> {
    let mut all = Vec::new();
    for (one, other, word) in
        [(&before.lines, &after.lines, "gone"), (&after.lines, &before.lines, "new")]
    {
        let missing = one.iter().filter(|line| !other.contains(line));
        all.extend(
            missing.map(|line| format!("{word}: {}", line.chars().take(200).collect::<String>())),
        );
    }
    for (name, hash) in &before.data {
        if after.data.get(name).is_some_and(|now| now != hash) {
            all.push(format!("the documents of {name} are not what they were"));
        }
    }
    all
}
