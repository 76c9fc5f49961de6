//! `marula migrate new`, `add-index`, `add-field`, `not-null`.

use marula_core::{Engine, Error, ErrorKind, Result};
use marula_migrate::postgres;

use super::documents;
use super::generate::{For, one, parts, several, what_for};
use crate::app::{App, Outcome};
use crate::args::{MigrateAddField, MigrateAddIndex, MigrateNew, MigrateNotNull};

/// Makes an empty migration and says where.
pub async fn run(app: &App, args: &MigrateNew) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    let text = match given.engine {
        Engine::Postgres => "-- migrate:up lock_timeout:2s\n\n\n-- migrate:down\n\n",
        Engine::Mongodb => "{\n  \"up\": [],\n  \"down\": []\n}\n",
    };
    one(app, &args.file, given.engine, &args.name, text.into())
}

/// Makes a migration that builds an index.
pub async fn add_index(app: &App, args: &MigrateAddIndex) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    if given.engine == Engine::Mongodb {
        return documents::add_index(app, args, &given).await;
    }
    let (table, columns) = (args.table.as_str(), args.columns.as_slice());
    let text = index(&given, table, columns, args.unique)?;
    let name = format!("add_index_{table}_{}", columns.join("_"));
    let notes = postgres::generate::waits(&text, &given.known())?;
    several(app, &args.file, given.engine, &name, vec![("", text)], notes)
}

/// An index in the form that the table wants, where the target tells.
fn index(given: &For, table: &str, columns: &[String], unique: bool) -> Result<String> {
    let known = given.table(table)?;
    if let Some(relation) = known {
        let plain = |name: &&String| name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let lacking = columns.iter().filter(plain).find(|name| relation.column(name).is_none());
        if let Some(name) = lacking {
            let what = format!("table {table} has no column {name}");
            return Err(
                Error::new(ErrorKind::NotFound, what).hint("see what is there with marula inspect")
            );
        }
    }
    postgres::generate::add_index(table, columns, unique, &given.known())
}

/// Makes a migration that adds a column, or a field to all documents.
pub async fn add_field(app: &App, args: &MigrateAddField) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    if given.engine == Engine::Mongodb {
        return documents::add_field(app, args, &given).await;
    }
    let (table, field) = parts(&args.field)?;
    if given.has(table, field)? == Some(true) {
        let what = format!("table {table} has a column {field} already");
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("choose another name, or see marula migrate change-type"));
    }
    let (kind, default) = (args.data_type.as_str(), args.default.as_deref());
    let text = postgres::generate::add_field(table, field, kind, default, &given.known())?;
    one(app, &args.file, given.engine, &format!("add_{field}_to_{table}"), text)
}

/// Makes a migration that forbids NULL in a column.
pub async fn not_null(app: &App, args: &MigrateNotNull) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    if given.engine == Engine::Mongodb {
        return Err(Error::new(ErrorKind::Unsupported, "MongoDB has no NOT NULL")
            .hint("a validator says which fields documents must have"));
    }
    let (table, column) = parts(&args.column)?;
    if given.has(table, column)? == Some(false) {
        let what = format!("table {table} has no column {column}");
        return Err(
            Error::new(ErrorKind::NotFound, what).hint("see what is there with marula inspect")
        );
    }
    let text = postgres::generate::not_null(table, column, &given.known())?;
    let name = format!("{table}_{column}_not_null");
    let Some(fill) = &args.fill else {
        let note = format!(
            "it fails while a row holds NULL in {column}: with --fill a migration before it fills those"
        );
        return several(app, &args.file, given.engine, &name, vec![("", text)], vec![note]);
    };
    let quoted = marula_postgres::sql::quote_ident(column);
    let (set, missing) = (format!("{column} = {fill}"), format!("{quoted} IS NULL"));
    let filled = postgres::generate::backfill(table, &[set], Some(&missing), 10_000)?;
    let steps = vec![("fill", filled), ("enforce", text)];
    several(app, &args.file, given.engine, &name, steps, Vec::new())
}
