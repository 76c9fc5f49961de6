//! The histories of other tools in a PostgreSQL database.

use marula_core::{Result, Timestamp};
use marula_postgres::from_server;
use marula_postgres::sql::quote_qualified;

use super::Ground;
use crate::apply::adopt::{Foreign, ForeignRow, Sum};

/// The tables they are in.
pub(crate) const HISTORIES: [&str; 12] = [
    "_sqlx_migrations",
    "refinery_schema_history",
    "schema_migrations",
    "flyway_schema_history",
    "databasechangelog",
    "goose_db_version",
    "atlas_schema_revisions",
    "_prisma_migrations",
    "alembic_version",
    "django_migrations",
    "__diesel_schema_migrations",
    "ar_internal_metadata",
];

/// Every history that is there.
pub(super) async fn find(ground: &Ground) -> Result<Vec<Foreign>> {
    let names: Vec<String> = HISTORIES.iter().map(|name| (*name).to_string()).collect();
    let sql = "SELECT n.nspname::text, c.relname::text, array_agg(a.attname::text) \
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
          AND NOT a.attisdropped \
        WHERE lower(c.relname) = ANY ($1) AND c.relkind IN ('r', 'p') \
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') GROUP BY 1, 2 ORDER BY 1, 2";
    let rows = ground.session.client().query(sql, &[&names]).await;
    let rows = rows.map_err(|error| from_server(&error))?;
    let rails = rows.iter().any(|row| row.get::<_, &str>(1) == "ar_internal_metadata");
    let mut found = Vec::new();
    for row in &rows {
        let (schema, name): (&str, &str) = (row.get(0), row.get(1));
        let columns: Vec<String> = row.get(2);
        let table = quote_qualified(schema, name);
        let Some((tool, readable, select)) = how(&name.to_lowercase(), &columns, rails) else {
            continue;
        };
        found.push(read(ground, tool, readable, name, &select.replace("{table}", &table)).await?);
    }
    Ok(found)
}

/// Whose a table is, whether its files are read here, and the question for its rows: version,
/// name, file, checksum, trouble, seconds since 1970, special.
fn how(table: &str, columns: &[String], rails: bool) -> Option<(&'static str, bool, &'static str)> {
    let has = |column: &str| columns.iter().any(|own| own == column);
    Some(match table {
        "_sqlx_migrations" => (
            "sqlx",
            true,
            "SELECT version::text, description::text, NULL::text, encode(checksum, 'hex'), \
             CASE WHEN NOT success THEN 'failed in the middle' END, \
             date_part('epoch', installed_on), NULL::text FROM {table} ORDER BY version",
        ),
        "refinery_schema_history" => (
            "refinery",
            true,
            "SELECT version::text, name::text, NULL::text, checksum::text, NULL::text, \
             NULL::float8, NULL::text FROM {table} ORDER BY version",
        ),
        "schema_migrations" if has("dirty") => (
            "golang-migrate",
            true,
            "SELECT version::text, ''::text, NULL::text, NULL::text, CASE WHEN dirty THEN \
             'is marked dirty: it failed in the middle' END, NULL::float8, 'up to'::text FROM {table}",
        ),
        "schema_migrations" if rails => (
            "Rails",
            false,
            "SELECT version::text, ''::text, NULL::text, NULL::text, NULL::text, NULL::float8, \
             NULL::text FROM {table} ORDER BY version",
        ),
        "schema_migrations" if has("version") => (
            "dbmate",
            true,
            "SELECT version::text, ''::text, NULL::text, NULL::text, NULL::text, NULL::float8, \
             NULL::text FROM {table} ORDER BY version",
        ),
        "flyway_schema_history" => (
            "Flyway",
            true,
            "SELECT coalesce(version, '')::text, description::text, script::text, checksum::text, \
             CASE WHEN NOT success THEN 'failed' END, date_part('epoch', installed_on), \
             type::text FROM {table} ORDER BY installed_rank",
        ),
        "databasechangelog" => (
            "Liquibase",
            false,
            "SELECT concat(id, '::', author), coalesce(filename, '')::text, filename::text, \
             NULL::text, NULL::text, date_part('epoch', dateexecuted), NULL::text FROM {table} \
             ORDER BY orderexecuted",
        ),
        "goose_db_version" => (
            "goose",
            true,
            "SELECT version_id::text, ''::text, NULL::text, NULL::text, NULL::text, \
             date_part('epoch', tstamp), CASE WHEN NOT is_applied THEN 'undone' END FROM (SELECT \
             DISTINCT ON (version_id) * FROM {table} ORDER BY version_id, id DESC) AS last \
             WHERE version_id > 0 ORDER BY id",
        ),
        "atlas_schema_revisions" => (
            "Atlas",
            true,
            "SELECT version::text, description::text, NULL::text, hash::text, CASE WHEN applied < \
             total OR coalesce(error, '') <> '' THEN concat('is half done: ', applied, ' of ', \
             total) END, date_part('epoch', executed_at), NULL::text FROM {table} \
             WHERE version ~ '^[0-9]' ORDER BY version",
        ),
        "_prisma_migrations" => (
            "Prisma",
            true,
            "SELECT (regexp_match(migration_name, '^[0-9]+'))[1], regexp_replace(migration_name, \
             '^[0-9]+_?', ''), NULL::text, checksum::text, CASE WHEN finished_at IS NULL THEN \
             'did not come to its end' END, date_part('epoch', finished_at), CASE WHEN \
             rolled_back_at IS NOT NULL THEN 'undone' END FROM {table} ORDER BY started_at",
        ),
        "alembic_version" => (
            "Alembic",
            false,
            "SELECT version_num::text, ''::text, NULL::text, NULL::text, NULL::text, NULL::float8, \
             NULL::text FROM {table}",
        ),
        "django_migrations" => (
            "Django",
            false,
            "SELECT concat(app, '.', name), name::text, NULL::text, NULL::text, NULL::text, \
             date_part('epoch', applied), NULL::text FROM {table} ORDER BY id",
        ),
        "__diesel_schema_migrations" => (
            "Diesel",
            true,
            "SELECT version::text, ''::text, NULL::text, NULL::text, NULL::text, \
             date_part('epoch', run_on), NULL::text FROM {table} ORDER BY version",
        ),
        _ => return None,
    })
}

