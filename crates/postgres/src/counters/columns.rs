use std::collections::HashSet;

use marula_core::{Error, ErrorKind, Result, Timestamp};

use super::{Snapshot, not_loaded};
use crate::sql::quote_qualified;
use crate::{Session, from_server};

/// What this version of the extension calls its columns, and where it lives.
pub(super) struct Columns {
    /// The extension's version.
    pub version: String,
    /// `pg_stat_statements.max`.
    pub max: u64,
    /// The server's block size, in bytes.
    pub block: u64,
    schema: String,
    names: HashSet<String>,
}

impl Columns {
    /// Looks the extension up.
    pub async fn read(session: &Session) -> Result<Self> {
        let client = session.client();
        let asked = "SELECT e.extversion, n.nspname::text,
                    pg_catalog.current_setting('block_size')::int8,
                    pg_catalog.current_setting('pg_stat_statements.max', true)::int8
             FROM pg_catalog.pg_extension e
             JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
             WHERE e.extname = 'pg_stat_statements'";
        let found = client.query_opt(asked, &[]).await.map_err(|error| from_server(&error))?;
        let Some(found) = found else {
            // A library that is loaded counts already; its setting says so.
            let loaded = client
                .query_one("SELECT pg_catalog.current_setting('pg_stat_statements.max', true)", &[])
                .await
                .map_err(|error| from_server(&error))?
                .get::<_, Option<String>>(0);
            return Err(match loaded {
                Some(_) => Error::new(
                    ErrorKind::NotFound,
                    format!(
                        "pg_stat_statements is not installed in database {}",
                        session.database()
                    ),
                )
                .hint("its owner or a superuser runs there: CREATE EXTENSION pg_stat_statements"),
                None => not_loaded(false),
            });
        };
        let schema: String = found.get(1);
        let number = |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok());
        let columns = "SELECT a.attname::text FROM pg_catalog.pg_attribute a
             JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = 'pg_stat_statements' AND a.attnum > 0
               AND NOT a.attisdropped";
        let names = client.query(columns, &[&schema]).await.map_err(|error| from_server(&error))?;
        Ok(Columns {
            version: found.get(0),
            max: number(found.get(3)).unwrap_or(0),
            block: number(found.get(2)).unwrap_or(8192),
            schema,
            names: names.iter().map(|row| row.get(0)).collect(),
        })
    }

    /// The first of these names that the view has, else `otherwise`.
    fn any(&self, names: &[&str], otherwise: &str) -> String {
        let known = names.iter().find(|name| self.names.contains(**name));
        known.map_or_else(|| otherwise.into(), |name| format!("s.{name}"))
    }

    /// What stands behind SELECT.
    pub fn select(&self) -> String {
        let time =
            |what: &str| self.any(&[&format!("{what}_exec_time"), &format!("{what}_time")], "0");
        let since = match self.names.contains("stats_since") {
            true => "(extract(epoch FROM s.stats_since) * 1000)::int8",
            false => "NULL::int8",
        };
        format!(
            "s.userid, s.dbid, s.queryid, {toplevel} AS toplevel, s.query,
                    r.rolname::text AS rolname, d.datname::text AS datname, s.calls,
                    {total}::float8 AS total, {min}::float8 AS min, {max}::float8 AS max,
                    {stddev}::float8 AS stddev, s.rows,
                    s.shared_blks_hit + s.shared_blks_read + s.local_blks_hit + s.local_blks_read
                        AS buffers,
                    s.temp_blks_written AS temp, {since} AS since
             FROM {view} s
             LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.userid
             LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid",
            toplevel = self.any(&["toplevel"], "true"),
            total = time("total"),
            min = time("min"),
            max = time("max"),
            stddev = time("stddev"),
            view = quote_qualified(&self.schema, "pg_stat_statements"),
        )
    }

    /// Reads the clock, and from version 1.9 on what was thrown away.
    pub async fn info(&self, session: &Session, snapshot: &mut Snapshot) -> Result<()> {
        let (major, minor) = self.version.split_once('.').unwrap_or((&self.version, "0"));
        let version = (major.parse().unwrap_or(1u32), minor.parse().unwrap_or(0u32));
        let (what, from) = if version >= (1, 9) {
            let view = quote_qualified(&self.schema, "pg_stat_statements_info");
            (
                "(extract(epoch FROM i.stats_reset) * 1000)::int8, i.dealloc",
                format!(" FROM {view} i"),
            )
        } else {
            ("NULL::int8, NULL::int8", String::new())
        };
        let sql = format!(
            "{} (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::int8, {what}{from}",
            super::OWN
        );
        let row =
            session.client().query_one(&sql, &[]).await.map_err(|error| from_server(&error))?;
        snapshot.at = Timestamp(row.get(0));
        snapshot.reset = row.get::<_, Option<i64>>(1).map(Timestamp);
        snapshot.evictions = row.get::<_, Option<i64>>(2).and_then(|n| u64::try_from(n).ok());
        Ok(())
    }
}
