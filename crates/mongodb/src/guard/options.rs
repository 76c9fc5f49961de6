//! The fields a command may carry besides its own.

use bson::{Bson, Document};
use marula_core::{Result, nearest};

use super::{refused, value};

/// What a find may carry.
pub(super) const FIND: &[&str] = &[
    "let",
    "allowDiskUse",
    "batchSize",
    "singleBatch",
    "comment",
    "maxTimeMS",
    "readConcern",
    "returnKey",
    "showRecordId",
    "min",
    "max",
    "allowPartialResults",
    "noCursorTimeout",
];

/// What an aggregate may carry.
pub(super) const AGGREGATE: &[&str] =
    &["let", "allowDiskUse", "cursor", "batchSize", "comment", "maxTimeMS", "readConcern"];

/// What a count or a distinct may carry.
pub(super) const COUNT: &[&str] = &["comment", "maxTimeMS", "readConcern"];

/// What an update or a delete may carry.
pub(super) const WRITE: &[&str] = &["let", "comment", "maxTimeMS"];

/// Passes the options that are all on the list and hold no code.
pub(super) fn check(command: &str, options: &Document, allowed: &[&str]) -> Result<()> {
    for (key, given) in options {
        if !allowed.contains(&key.as_str()) {
            let error = refused(format!("{command} is not sent with '{key}'"));
            return Err(match (key.as_str(), nearest(key, allowed.iter().copied()).first()) {
                ("tailable" | "awaitData", _) => {
                    error.hint("leave it out: it waits for documents that are not there yet")
                }
                (_, Some(near)) => error.hint(format!("did you mean '{near}'?")),
                (_, None) => error.hint("leave it out: reading does not need it"),
            });
        }
        let place = format!("'{key}'");
        value(given, &place)?;
        match (key.as_str(), given) {
            ("readConcern", Bson::Document(concern)) => {
                let level = concern.get("level").and_then(Bson::as_str).unwrap_or("local");
                let plain = concern.keys().all(|key| key == "level");
                if !plain || !matches!(level, "local" | "available" | "majority" | "snapshot") {
                    // A linearizable read writes a no-op to the oplog.
                    return Err(refused("this read concern is not sent to a target")
                        .hint("use local, available, majority or snapshot"));
                }
            }
            ("cursor", Bson::Document(cursor)) if cursor.keys().all(|key| key == "batchSize") => {}
            ("cursor", Bson::Document(_)) => {
                return Err(refused("'cursor' takes only batchSize").hint("leave the rest out"));
            }
            ("readConcern" | "cursor", _) => {
                return Err(
                    refused(format!("'{key}' must be a document")).hint("correct it and try again")
                );
            }
            _ => {}
        }
    }
    Ok(())
}
