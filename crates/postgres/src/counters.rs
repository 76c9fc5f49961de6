//! What `pg_stat_statements` counts, in any version of it (1.4 – 1.12) and any schema.

mod columns;

use std::collections::HashMap;

use marula_core::{Error, ErrorKind, Result, Timestamp};
use tokio_postgres::Row;

use crate::{Session, from_server};
use columns::Columns;

/// Begins the statements of this module, which no digest should tell of.
const OWN: &str = "SELECT /* marula reads counters */";

/// What names a statement's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterKey {
    /// The user's number.
    pub user: u32,
    /// The database's number.
    pub database: u32,
    /// The server's own name of the shape.
    pub query: i64,
}

/// One user's runs of one statement in one database.
#[derive(Debug, Clone, PartialEq)]
pub struct Counters {
    /// Its name.
    pub key: CounterKey,
    /// The user; empty when it was dropped.
    pub user: String,
    /// The database; empty when it was dropped.
    pub database: String,
    /// The text with `$1` … for its values.
    pub text: String,
    /// Runs that ended.
    pub calls: u64,
    /// Their time, in milliseconds, planning left out.
    pub total_ms: f64,
    /// The shortest run.
    pub min_ms: f64,
    /// The longest run.
    pub max_ms: f64,
    /// The population standard deviation.
    pub stddev_ms: f64,
    /// Rows returned or changed.
    pub rows: u64,
    /// Buffers hit and read: shared and local.
    pub buffers: u64,
    /// Blocks written to temporary files.
    pub temp_blocks: u64,
    /// Since when it is counted, from version 1.11 on.
    pub since: Option<Timestamp>,
}

/// All counters at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The extension's version.
    pub version: String,
    /// The server's clock.
    pub at: Timestamp,
    /// The counters by their name. Statements inside functions are left out.
    pub counters: HashMap<CounterKey, Counters>,
    /// Statements inside functions, which are counted a second time with `track = all`.
    pub nested: u64,
    /// Statements of other users whose texts may not be seen.
    pub hidden: u64,
    /// When all counters were last reset, from version 1.9 on.
    pub reset: Option<Timestamp>,
    /// How often the server threw the least used counters away, from version 1.9 on.
    pub evictions: Option<u64>,
    /// How many statements it keeps.
    pub max: u64,
    /// Bytes of a block.
    pub block: u64,
}

/// Reads all counters.
///
/// # Errors
/// `NotFound` where the extension is not installed, with how to; `Denied` where the session's user
/// may not see the others' statements and `own` is false.
pub async fn read(session: &Session, own: bool) -> Result<Snapshot> {
    let place = session.spec().to_string();
    let columns = Columns::read(session).await.map_err(|error| error.at(place.clone()))?;
    let sql = format!("{OWN} {}", columns.select());
    let rows = session.client().query(&sql, &[]).await.map_err(|error| {
        let told = from_server(&error).at(place.clone());
        match told.server_code() {
            // The view is there, the library is not loaded.
            Some("55000") => not_loaded(true).at(place.clone()),
            _ => told,
        }
    })?;
    let mut snapshot = Snapshot {
        version: columns.version.clone(),
        at: Timestamp(0),
        counters: HashMap::new(),
        nested: 0,
        hidden: 0,
        reset: None,
        evictions: None,
        max: columns.max,
        block: columns.block,
    };
    for row in &rows {
        take(row, &mut snapshot).map_err(|error| from_server(&error))?;
    }
    columns.info(session, &mut snapshot).await?;
    if snapshot.hidden > 0 && !own {
        let user = &session.spec().user;
        let role = crate::sql::quote_ident(user);
        return Err(Error::new(
            ErrorKind::Denied,
            format!(
                "the texts of {} statements of other users are not shown to {user}",
                snapshot.hidden
            ),
        )
        .at(place)
        .hint(format!("ask an administrator for: GRANT pg_read_all_stats TO {role}"))
        .hint(format!("or look at your own alone: --user {user}")));
    }
    Ok(snapshot)
}

fn take(row: &Row, snapshot: &mut Snapshot) -> std::result::Result<(), tokio_postgres::Error> {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let text: Option<String> = row.try_get("query")?;
    let (query, toplevel): (Option<i64>, bool) =
        (row.try_get("queryid")?, row.try_get("toplevel")?);
    let (Some(query), Some(text)) = (query, text) else {
        // `<insufficient privilege>` stands without a number.
        snapshot.hidden += 1;
        return Ok(());
    };
    if !toplevel {
        snapshot.nested += 1;
        return Ok(());
    }
    if text.starts_with(OWN) {
        return Ok(());
    }
    let key = CounterKey { user: row.try_get("userid")?, database: row.try_get("dbid")?, query };
    let since: Option<i64> = row.try_get("since")?;
    let one = Counters {
        key,
        user: row.try_get::<_, Option<String>>("rolname")?.unwrap_or_default(),
        database: row.try_get::<_, Option<String>>("datname")?.unwrap_or_default(),
        text,
        calls: count(row.try_get("calls")?),
        total_ms: row.try_get("total")?,
        min_ms: row.try_get("min")?,
        max_ms: row.try_get("max")?,
        stddev_ms: row.try_get("stddev")?,
        rows: count(row.try_get("rows")?),
        buffers: count(row.try_get("buffers")?),
        temp_blocks: count(row.try_get("temp")?),
        since: since.map(Timestamp),
    };
    snapshot.counters.insert(key, one);
    Ok(())
}

/// How to get the extension. `created` is whether the database has it already.
fn not_loaded(created: bool) -> Error {
    let load = "add pg_stat_statements to shared_preload_libraries in postgresql.conf and restart \
                the server";
    let error = Error::new(
        ErrorKind::NotFound,
        "pg_stat_statements is not loaded, so the server does not count statements",
    )
    .hint(load);
    if created {
        error
    } else {
        error.hint("then, in this database: CREATE EXTENSION pg_stat_statements")
    }
}
