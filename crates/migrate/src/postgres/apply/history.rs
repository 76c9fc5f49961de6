//! The history: `marula.migrations` in the database itself.

use marula_core::{Result, Timestamp};
use marula_postgres::{Session, from_server};

use super::{Ground, lock};
use crate::apply::record::{Current, Record, State};
use crate::apply::{Due, digest};

const MAKE: &str = "CREATE SCHEMA IF NOT EXISTS marula;
CREATE TABLE IF NOT EXISTS marula.migrations (
  key text PRIMARY KEY,
  position bigint NOT NULL,
  version text,
  name text NOT NULL,
  tool text NOT NULL,
  file text NOT NULL,
  checksum text NOT NULL,
  state text NOT NULL CHECK (state IN ('applying', 'applied', 'reverting', 'reverted')),
  steps integer NOT NULL,
  done text[] NOT NULL DEFAULT '{}',
  current jsonb,
  started timestamptz,
  finished timestamptz,
  run_by text NOT NULL,
  adopted_from text
);
COMMENT ON TABLE marula.migrations IS
  'Which migrations ran here, and how far the one is that runs: kept by marula migrate.';
COMMENT ON COLUMN marula.migrations.done IS 'Digests of the statements that are done, in order.';
COMMENT ON COLUMN marula.migrations.current IS
  'The statement in the middle of which it is: what was there before, how far its batches are.'";

/// Makes the place of the history, when it is not there.
pub(super) async fn prepare(ground: &Ground) -> Result<()> {
    if is_there(&ground.session).await? {
        return Ok(());
    }
    ground.execute(&format!("BEGIN; {MAKE}; COMMIT")).await
}

async fn is_there(session: &Session) -> Result<bool> {
    let sql = "SELECT pg_catalog.to_regclass('marula.migrations') IS NOT NULL";
    let row = session.client().query_one(sql, &[]).await;
    Ok(row.map_err(|error| from_server(&error))?.get(0))
}

/// Every line, in the order in which migrations were first applied.
pub(super) async fn read(session: &Session) -> Result<Vec<Record>> {
    if !is_there(session).await? {
        return Ok(Vec::new());
    }
    let sql = "SELECT key, position, version, name, tool, file, checksum, state, steps, done, \
        current::text, (pg_catalog.date_part('epoch', started) * 1000)::float8, \
        (pg_catalog.date_part('epoch', finished) * 1000)::float8, run_by, adopted_from \
        FROM marula.migrations ORDER BY position, key";
    let rows = session.client().query(sql, &[]).await.map_err(|error| from_server(&error))?;
    let moment = |ms: Option<f64>| ms.map(|ms| Timestamp(ms as i64));
    Ok(rows
        .iter()
        .map(|row| Record {
            key: row.get(0),
            position: row.get(1),
            version: row.get(2),
            name: row.get(3),
            tool: row.get(4),
            file: row.get(5),
            checksum: row.get(6),
            state: State::from_name(row.get(7)).unwrap_or(State::Applying),
            steps: u32::try_from(row.get::<_, i32>(8)).unwrap_or_default(),
            done: row.get(9),
            current: row
                .get::<_, Option<&str>>(10)
                .and_then(|current| serde_json::from_str(current).ok()),
            started: moment(row.get(11)),
            finished: moment(row.get(12)),
            by: row.get(13),
            adopted_from: row.get(14),
        })
        .collect())
}

/// Writes a line as it is given.
pub(super) async fn put(session: &Session, record: &Record) -> Result<()> {
    let current = record.current.as_ref().and_then(|current| serde_json::to_string(current).ok());
    let seconds = |moment: Option<Timestamp>| moment.map(|moment| moment.0 as f64 / 1000.0);
    let steps = i32::try_from(record.steps).unwrap_or(i32::MAX);
    let sql = "INSERT INTO marula.migrations (key, position, version, name, tool, file, checksum, \
        state, steps, done, current, started, finished, run_by, adopted_from) VALUES ($1, $2, $3, \
        $4, $5, $6, $7, $8, $9, $10, $11::text::jsonb, coalesce(pg_catalog.to_timestamp($12), \
        pg_catalog.now()), CASE WHEN $8 = 'applied' THEN coalesce(pg_catalog.to_timestamp($13), \
        pg_catalog.now()) END, $14, $15) ON CONFLICT (key) DO UPDATE SET version = \
        excluded.version, name = excluded.name, tool = excluded.tool, file = excluded.file, \
        checksum = excluded.checksum, state = excluded.state, steps = excluded.steps, done = \
        excluded.done, current = excluded.current, started = excluded.started, finished = \
        excluded.finished, run_by = excluded.run_by, adopted_from = excluded.adopted_from";
    session
        .client()
        .execute(
            sql,
            &[
                &record.key,
                &record.position,
                &record.version,
                &record.name,
                &record.tool,
                &record.file,
                &record.checksum,
                &record.state.name(),
                &steps,
                &record.done,
                &current,
                &seconds(record.started),
                &seconds(record.finished),
                &record.by,
                &record.adopted_from,
            ],
        )
        .await
        .map_err(|error| from_server(&error))?;
    Ok(())
}

