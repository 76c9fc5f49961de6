//! New migrations in their safe form: the plain statement is written, and mended as `--fix` would.

use std::path::Path;

mod backfill;
mod constraint;
mod orphans;
mod table;

use marula_core::{
    Engine, MigrationHazard, Relation, RelationKind, RelationalCatalog, Result, Severity, Version,
};
use marula_postgres::sql::{quote_ident, quote_literal};

use super::schema::Schema;
use super::written::comment;
use super::{fix, lint};
use crate::lint::LintOptions;
use crate::migration::Tool;
pub use backfill::backfill;
pub use constraint::{add_constraint, add_foreign_key};
pub use orphans::orphans;
pub use table::rename_table;

/// What a migration is written for.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The server's version.
    pub version: Version,
    /// What the target holds, when one is named.
    pub catalog: Option<&'a RelationalCatalog>,
}

impl Known<'_> {
    /// Its tables, without their sizes: what is small today may have grown when the file runs.
    fn schema(&self) -> Schema {
        let mut schema = self.catalog.map(Schema::from_catalog).unwrap_or_default();
        for table in schema.tables.values_mut() {
            table.size = None;
        }
        schema
    }

    /// The tables that hold a partitioned table's rows.
    fn leaves(&self, relation: &Relation) -> Vec<String> {
        let own = relation.qualified();
        let all = self.catalog.into_iter().flat_map(|catalog| &catalog.relations);
        let parts = all.filter(|part| {
            part.partition_bound.is_some() && part.partition_of.as_deref() == Some(own.as_str())
        });
        parts
            .flat_map(|part| match part.partition_key {
                Some(_) => self.leaves(part),
                None => vec![part.qualified()],
            })
            .collect()
    }

    fn partitioned(&self, table: &str) -> bool {
        let found = self.catalog.and_then(|catalog| catalog.find(table));
        found.is_some_and(|found| found.kind == RelationKind::PartitionedTable)
    }
}

/// An index on `columns` of `table`.
///
/// # Errors
/// `Syntax` when a name makes no SQL.
pub fn add_index(
    table: &str,
    columns: &[String],
    unique: bool,
    known: &Known<'_>,
) -> Result<String> {
    let (schema, _) = table.split_once('.').unwrap_or(("", table));
    let name = index_name(table, columns, unique);
    let placed =
        if schema.is_empty() { name.clone() } else { format!("{}.{name}", quote_ident(schema)) };
    let word = if unique { "UNIQUE INDEX" } else { "INDEX" };
    let how = if known.partitioned(table) { "" } else { "CONCURRENTLY " };
    let up = format!("CREATE {word} {name} ON {} ({})", quoted(table), keys(columns));
    safe(&up, &[format!("DROP INDEX {how}{placed}")], known)
}

/// A name for an index, quoted.
fn index_name(table: &str, columns: &[String], unique: bool) -> String {
    let bare = table.rsplit('.').next().unwrap_or(table);
    let suffix = if unique { "key" } else { "idx" };
    let words = columns.join("_");
    let words: Vec<&str> =
        words.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let mut name = format!("{bare}_{}_{suffix}", words.join("_"));
    while name.len() > 63 {
        name.pop();
    }
    quote_ident(&name)
}

/// The keys of an index: columns, and what is no name but an expression or says an order.
fn keys(columns: &[String]) -> String {
    let is_written = |key: &str| {
        let last = key.rsplit(' ').next().unwrap_or_default().to_ascii_lowercase();
        key.contains('(')
            || key.contains(' ') && ["asc", "desc", "first", "last"].contains(&last.as_str())
    };
    let key = |key: &String| if is_written(key) { key.clone() } else { quote_ident(key) };
    columns.iter().map(key).collect::<Vec<_>>().join(", ")
}

