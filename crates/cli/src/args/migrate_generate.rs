//! `marula migrate` commands that write a migration.

use clap::{Args, ValueEnum};

use super::NewFile;

/// `marula migrate rename`.
#[derive(Debug, Args)]
#[command(after_help = "\
A column (or a field) is renamed in steps, each a migration: the new one beside the old one, a
trigger that keeps them the same, the rows that are there in batches, a check, the switch, and at
last the old one goes. Statements with the old and the new name work until then.
A table gets its new name at once, and a view keeps the old one working.
On MongoDB nothing keeps two fields the same: the application writes both between the steps.

Examples:
  marula migrate rename users.mail email --target shop
  marula migrate rename users people
  marula migrate rename users.phone contact.phone --engine mongodb")]
pub struct MigrateRename {
    /// The table, or the table and its column; on MongoDB the collection and its field.
    #[arg(value_name = "TABLE[.COLUMN]")]
    pub what: String,
    /// The new name; of a nested field as the document has it: contact.phone.
    pub new: String,
    /// The column's type, when no target tells it.
    #[arg(long = "type", value_name = "TYPE")]
    pub data_type: Option<String>,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// `marula migrate change-type`.
#[derive(Debug, Args)]
#[command(after_help = "\
Written are five migrations: a column of the new type and a trigger that fills it; the rows that are
there, in batches; a check, with keys, indexes and NOT NULL; the swap of the names; and the old
column's end. With --target its default, keys, indexes and foreign keys are taken over, those that
refer to it and the views that read it, too; and the values are looked at, for ten seconds at most.
On MongoDB two: values that come back the same from the new type are converted in place, and a check
tells how many of which type stayed.

Examples:
  marula migrate change-type orders.id bigint --target shop
  marula migrate change-type users.age integer --using \"nullif(age, '')::integer\"
  marula migrate change-type users.age int --engine mongodb")]
pub struct MigrateChangeType {
    /// The table and its column, or the collection and its field.
    #[arg(value_name = "TABLE.COLUMN")]
    pub column: String,
    /// The new type; for MongoDB int, long, double, decimal, bool, date, string or objectId.
    #[arg(value_name = "TYPE")]
    pub data_type: String,
    /// The new value as an expression over the column [default: a cast] (PostgreSQL).
    #[arg(long, value_name = "EXPRESSION")]
    pub using: Option<String>,
    /// The old value as an expression over the changed column, so that the swap can be taken back
    /// [default: a cast to the type the target has] (PostgreSQL).
    #[arg(long, value_name = "EXPRESSION")]
    pub back: Option<String>,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// `marula migrate split` and `merge`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  marula migrate split users name --into \"first=text:split_part(name, ' ', 1)\" \\
      --into \"last=text:split_part(name, ' ', 2)\" --back \"name=first || ' ' || last\"
  marula migrate merge users first last --into \"name=text:first || ' ' || last\"")]
pub struct MigrateDerive {
    /// The table.
    pub table: String,
    /// The columns that go at last.
    #[arg(required = true)]
    pub columns: Vec<String>,
    /// A new column: its name, type, and an expression over the old ones.
    #[arg(long, required = true, value_name = "NAME=TYPE:EXPRESSION")]
    pub into: Vec<String>,
    /// An old column as an expression over the new ones, so that writes to the new ones reach it.
    #[arg(long, value_name = "COLUMN=EXPRESSION")]
    pub back: Vec<String>,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// What can be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Droppable {
    /// A table, or a collection.
    Table,
    /// A column, or a field of all documents: TABLE.COLUMN.
    Column,
    /// An index; for MongoDB COLLECTION.INDEX.
    Index,
    /// A constraint: TABLE.CONSTRAINT.
    Constraint,
}

/// `marula migrate drop`.
#[derive(Debug, Args)]
pub struct MigrateDrop {
    /// What sort of object.
    pub kind: Droppable,
    /// Its name.
    pub name: String,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// `marula migrate backfill`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  marula migrate backfill users --set \"status='active'\" --where \"status IS NULL\"
  marula migrate backfill users --set '{\"$set\": {\"status\": \"active\"}}' \\
      --where '{\"status\": {\"$exists\": false}}' --engine mongodb")]
pub struct MigrateBackfill {
    /// The table or collection.
    pub table: String,
    /// A column's new value, as an expression; for MongoDB the update.
    #[arg(long, required = true, value_name = "COLUMN=VALUE")]
    pub set: Vec<String>,
    /// Which rows [default: those that do not have it yet]; for MongoDB the filter.
    #[arg(long = "where", value_name = "CONDITION")]
    pub condition: Option<String>,
    /// Rows or documents in one batch.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub batch: u64,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// `marula migrate validator`.
#[derive(Debug, Args)]
pub struct MigrateValidator {
    /// The collection.
    pub collection: String,
    /// The validator as JSON, or @FILE: {"$jsonSchema": …} or a schema alone.
    pub validator: String,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// `marula migrate add-constraint`.
#[derive(Debug, Args)]
pub struct MigrateAddConstraint {
    /// The table.
    pub table: String,
    /// The constraint's name.
    pub name: String,
    /// What it says: "CHECK (price > 0)", "UNIQUE (mail)".
    pub definition: String,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// `marula migrate add-foreign-key`.
#[derive(Debug, Args)]
pub struct MigrateAddForeignKey {
    /// The table that refers.
    pub table: String,
    /// Its columns.
    #[arg(required = true)]
    pub columns: Vec<String>,
    /// The table that is referred to.
    #[arg(long, value_name = "TABLE")]
    pub references: String,
    /// The columns that are referred to [default: the primary key].
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    pub key: Vec<String>,
    /// What becomes of the row when the one it refers to goes: CASCADE, SET NULL …
    #[arg(long, value_name = "ACTION")]
    pub on_delete: Option<String>,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}

/// `marula migrate shard-key-field`.
#[derive(Debug, Args)]
pub struct MigrateShardKeyField {
    /// The collection and its field.
    #[arg(value_name = "COLLECTION.FIELD")]
    pub field: String,
    /// What documents that lack the field get, as JSON.
    #[arg(long, value_name = "JSON")]
    pub value: String,
    /// The fields of the shard key, in order.
    #[arg(long, required = true, num_args = 1.., value_name = "FIELD")]
    pub key: Vec<String>,
    /// Where it goes.
    #[command(flatten)]
    pub file: NewFile,
}