/// Takes a line out.
pub(super) async fn forget(session: &Session, key: &str) -> Result<()> {
    let sql = "DELETE FROM marula.migrations WHERE key = $1";
    session.client().execute(sql, &[&key]).await.map_err(|error| from_server(&error))?;
    Ok(())
}

/// Notes that a part begins, or goes on with what the file says now.
pub(super) async fn begin(ground: &Ground, due: &Due<'_>) -> Result<()> {
    let migration = due.migration;
    let mut record = Record::of(migration, 0, &ground.who);
    record.state = due.running();
    record.steps = u32::try_from(due.steps().len()).unwrap_or(u32::MAX);
    match due.record {
        Some(known) => {
            record.position = known.position;
            if let Some(left) = due.left() {
                record.done.clone_from(&left.done);
                record.current.clone_from(&left.current);
                record.started = left.started;
            }
            if known.state == State::Reverted {
                record.position = next_position(&ground.session).await?;
            }
        }
        None => record.position = next_position(&ground.session).await?,
    }
    put(&ground.session, &record).await
}

async fn next_position(session: &Session) -> Result<i64> {
    let sql = "SELECT coalesce(pg_catalog.max(position), 0) + 1 FROM marula.migrations";
    let row = session.client().query_one(sql, &[]).await;
    Ok(row.map_err(|error| from_server(&error))?.get(0))
}

/// Notes, in the transaction that is open if one is, that these steps are done. The role is the
/// session's first while it does.
pub(super) async fn advance(
    ground: &Ground,
    due: &Due<'_>,
    steps: std::ops::Range<usize>,
    ended: bool,
) -> Result<()> {
    let digests: Vec<String> = due.steps()[steps.clone()].iter().map(digest).collect();
    let before = i32::try_from(steps.start).unwrap_or(i32::MAX);
    let sql = format!(
        "UPDATE marula.migrations SET done = done || $2::text[], current = NULL, state = $5, \
         finished = CASE WHEN $6 THEN pg_catalog.clock_timestamp() END \
         WHERE key = $1 AND state = $4 AND pg_catalog.cardinality(done) = $3 AND {}",
        lock::HELD
    );
    let key = crate::apply::key_of(due.migration);
    let state = if ended { due.ended() } else { due.running() };
    let (running, state) = (due.running().name(), state.name());
    let updated = ground
        .session
        .client()
        .execute(&sql, &[&key, &digests, &before, &running, &state, &ended])
        .await
        .map_err(|error| from_server(&error))?;
    if updated == 1 { Ok(()) } else { Err(lock::lost()) }
}

/// Notes how a step that is being run stands; `None` that it is not begun after all.
pub(super) async fn current(
    ground: &Ground,
    due: &Due<'_>,
    step: usize,
    current: Option<&Current>,
) -> Result<()> {
    let text = current.and_then(|current| serde_json::to_string(current).ok());
    let sql = format!(
        "UPDATE marula.migrations SET current = $2::text::jsonb \
         WHERE key = $1 AND state = $4 AND pg_catalog.cardinality(done) = $3 AND {}",
        lock::HELD
    );
    let key = crate::apply::key_of(due.migration);
    let before = i32::try_from(step).unwrap_or(i32::MAX);
    let running = due.running().name();
    let updated = ground
        .session
        .client()
        .execute(&sql, &[&key, &text, &before, &running])
        .await
        .map_err(|error| from_server(&error))?;
    if updated == 1 { Ok(()) } else { Err(lock::lost()) }
}
