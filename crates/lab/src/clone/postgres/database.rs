//! The database a copy is made in, and the settings its sessions get.

use std::sync::atomic::{AtomicU32, Ordering};

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::{ConnectSpec, Session, SessionOptions};
use tokio_postgres::Client;

use super::{failed, quote};

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// A name for a database that no other copy of this process has.
pub(crate) fn name() -> String {
    format!("bench_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// What moves the planner, or the meaning of a statement, in the source's session.
pub(super) async fn settings(source: &Client) -> Result<Vec<(String, String)>> {
    const SETTINGS: &str = "SELECT name, setting FROM pg_catalog.pg_settings
      WHERE context IN ('user', 'superuser') AND (category LIKE 'Query Tuning%' OR name IN (
        'work_mem', 'hash_mem_multiplier', 'TimeZone', 'DateStyle', 'IntervalStyle',
        'search_path', 'default_text_search_config', 'effective_io_concurrency',
        'max_parallel_workers_per_gather', 'max_parallel_workers', 'parallel_leader_participation',
        'array_nulls', 'bytea_output', 'xmlbinary', 'xmloption', 'transform_null_equals',
        'default_statistics_target', 'standard_conforming_strings', 'quote_all_identifiers'))
      ORDER BY name";
    let rows = source.query(SETTINGS, &[]).await.map_err(failed)?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Creates a database of the source's encoding and locale on the lab server.
pub(super) async fn create(
    source: &Client,
    lab: &ConnectSpec,
    notes: &mut Vec<String>,
) -> Result<String> {
    const LOCALE: &str = "
      SELECT pg_encoding_to_char(d.encoding)::text, d.datcollate::text, d.datctype::text,
        coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
        coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')
      FROM pg_catalog.pg_database d WHERE d.datname = current_database()";
    let row = source.query_one(LOCALE, &[]).await.map_err(failed)?;
    let (encoding, collate, ctype): (String, String, String) = (row.get(0), row.get(1), row.get(2));
    let (provider, locale): (String, Option<String>) = (row.get(3), row.get(4));
    let name = name();
    let admin = Session::open(lab, &SessionOptions::lab()).await?;
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let provided = match (provider.as_str(), &locale) {
        ("i", Some(locale)) => format!(" LOCALE_PROVIDER icu ICU_LOCALE {}", literal(locale)),
        ("b", Some(locale)) => {
            format!(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}", literal(locale))
        }
        // 'c' is spelled out since 15: the template's own provider may be another.
        _ if admin.version().major >= 15 => " LOCALE_PROVIDER libc".to_owned(),
        _ => String::new(),
    };
    let base = format!(
        "CREATE DATABASE {} TEMPLATE template0 ENCODING {}",
        quote(&name),
        literal(&encoding)
    );
    let exact =
        format!("{base} LC_COLLATE {} LC_CTYPE {}{provided}", literal(&collate), literal(&ctype));
    if admin.client().batch_execute(&exact).await.is_ok() {
        return Ok(name);
    }
    let plain = format!("{base} LC_COLLATE 'C' LC_CTYPE 'C'");
    admin.client().batch_execute(&plain).await.map_err(|error| {
        Error::new(ErrorKind::Lab, format!("the lab cannot make a database: {}", failed(error)))
    })?;
    notes.push(format!(
        "the lab does not have the locale {}: text is ordered by its bytes there",
        locale.unwrap_or(collate)
    ));
    Ok(name)
}
