//! What a broken CONCURRENTLY leaves: invalid indexes, and which of them are nobody's work.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::from_server;
use marula_postgres::sql::{quote_ident, quote_literal, quote_qualified};
use pg_query::protobuf as pb;

use super::Ground;

/// An index as the catalogue has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Index {
    /// Its OID, in words for the history.
    pub oid: String,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its table, qualified and quoted.
    pub table: String,
    /// Whether queries use it and it is kept up.
    pub valid: bool,
    /// The server process that works on it, other than ours.
    pub builder: Option<i32>,
}

const SELECT: &str = "SELECT c.oid::text, n.nspname::text, c.relname::text, \
    i.indrelid::regclass::text, i.indisvalid AND i.indisready AND i.indislive, \
    (SELECT min(l.pid) FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation' AND l.granted \
      AND l.relation IN (i.indrelid, c.oid) AND l.mode = 'ShareUpdateExclusiveLock' \
      AND l.pid <> pg_catalog.pg_backend_pid() AND EXISTS (SELECT FROM \
        pg_catalog.pg_stat_activity a WHERE a.pid = l.pid AND a.backend_type = 'client backend') \
      AND l.database = (SELECT oid FROM pg_catalog.pg_database \
                        WHERE datname = pg_catalog.current_database())) \
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'i' AND ";

/// The indexes that fulfil a condition.
pub(super) async fn indexes(ground: &Ground, condition: &str) -> Result<Vec<Index>> {
    let sql = format!("{SELECT}{condition} ORDER BY c.oid");
    let rows = ground.session.client().query(&sql, &[]).await;
    let rows = rows.map_err(|error| from_server(&error))?;
    Ok(rows
        .iter()
        .map(|row| Index {
            oid: row.get(0),
            schema: row.get(1),
            name: row.get(2),
            table: row.get(3),
            valid: row.get(4),
            builder: row.get(5),
        })
        .collect())
}

/// The indexes of a table.
pub(super) async fn of_table(ground: &Ground, table: &pb::RangeVar) -> Result<Vec<Index>> {
    let name = quote_literal(&written(table));
    indexes(ground, &format!("i.indrelid = pg_catalog.to_regclass({name})")).await
}

/// A relation's name as SQL.
pub(super) fn written(relation: &pb::RangeVar) -> String {
    match relation.schemaname.is_empty() {
        true => quote_ident(&relation.relname),
        false => quote_qualified(&relation.schemaname, &relation.relname),
    }
}

/// All invalid indexes.
pub(super) async fn invalid(ground: &Ground) -> Result<Vec<Index>> {
    indexes(ground, "NOT (i.indisvalid AND i.indisready AND i.indislive)").await
}

/// Drops an invalid index, unless somebody works on it.
pub(super) async fn drop(ground: &Ground, index: &Index) -> Result<()> {
    let name = quote_qualified(&index.schema, &index.name);
    if let Some(pid) = index.builder {
        return Err(Error::new(
            ErrorKind::Refused,
            format!(
                "the index {name} is invalid, and server process {pid} works on {}",
                index.table
            ),
        )
        .hint("wait until that has ended, then run this again"));
    }
    ground.execute("SET lock_timeout = 0").await?;
    ground.execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
    ground.note(format!("the invalid index {name}, left by a build that broke off, was dropped"));
    Ok(())
}
