use std::io::Cursor;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::SinkExt;
use futures_util::future::try_join_all;
use marula_core::{Error, ErrorKind, Progress, Result};
use marula_postgres::{Session, from_server};
use tokio::sync::mpsc;
use tokio_postgres::Client;

use super::super::counts::{Counts, Scale};
use super::super::world::{Shop, prepare};
use super::encode::{TABLES, Table};
use super::schema::columns;
use super::writer::{HEADER, TRAILER};

/// Parts that wait for the server: generation goes on while the server is busy.
const AHEAD: usize = 4;

/// More connections than this only make the server's disk jump about.
const CONNECTIONS: usize = 4;

/// Loads `shop` into the session's database, which must be empty: streamed by COPY over a few
/// connections, while further rows are generated. Each table is keyed and analysed.
///
/// # Errors
/// `Refused` when there is a table already, which it names; `Server` and `ServerDied`. What was
/// loaded before an error stays.
pub async fn load_postgres(
    session: &Session,
    scale: Scale,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Counts> {
    refuse_filled(session).await?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let others =
        (1..cores.min(CONNECTIONS)).map(|_| Session::open(session.spec(), session.options()));
    let others = try_join_all(others).await?;
    let clients: Vec<&Client> = [session].into_iter().chain(&others).map(Session::client).collect();
    progress.step(&format!("loading shop at scale {scale} into PostgreSQL"));
    let (shop, counts) = prepare(scale, seed).await?;
    let seen = &Seen { done: AtomicU64::new(0), total: counts.total(), progress };
    let next = AtomicUsize::new(0);
    let tables = try_join_all(clients.iter().map(|client| {
        let (shop, next) = (&shop, &next);
        async move {
            let mut loaded = Vec::new();
            while let Some(table) = TABLES.get(next.fetch_add(1, Ordering::Relaxed)) {
                loaded.push((table.name, load_table(client, table, shop.clone(), seen).await?));
            }
            Ok::<_, Error>(loaded)
        }
    }))
    .await?;
    let mut counts = Counts::default();
    for (table, rows) in tables.into_iter().flatten() {
        counts.add(table, rows);
    }
    Ok(counts)
}

/// Refuses a database in which there is a table already.
async fn refuse_filled(session: &Session) -> Result<()> {
    const FIRST_TABLE: &str = "SELECT relation.oid::regclass::text \
        FROM pg_catalog.pg_class AS relation \
        JOIN pg_catalog.pg_namespace AS schema ON schema.oid = relation.relnamespace \
        WHERE relation.relkind IN ('r', 'p', 'f', 'm', 'v') \
        AND schema.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS part WHERE part.deptype = 'e' \
            AND part.classid = 'pg_catalog.pg_class'::regclass AND part.objid = relation.oid) \
        ORDER BY 1 LIMIT 1";
    let failed = |error: tokio_postgres::Error| from_server(&error).at(session.spec().to_string());
    let Some(row) = session.client().query_opt(FIRST_TABLE, &[]).await.map_err(failed)? else {
        return Ok(());
    };
    let table: String = row.try_get(0).map_err(failed)?;
    let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    Err(Error::new(
        ErrorKind::Refused,
        format!("the database {} is not empty: it holds the table {table}", session.database()),
    )
    .at(session.spec().to_string())
    .hint("load shop into a new, empty database")
    .hint(format!("or, if an interrupted load left it: DROP TABLE IF EXISTS {}", names.join(", "))))
}

/// Rows loaded so far, over all connections.
struct Seen<'a> {
    done: AtomicU64,
    total: u64,
    progress: &'a dyn Progress,
}

/// Makes, fills, keys and analyses one table. Made and filled in the same transaction, its rows
/// are frozen from the start (no later vacuum rewrites them), and without a log where the
/// server's `wal_level` is minimal.
async fn load_table(
    client: &Client,
    table: &'static Table,
    shop: Arc<Shop>,
    seen: &Seen<'_>,
) -> Result<u64> {
    let name = table.name;
    let failed =
        |error: tokio_postgres::Error| from_server(&error).at(format!("loading the table {name}"));
    let begin = format!(
        "BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL maintenance_work_mem = '256MB'; \
         CREATE TABLE {name} ({})",
        columns(name)
    );
    client.batch_execute(&begin).await.map_err(failed)?;
    let copy = format!("COPY {name} FROM STDIN (FORMAT binary, FREEZE)");
    let mut sink = pin!(client.copy_in::<_, Cursor<Vec<u8>>>(&copy).await.map_err(failed)?);
    sink.send(Cursor::new(HEADER.to_vec())).await.map_err(failed)?;
    let mut parts = generate(table, shop);
    let mut rows = 0;
    while let Some((part, count)) = parts.recv().await {
        sink.feed(Cursor::new(part)).await.map_err(failed)?;
        rows += count;
        let done = seen.done.fetch_add(count, Ordering::Relaxed) + count;
        seen.progress.advance(done, seen.total);
    }
    sink.send(Cursor::new(TRAILER.to_vec())).await.map_err(failed)?;
    let copied = sink.finish().await.map_err(failed)?;
    let end = format!("ALTER TABLE {name} ADD PRIMARY KEY (id); COMMIT");
    client.batch_execute(&end).await.map_err(failed)?;
    // Counts of the load that reach the server's statistics after ANALYZE would look like rows
    // changed since. Before 15 there is no way to hurry them, and the error says only that.
    let _ = client.batch_execute("SELECT pg_stat_force_next_flush()").await;
    client.batch_execute(&format!("ANALYZE {name}")).await.map_err(failed)?;
    if copied == rows {
        return Ok(rows);
    }
    Err(Error::new(
        ErrorKind::Internal,
        format!("the server took {copied} of {rows} rows of the table {name}"),
    ))
}

/// Makes the parts of a table in a thread of its own, a few ahead of the server. Ends when
/// nobody takes them any more.
fn generate(table: &'static Table, shop: Arc<Shop>) -> mpsc::Receiver<(Vec<u8>, u64)> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let units = (table.units)(&shop);
        let mut start = 0;
        while start < units {
            let end = (start + table.part).min(units);
            let mut part = Vec::with_capacity(1 << 20);
            let rows = (table.encode)(&shop, start..end, &mut part);
            if sender.blocking_send((part, rows)).is_err() {
                return;
            }
            start = end;
        }
    });
    receiver
}
