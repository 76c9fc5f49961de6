//! What to write instead of a method that is not read, where a migration is written.

/// The way out for whatever the server can do.
pub(super) const COMMAND: &str = "write the command itself in a migration of JSON, such as \
     {\"up\": [{\"collMod\": \"users\", \"validator\": {…}}], \"down\": […]}";

/// The way out for a method of a database, a collection or a driver that has one of its own.
pub(super) fn of(method: &str) -> Option<&'static str> {
    Some(match method {
        "dropCollection" => "write db.collection('users').drop()",
        "rename" | "renameCollection" => {
            "write the command in a migration of JSON: \
             {\"renameCollection\": \"DB.users\", \"to\": \"DB.people\"}"
        }
        "dropIndexes" => {
            "write dropIndex('NAME') for each, or the command in a migration of JSON: \
             {\"dropIndexes\": \"users\", \"index\": [\"a_1\", \"b_1\"]}"
        }
        "bulkWrite" | "initializeOrderedBulkOp" | "initializeUnorderedBulkOp" => {
            "write its parts one after the other: insertMany, updateMany, deleteMany"
        }
        _ => return None,
    })
}
