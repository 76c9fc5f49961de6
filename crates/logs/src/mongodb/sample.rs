//! A logged command as a person would write it, and as `marula explain` takes it.

use bson::{Bson, Document, doc};
use marula_mongodb::command::print_document;
use marula_mongodb::command::shape::of_the_session;
use marula_mongodb::shell;

use super::cursor::{Json, Text};
use super::tree;

/// The command in mongosh syntax; what mongosh has no method for as `db.runCommand({…})`.
/// `namespace` and `operation` are the shape's, for statements of batches, which name neither.
pub(crate) fn statement(logged: &str, operation: &str, namespace: &str) -> String {
    let command = command(logged, operation, namespace).into_iter();
    let command: Document = command.filter(|(name, _)| !of_the_session(name)).collect();
    if command.is_empty() {
        return logged.to_owned();
    }
    match shell::from_document(command.clone()) {
        Ok(command) => command.to_shell(),
        Err(_) => format!("db.runCommand({})", print_document(&command)),
    }
}

/// The command as the server takes it.
pub(crate) fn command(logged: &str, operation: &str, namespace: &str) -> Document {
    let inside = logged.trim_start().strip_prefix('{').unwrap_or_default().trim_start();
    let (mut command, _) = if inside.starts_with('"') {
        tree::document(logged.as_bytes(), Json)
    } else {
        tree::document(logged.as_bytes(), Text)
    };
    let collection = namespace.split_once('.').map_or(namespace, |(_, name)| name);
    // The bulkWrite command's words for the same.
    for (theirs, ours) in [("filter", "q"), ("updateMods", "u")] {
        if (command.contains_key("updateMods")
            || operation == "delete" && !command.contains_key("q"))
            && let Some(value) = command.remove(theirs)
        {
            command.insert(ours, value);
        }
    }
    let is_statement = command.contains_key("q") || command.contains_key("u");
    if is_statement {
        // The number of its collection.
        command.remove("update");
        command.remove("delete");
    }
    match operation {
        "update" if is_statement => doc! { "update": collection, "updates": [command] },
        "delete" if is_statement => {
            if !command.contains_key("limit") {
                let many = command.remove("multi") == Some(Bson::Boolean(true));
                command.insert("limit", i32::from(!many));
            }
            doc! { "delete": collection, "deletes": [command] }
        }
        _ => command,
    }
}
