//! How fast a statement writes, without and with some changes. All of it happens in one
//! transaction that is rolled back.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use marula_core::{Change, Result, Statement};
use marula_postgres::{Session, SessionOptions};
use tokio_postgres::types::Type;

use super::change::is_drop;
use super::run::Text;
use super::{PostgresBench, execute};
use crate::clone::postgres::failed;

/// One side is run this often, or this long.
const RUNS: usize = 60;
const LONG: Duration = Duration::from_millis(700);

/// What was measured of one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WriteSpeed {
    /// The median time of one run, in milliseconds.
    pub ms: f64,
    /// The share of the updated rows whose update touched no index, if any row was updated.
    pub hot: Option<f64>,
}

impl PostgresBench {
    /// The statement's speed without and with `changes`, which are applied, and are all that is.
    ///
    /// # Errors
    /// What the server says of the statement.
    pub async fn write_speed(
        &mut self,
        statement: &Statement,
        relation: &str,
        changes: &[Change],
    ) -> Result<(WriteSpeed, WriteSpeed)> {
        let (mut made, mut gone) = (Vec::new(), Vec::new());
        for world in self.worlds.values() {
            for change in changes {
                let oids = world.oids(change);
                if is_drop(change) { gone.extend(oids) } else { made.extend(oids) }
            }
        }
        let session = Session::open(&self.spec(), &SessionOptions::lab()).await?;
        super::database::set_all(&session, &self.copied.settings).await?;
        execute(&session, "BEGIN; SET LOCAL statement_timeout = '60s'").await?;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut hot = [None, None];
        // Counted first, once each: what is taken back still takes room on its page, and an update
        // that finds none there is not HOT.
        for with in [true, false] {
            show(&session, &made, with).await?;
            show(&session, &gone, !with).await?;
            hot[usize::from(with)] = hot_share(&session, statement, relation).await?;
        }
        // In turns: the table grows while it is written to, even when all is taken back.
        for _ in 0..2 {
            for with in [false, true] {
                show(&session, &made, with).await?;
                show(&session, &gone, !with).await?;
                let times = if with { &mut after } else { &mut before };
                side(&session, statement, times).await?;
            }
        }
        execute(&session, "ROLLBACK").await?;
        let speed = |times: &mut Vec<f64>, hot| {
            times.sort_by(f64::total_cmp);
            WriteSpeed { ms: times.get(times.len() / 2).copied().unwrap_or(0.0), hot }
        };
        Ok((speed(&mut before, hot[0]), speed(&mut after, hot[1])))
    }
}

/// Makes indexes be there for writes, or not, in this transaction.
async fn show(session: &Session, oids: &[u32], shown: bool) -> Result<()> {
    const SHOW: &str = "UPDATE pg_index SET indisvalid = $1, indisready = $1, indislive = $1
      WHERE indexrelid = ANY($2)";
    // Which indexes a table has is remembered with the table, and forgotten when its row changes.
    const FORGET: &str = "UPDATE pg_class SET relpages = relpages
      WHERE oid IN (SELECT indrelid FROM pg_index WHERE indexrelid = ANY($1))";
    if !oids.is_empty() {
        session.client().execute(SHOW, &[&shown, &oids]).await.map_err(failed)?;
        session.client().execute(FORGET, &[&oids]).await.map_err(failed)?;
    }
    Ok(())
}

/// The share of the rows one run updates whose update touches no index.
async fn hot_share(
    session: &Session,
    statement: &Statement,
    relation: &str,
) -> Result<Option<f64>> {
    const COUNTED: &str = "SELECT pg_stat_get_xact_tuples_hot_updated(to_regclass($1)::oid),
      pg_stat_get_xact_tuples_updated(to_regclass($1)::oid)";
    let name = relation.split('.').map(crate::clone::postgres::quote).collect::<Vec<_>>().join(".");
    let counted = async || -> Result<(i64, i64)> {
        let row = session.client().query_one(COUNTED, &[&name]).await.map_err(failed)?;
        Ok((row.get(0), row.get(1)))
    };
    let old = counted().await?;
    once(session, statement).await?;
    let new = counted().await?;
    let updated = new.1 - old.1;
    Ok((updated > 0).then(|| (new.0 - old.0) as f64 / updated as f64))
}

/// Runs the statement and takes it back; gives its time in milliseconds.
async fn once(session: &Session, statement: &Statement) -> Result<f64> {
    execute(session, "SAVEPOINT once").await?;
    let started = Instant::now();
    run(session, statement).await?;
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    execute(session, "ROLLBACK TO SAVEPOINT once; RELEASE SAVEPOINT once").await?;
    Ok(ms)
}

async fn side(session: &Session, statement: &Statement, times: &mut Vec<f64>) -> Result<()> {
    let began = Instant::now();
    for number in 0..=RUNS {
        let ms = once(session, statement).await?;
        // The first one plans and warms.
        if number > 0 {
            times.push(ms);
        }
        if number >= 3 && began.elapsed() > LONG {
            break;
        }
    }
    Ok(())
}

async fn run(session: &Session, statement: &Statement) -> Result<()> {
    let parameters = statement.parameters.iter().map(|p| (Text(p.value.as_deref()), Type::UNKNOWN));
    let rows =
        session.client().query_typed_raw(&statement.text, parameters).await.map_err(failed)?;
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.next().await {
        row.map_err(failed)?;
    }
    Ok(())
}
