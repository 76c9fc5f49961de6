//! What relations look like, and what changed between two looks.

use std::collections::BTreeMap;

use marula_core::{MigrationWork as Work, Result};
use marula_postgres::Session;
use tokio_postgres::Client;

use super::failed;
use crate::postgres::Lock;

/// One relation at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    /// Its name, as the search path needs it.
    pub name: String,
    /// `r`, `i`, `p`, `m`, `v`, `S` …
    pub kind: String,
    /// Its file.
    pub file: u32,
    /// Rows read from it in sequence, as this transaction counts.
    pub tuples: i64,
    /// Of an index: its table.
    pub of: u32,
    /// Of a part: its whole.
    pub parent: u32,
    /// Its rows, roughly.
    pub rows: f64,
}

/// All relations at a moment, by OID.
pub(super) type Look = BTreeMap<u32, Seen>;

const LOOK: &str = "SELECT c.oid, c.oid::regclass::text, c.relkind::text, c.relfilenode, \
     pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_tuples_returned(c.oid), \
     coalesce(i.indrelid, 0), coalesce(h.inhparent, 0), greatest(c.reltuples, 0)::float8 \
     FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid \
     LEFT JOIN pg_inherits h ON h.inhrelid = c.oid \
     JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'marula')";

const LOCKS: &str = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() \
     AND locktype = 'relation' AND granted AND relation IS NOT NULL";

/// Looks at all relations, as this session sees them.
pub(super) async fn look(client: &Client) -> Result<Look> {
    let rows = client.query(LOOK, &[]).await.map_err(failed)?;
    let seen = rows.iter().map(|row| {
        let seen = Seen {
            name: row.get(1),
            kind: row.get(2),
            file: row.get(3),
            tuples: row.get(4),
            of: row.get(5),
            parent: row.get(6),
            rows: row.get(7),
        };
        (row.get(0), seen)
    });
    Ok(seen.collect())
}

/// The locks on relations that this session holds.
pub(super) async fn own_locks(session: &Session) -> Result<Vec<(u32, Lock)>> {
    let rows = session.client().query(LOCKS, &[]).await.map_err(failed)?;
    let lock = |row: &tokio_postgres::Row| Some((row.get(0), Lock::from_name(row.get(1))?));
    Ok(rows.iter().filter_map(lock).collect())
}

/// What was done to what is in `origin` between two looks: by OID, the heaviest.
///
/// A file that changed under an index is a build, under a table a rewrite; half of a table's rows
/// read in sequence are a scan of it. What is done to a part is done to its whole.
pub(super) fn work(origin: &Look, before: &Look, after: &Look) -> BTreeMap<u32, Work> {
    let delta = |oid: &u32, seen: &Seen| {
        (seen.tuples - before.get(oid).map_or(0, |before| before.tuples)).max(0)
    };
    let mut done: Vec<(u32, Work)> = Vec::new();
    for (oid, now) in after {
        let was = before.get(oid);
        if now.kind == "i" {
            let made = was.is_none_or(|was| was.file != now.file);
            let stays = before
                .get(&now.of)
                .zip(after.get(&now.of))
                .is_some_and(|(was, is)| was.file == is.file);
            if made && stays {
                done.push((now.of, Work::Build));
            }
        } else if was.is_some_and(|was| was.file != now.file && now.file != 0) {
            done.push((*oid, Work::Rewrite));
        } else if ["r", "m"].contains(&now.kind.as_str())
            && delta(oid, now) as f64 >= (now.rows / 2.0).max(1.0)
        {
            done.push((*oid, Work::Scan));
        }
    }
    let mut all = BTreeMap::new();
    for (oid, work) in done {
        let mut oid = oid;
        // Bounded: wholes form a tree.
        for _ in 0..origin.len() {
            let Some(seen) = origin.get(&oid) else { break };
            let most = all.entry(oid).or_insert(work);
            *most = (*most).max(work);
            oid = seen.parent;
        }
    }
    all
}
