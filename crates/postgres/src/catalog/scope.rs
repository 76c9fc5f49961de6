use marula_core::{Error, ErrorKind, Result, nearest};

use super::Scope;
use crate::{Session, error, sql};

/// The relations to read, by oid.
pub(super) async fn resolve(session: &Session, scope: Scope<'_>) -> Result<Vec<u32>> {
    let client = session.client();
    let failed = |e: tokio_postgres::Error| error::from_server(&e);
    let Scope::Relations(names) = scope else {
        let rows = client.query(ALL, &[]).await.map_err(failed)?;
        return rows.iter().map(|row| row.try_get(0).map_err(failed)).collect();
    };
    // A dot separates the schema, unless a relation really has one in its name.
    let whole: Vec<String> = names.iter().map(|name| sql::quote_ident(name)).collect();
    let split: Vec<String> = names
        .iter()
        .map(|name| match name.split_once('.') {
            Some((schema, name)) => sql::quote_qualified(schema, name),
            None => sql::quote_ident(name),
        })
        .collect();
    let rows = client
        .query(
            "SELECT COALESCE(pg_catalog.to_regclass(w), pg_catalog.to_regclass(s))::oid
             FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
                  WITH ORDINALITY AS n(w, s, at)
             ORDER BY at",
            &[&whole, &split],
        )
        .await
        .map_err(failed)?;
    let mut found = Vec::new();
    for (row, name) in rows.iter().zip(names) {
        match row.try_get::<_, Option<u32>>(0).map_err(failed)? {
            Some(oid) => found.push(oid),
            None => return Err(unknown(session, name).await),
        }
    }
    let rows = client.query(WITH_INPUTS, &[&found]).await.map_err(failed)?;
    rows.iter().map(|row| row.try_get(0).map_err(failed)).collect()
}

async fn unknown(session: &Session, name: &str) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("there is no relation '{name}'"))
        .at(session.database());
    let known: Vec<String> = match session.client().query(NAMES, &[]).await {
        Ok(rows) => rows.iter().filter_map(|row| row.try_get(0).ok()).collect(),
        Err(_) => Vec::new(),
    };
    match nearest(name, known.iter().map(String::as_str)).as_slice() {
        [] => error.hint("name a table or view, with its schema unless the search_path has it"),
        near => error.hint(format!("did you mean {}?", near.join(", "))),
    }
}

/// The user's relations that the user may read.
const ALL: &str = "
    SELECT c.oid
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp\\_%'
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')";

const NAMES: &str = "
    SELECT CASE WHEN n.nspname = ANY (pg_catalog.current_schemas(false))
           THEN c.relname::text ELSE n.nspname || '.' || c.relname END
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%'
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') LIMIT 20000";

/// The given relations, what views among them read, and partitions.
const WITH_INPUTS: &str = "
    WITH RECURSIVE touched(oid) AS (
        SELECT o FROM pg_catalog.unnest($1::oid[]) AS o
        UNION
        SELECT below.oid
        FROM touched t, LATERAL (
            SELECT d.refobjid AS oid
            FROM pg_catalog.pg_rewrite w
            JOIN pg_catalog.pg_depend d
              ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
             AND d.refclassid = 'pg_catalog.pg_class'::regclass
            WHERE w.ev_class = t.oid
            UNION ALL
            SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = t.oid
        ) below
    )
    SELECT t.oid FROM touched t JOIN pg_catalog.pg_class c ON c.oid = t.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')";
