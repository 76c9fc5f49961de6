//! Creating the empty copy: extensions, types, functions, tables, views.

use std::collections::BTreeSet;

use marula_core::{Error, ErrorKind, Result};
use tokio_postgres::Client;

use super::objects::{Needed, Object};
use super::tables::Table;
use super::{failed, quote};

/// Creates all that the tables need, and the tables, empty.
pub(super) async fn create(
    lab: &Client,
    tables: &[Table],
    needed: Needed,
    notes: &mut Vec<String>,
) -> Result<()> {
    // Bodies may name what is made later, or what is not copied at all.
    lab.batch_execute(
        "SET check_function_bodies = off; SET search_path = ''; SET client_min_messages = error; \
         SET datestyle = iso; SET intervalstyle = postgres; SET timezone = 'UTC'",
    )
    .await
    .map_err(failed)?;
    schemas(lab, tables, &needed).await?;
    for (extension, schema) in &needed.extensions {
        let ddl = format!(
            "CREATE EXTENSION IF NOT EXISTS {} SCHEMA {} CASCADE",
            quote(extension),
            quote(schema)
        );
        if let Err(error) = lab.batch_execute(&ddl).await {
            notes.push(format!(
                "the lab does not have the extension {extension}: {}",
                failed(error).message()
            ));
        }
    }
    for name in needed.beyond {
        notes.push(format!("{name} is not copied"));
    }
    // Types, functions and sequences need each other in any order; a function may also need a
    // table's row type. What fails is tried again once more is there.
    let mut open = rounds(lab, needed.objects).await?;
    for table in tables.iter().filter(|table| table.kind != 'v') {
        table_with_parents(lab, table, notes, &mut open).await?;
    }
    attach(lab, tables, notes).await?;
    open.extend(needed.views);
    for object in rounds(lab, open).await? {
        notes.push(format!("{} could not be made in the lab", object.name));
    }
    Ok(())
}

async fn schemas(lab: &Client, tables: &[Table], needed: &Needed) -> Result<()> {
    let mut schemas: BTreeSet<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
    schemas.extend(needed.extensions.iter().map(|(_, schema)| schema.as_str()));
    for schema in schemas.into_iter().filter(|schema| *schema != "pg_catalog") {
        let ddl = format!("CREATE SCHEMA IF NOT EXISTS {}", quote(schema));
        lab.batch_execute(&ddl).await.map_err(failed)?;
    }
    Ok(())
}

/// Creates objects in rounds until a round gets no further; gives those that remain.
async fn rounds(lab: &Client, mut open: Vec<Object>) -> Result<Vec<Object>> {
    loop {
        let before = open.len();
        let mut left = Vec::new();
        for object in open {
            let made = match lab.batch_execute(&object.ddl).await {
                // Its schema holds no touched table.
                Err(error) if error.code().is_some_and(|code| code.code() == "3F000") => {
                    schema_of(lab, &object).await?;
                    lab.batch_execute(&object.ddl).await
                }
                other => other,
            };
            match made {
                Ok(()) => {}
                Err(error) if error.as_db_error().is_none() => return Err(failed(error)),
                Err(_) => left.push(object),
            }
        }
        if left.is_empty() || left.len() == before {
            return Ok(left);
        }
        open = left;
    }
}

/// Creates the schema of an object, which its name begins with, quoted where need be.
async fn schema_of(lab: &Client, object: &Object) -> Result<()> {
    let Some((_, name)) = object.name.split_once(' ') else { return Ok(()) };
    let end =
        if name.starts_with('"') { name.find("\".").map(|at| at + 1) } else { name.find('.') };
    if let Some(schema) = end.and_then(|end| name.get(..end)) {
        let ddl = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
        lab.batch_execute(&ddl).await.map_err(failed)?;
    }
    Ok(())
}

async fn table_with_parents(
    lab: &Client,
    table: &Table,
    notes: &mut Vec<String>,
    open: &mut Vec<Object>,
) -> Result<()> {
    if lab.batch_execute(&table.create(true)).await.is_err() {
        *open = rounds(lab, std::mem::take(open)).await?;
        if lab.batch_execute(&table.create(true)).await.is_err() {
            lab.batch_execute(&table.create(false)).await.map_err(|error| {
                let error = failed(error);
                Error::new(
                    ErrorKind::Unsupported,
                    format!("{} cannot be made in the lab: {}", table.quoted, error.message()),
                )
                .hint("install what it needs for the lab's server, or prove with --prove what-if")
            })?;
            notes.push(format!("{} is copied without its defaults", table.quoted));
        }
    }
    for ddl in table.column_settings() {
        // A statistics target or storage that this server does not know changes no result.
        let _ = lab.batch_execute(&ddl).await;
    }
    Ok(())
}

async fn attach(lab: &Client, tables: &[Table], notes: &mut Vec<String>) -> Result<()> {
    for table in tables {
        let Some(parent) = table.parent.and_then(|oid| tables.iter().find(|t| t.oid == oid)) else {
            continue;
        };
        let ddl = match &table.bound {
            Some(bound) => {
                format!("ALTER TABLE {} ATTACH PARTITION {} {bound}", parent.quoted, table.quoted)
            }
            None => format!("ALTER TABLE {} INHERIT {}", table.quoted, parent.quoted),
        };
        if let Err(error) = lab.batch_execute(&ddl).await {
            let error = failed(error);
            if table.bound.is_some() {
                return Err(error.at(table.quoted.clone()).with_kind(ErrorKind::Unsupported));
            }
            notes.push(format!("{} does not inherit in the lab: {error}", table.quoted));
        }
    }
    Ok(())
}