/// A column with a type and perhaps a default, which is an expression or a text.
///
/// # Errors
/// `Syntax` when the type or the default makes no SQL.
pub fn add_field(
    table: &str,
    column: &str,
    data_type: &str,
    default: Option<&str>,
    known: &Known<'_>,
) -> Result<String> {
    let (table, column) = (quoted(table), quote_ident(column));
    let default = default.map(|value| format!(" DEFAULT {}", expression(value)));
    safe(
        &format!(
            "ALTER TABLE {table} ADD COLUMN {column} {data_type}{}",
            default.unwrap_or_default()
        ),
        &[format!("ALTER TABLE {table} DROP COLUMN {column}")],
        known,
    )
}

/// NOT NULL on a column that is there.
///
/// # Errors
/// `Syntax` when a name makes no SQL.
pub fn not_null(table: &str, column: &str, known: &Known<'_>) -> Result<String> {
    let (table, column) = (quoted(table), quote_ident(column));
    safe(
        &format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL"),
        &[format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")],
        known,
    )
}

/// A column, a table or an index goes. `back` makes it again, where that is known.
///
/// # Errors
/// `Syntax` when a name makes no SQL.
pub fn drop(what: Dropped<'_>, back: Option<&str>, known: &Known<'_>) -> Result<String> {
    let (up, why) = match what {
        Dropped::Table(table) => (
            format!("DROP TABLE {}", quoted(table)),
            format!("table {table} and its rows are gone"),
        ),
        Dropped::Column(table, column) => (
            format!("ALTER TABLE {} DROP COLUMN {}", quoted(table), quote_ident(column)),
            format!("the values of {table}.{column} are gone"),
        ),
        Dropped::Index(index) => (
            format!("DROP INDEX {}", quoted(index)),
            format!("the definition of index {index} is not known without --target"),
        ),
        Dropped::Constraint(table, name) => (
            format!("ALTER TABLE {} DROP CONSTRAINT {}", quoted(table), quote_ident(name)),
            format!("the definition of constraint {name} is not known without --target"),
        ),
    };
    match back {
        Some(back) => safe(&up, &[back.to_string()], known),
        None => one_way(&up, &why, known),
    }
}

/// What is to be dropped.
#[derive(Debug, Clone, Copy)]
pub enum Dropped<'a> {
    /// A table.
    Table(&'a str),
    /// A table's column.
    Column(&'a str, &'a str),
    /// An index.
    Index(&'a str),
    /// A table's constraint.
    Constraint(&'a str, &'a str),
}

fn parsed(text: &str) -> Result<crate::Migration> {
    crate::files::parse(Path::new("20260101000000_new.sql"), text, Tool::Marula, Engine::Postgres)
}

/// A statement that cannot be taken back, in its safe form; the file says why.
fn one_way(up: &str, why: &str, known: &Known<'_>) -> Result<String> {
    let text = format!("-- migrate:up lock_timeout:2s\n{up};\n\n-- There is no way back: {why}.\n");
    finished(text, known)
}

fn quoted(table: &str) -> String {
    table.split('.').map(quote_ident).collect::<Vec<_>>().join(".")
}

/// A number, a constant or a call as it is; anything else as a text.
fn expression(value: &str) -> String {
    let plain = value.parse::<f64>().is_ok()
        || ["true", "false", "null", "current_date", "current_timestamp"]
            .contains(&value.to_ascii_lowercase().as_str())
        || (value.ends_with(')') && value.contains('('))
        || value.starts_with('\'');
    if plain { value.to_string() } else { quote_literal(value) }
}

fn safe(up: &str, down: &[String], known: &Known<'_>) -> Result<String> {
    let down = down.join(";\n");
    let outside = if down.contains("CONCURRENTLY") { " transaction:false" } else { "" };
    let text = format!(
        "-- migrate:up lock_timeout:2s\n{up};\n\n-- migrate:down lock_timeout:2s{outside}\n{down};\n"
    );
    finished(text, known)
}

fn finished(text: String, known: &Known<'_>) -> Result<String> {
    let migration = parsed(&text)?;
    let fixed = fix::fix(&migration, &known.schema(), known.version)?;
    let text = fixed.map_or(text, |fixed| fixed.text);
    // A build that waits for old transactions must not be cancelled for waiting.
    let mut text = match text.contains("INDEX CONCURRENTLY") {
        true => text.replace(" lock_timeout:2s", ""),
        false => text,
    };
    for left in waits(&text, known)? {
        text.insert_str(0, &format!("{}\n", comment(&left)));
    }
    Ok(text)
}

/// Why what was written keeps others waiting all the same, for as long as the table is large.
///
/// # Errors
/// `Syntax` when it does not parse.
pub fn waits(text: &str, known: &Known<'_>) -> Result<Vec<String>> {
    let migration = parsed(text)?;
    let options = LintOptions { version: Some(known.version) };
    let linted = lint::lint(std::slice::from_ref(&migration), known.schema(), &options);
    let findings = linted.into_iter().flat_map(|linted| linted.findings);
    let left = findings.filter(|finding| {
        finding.severity > Severity::Info
            && finding.hazard.as_ref().is_some_and(MigrationHazard::grows_while_blocking)
    });
    Ok(left
        .filter_map(|finding| {
            let why = fix::why_none(&finding.rule)?;
            Some(format!("it keeps others waiting: {}; {why}", finding.title))
        })
        .collect())
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    const V15: &Known<'_> = &Known { version: Version::new(15, 0, 0), catalog: None };

    fn made(text: Result<String>) -> String {
        text.unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_is_generated_is_the_safe_form() {
        let columns = ["user_id".to_string(), "created_at".to_string()];
        assert_eq!(
            made(add_index("orders", &columns, false, V15)),
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY \
             orders_user_id_created_at_idx ON orders (user_id, created_at);\n\n-- migrate:down \
             transaction:false\nDROP INDEX CONCURRENTLY orders_user_id_created_at_idx;\n"
        );
        let field = made(add_field("users", "status", "text", Some("active"), V15));
        assert!(field.contains("ADD COLUMN status text DEFAULT 'active';"), "{field}");
        let token = made(add_field("users", "token", "uuid", Some("gen_random_uuid()"), V15));
        assert!(token.contains("SET DEFAULT") && token.contains(fix::LAST_PASS), "{token}");
        let filled = made(not_null("users", "email", V15));
        assert!(
            filled.contains("VALIDATE CONSTRAINT") && filled.contains("DROP NOT NULL"),
            "{filled}"
        );
        assert!(add_field("users", "a", "no type at all", None, V15).is_err());
        let check = made(add_constraint("users", "grown", "CHECK (age >= 18)", V15));
        assert!(check.contains("NOT VALID;") && check.contains("VALIDATE CONSTRAINT"), "{check}");
        let key = made(add_foreign_key("orders", &columns[..1], "users", &[], None, V15));
        assert!(key.contains("orders_user_id_fkey") && key.contains("NOT VALID"), "{key}");
        let gone = made(drop(Dropped::Index("orders_at"), None, V15));
        assert!(gone.contains("DROP INDEX CONCURRENTLY") && gone.contains("no way back"), "{gone}");
        let gone = made(drop(Dropped::Column("users", "age"), None, V15));
        assert!(!gone.contains("migrate:down"), "{gone}");
        let assignments = ["status='active'".to_string()];
        let filled = made(backfill("users", &assignments, None, 500));
        assert!(filled.contains("batch:500") && filled.contains("IS DISTINCT FROM"), "{filled}");
        let apart = "EXCLUDE USING gist (room WITH =, during WITH &&)";
        let apart = made(add_constraint("stays", "apart", apart, V15));
        let flat = apart.replace("\n-- ", " ");
        assert!(flat.contains("no server has an online form of it"), "{apart}");
        let key = made(add_constraint("users", "users_pkey", "PRIMARY KEY (id)", V15));
        assert!(key.contains("USING INDEX") && !key.contains("keeps others waiting"), "{key}");
        assert!(add_constraint("t", "c", "CHECK (a > 0), ADD b int", V15).is_err());
        assert!(backfill("users", &["no assignment".to_string()], None, 500).is_err());
    }
}
