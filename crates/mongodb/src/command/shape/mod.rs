//! What commands of one shape have in common: everything but their values. The server's own
//! `queryHash` differs between versions for the same shape, so this one is computed here, from
//! what the command says, however it was learnt: shell, explain, log or profile.

mod commands;
mod pipeline;
mod write;

use bson::{Bson, Document};
use marula_core::Fingerprint;

use super::Command;
use write::Writer;

/// A command with its values replaced by `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandShape {
    /// The server's name of the command: `find`, `aggregate`, `update` …
    pub operation: String,
    /// `database.collection`, or as much of it as is known.
    pub namespace: String,
    /// The command in mongosh syntax, values as `?`. The same for all commands of the shape.
    pub text: String,
}

impl CommandShape {
    /// The shape of a command as the server takes it, or of one statement of a batched write
    /// (`{q, u, multi}`, `{q, limit}`), as logs and the profiler tell it. Fields of the session
    /// and comments are left out, and the order of a filter's keys does not matter. `operation`
    /// is the log's or the profiler's word for it (`update`, `remove`, `command` …), needed where
    /// the document alone does not say. With `cut`, the end of the command is unknown.
    pub fn of(namespace: &str, operation: &str, command: &Document, cut: bool) -> Self {
        let collection = namespace.split_once('.').map_or(namespace, |(_, name)| name);
        let mut writer = Writer::default();
        let operation = commands::write(&mut writer, collection, operation, command);
        let mut text = writer.out;
        if cut {
            text.push_str(" …");
        }
        CommandShape { operation, namespace: namespace.to_owned(), text }
    }

    /// The shape's name: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> Fingerprint {
        // FNV-1a: short, the same on every machine and version; not a defence against anyone.
        let bytes = self.namespace.bytes().chain([b' ']).chain(self.text.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Fingerprint(format!("{hash:016x}"))
    }
}

impl Command {
    /// The command's shape: the same for the same namespace, operation, and shape of filter,
    /// sort, projection, update or pipeline, whatever the literals are.
    pub fn shape(&self) -> CommandShape {
        let namespace = match &self.database {
            Some(database) => format!("{database}.{}", self.collection),
            // Without a database, dots belong to the collection's name.
            None => format!(".{}", self.collection),
        };
        let mut shape = CommandShape::of(&namespace, "command", &self.to_command(), false);
        if self.database.is_none() {
            shape.namespace.remove(0);
        }
        shape
    }

    /// The shape's name. 16 hexadecimal digits.
    pub fn fingerprint(&self) -> Fingerprint {
        self.shape().fingerprint()
    }
}

/// Whether a flag or a count is set: 4.2 and drivers write `1`, `1.0` and `true` alike.
fn truthy(value: &Bson) -> bool {
    match value {
        Bson::Boolean(yes) => *yes,
        Bson::Int32(number) => *number != 0,
        Bson::Int64(number) => *number != 0,
        Bson::Double(number) => *number != 0.0,
        Bson::Null => false,
        _ => true,
    }
}

/// Fields that belong to the session a command was sent in, not to the command.
pub fn of_the_session(name: &str) -> bool {
    name.starts_with('$')
        || matches!(
            name,
            "lsid"
                | "txnNumber"
                | "autocommit"
                | "startTransaction"
                | "readConcern"
                | "writeConcern"
                | "commitQuorum"
                | "comment"
                | "maxTimeMS"
                | "signature"
                | "apiVersion"
                | "apiStrict"
                | "apiDeprecationErrors"
                | "shardVersion"
                | "databaseVersion"
                | "mayBypassWriteBlocking"
                | "cursor"
                | "batchSize"
                | "ordered"
                | "stmtId"
                | "stmtIds"
        )
}

#[cfg(test)]
mod tests;