async fn read(
    ground: &Ground,
    tool: &'static str,
    readable: bool,
    table: &str,
    select: &str,
) -> Result<Foreign> {
    let rows = ground.session.client().query(select, &[]).await;
    let rows = rows.map_err(|error| from_server(&error).at(table.to_string()))?;
    let mut foreign =
        Foreign { tool, table: table.to_string(), readable, rows: Vec::new(), up_to: None };
    for row in &rows {
        let text = |at: usize| row.get::<_, Option<String>>(at);
        let version = text(0).unwrap_or_default();
        let trouble = text(4);
        match (text(6).as_deref(), tool) {
            (Some("up to"), _) if trouble.is_none() => {
                foreign.up_to = Some(version);
                continue;
            }
            (Some("BASELINE" | "SCHEMA"), "Flyway") => {
                if !version.is_empty() && text(6).as_deref() == Some("BASELINE") {
                    foreign.up_to = Some(version);
                }
                continue;
            }
            (Some("UNDO_SQL" | "DELETE"), "Flyway") => {
                foreign.rows.retain(|row| row.version != version);
                continue;
            }
            (Some("undone"), _) => continue,
            _ => {}
        }
        let sum = match (tool, text(3)) {
            ("sqlx", Some(sum)) => Sum::Sha384(sum),
            ("Prisma", Some(sum)) => Sum::Sha256(sum),
            ("refinery", Some(sum)) => Sum::Refinery(sum),
            ("Atlas", Some(sum)) if !sum.is_empty() => Sum::Atlas(sum),
            ("Flyway", Some(sum)) => sum.parse().map_or(Sum::None, Sum::Crc32),
            _ => Sum::None,
        };
        let finished = row.get::<_, Option<f64>>(5);
        let entry = ForeignRow {
            name: text(1).unwrap_or_default(),
            file: text(2),
            sum,
            trouble,
            finished: finished.map(|seconds| Timestamp((seconds * 1000.0) as i64)),
            version,
        };
        // A repeatable one stands there once for each time it ran; the last counts.
        if entry.version.is_empty() {
            foreign.rows.retain(|row| row.file != entry.file);
        }
        foreign.rows.push(entry);
    }
    Ok(foreign)
}
