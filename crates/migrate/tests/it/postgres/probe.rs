//! What a statement really locks and does: asked of the server while its transaction is open.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use marula_core::{Engine, Finding, MigrationWork as Work, Version};
use marula_migrate::lint::LintOptions;
use marula_migrate::postgres::{Lock, classify, lint};
use marula_migrate::{Migration, StepKind, Tool};
use marula_postgres::{Session, SessionOptions};
use tokio_postgres::Client;

/// Rows of a pre-existing table that must be read before it counts as reading the table.
const SCANNED: i64 = 100;

pub struct Probe {
    pub version: Version,
    worker: Session,
    watcher: Session,
    old_reader: Session,
    pid: i32,
}

/// One relation, as the working transaction sees it.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    name: String,
    kind: String,
    file: u32,
    tuples: i64,
    of: u32,
    parent: u32,
}

type Snapshot = BTreeMap<u32, Seen>;

/// What a statement did to what was there before the migration.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The strongest lock on each relation, held when the statement had run.
    pub held: BTreeMap<String, Lock>,
    /// The strongest lock the statement itself took on each.
    pub taken: BTreeMap<String, Lock>,
    /// What was done to each.
    pub work: BTreeMap<String, Work>,
    /// The server's complaint.
    pub failed: Option<String>,
}

impl Observed {
    /// Whether somebody waits for as long as a table is large.
    pub fn grows_while_blocking(&self) -> bool {
        self.work.values().any(|work| *work != Work::None)
            && self.held.values().any(|lock| *lock >= Lock::Share)
    }
}

const SNAPSHOT: &str = "SELECT c.oid, c.oid::regclass::text, c.relkind::text, c.relfilenode, \
     pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_tuples_returned(c.oid), \
     coalesce(i.indrelid, 0), coalesce(h.inhparent, 0) \
     FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid \
     LEFT JOIN pg_inherits h ON h.inhrelid = c.oid \
     JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'";

async fn snapshot(client: &Client) -> Snapshot {
    let rows = client.query(SNAPSHOT, &[]).await.unwrap();
    rows.iter()
        .map(|row| {
            let seen = Seen {
                name: row.get(1),
                kind: row.get(2),
                file: row.get(3),
                tuples: row.get(4),
                of: row.get(5),
                parent: row.get(6),
            };
            (row.get(0), seen)
        })
        .collect()
}

impl Probe {
    pub async fn start(major: u16) -> Probe {
        let server = marula_lab::shared::postgres(major).await.unwrap();
        let spec = server.create_database().await.unwrap();
        let open = async || {
            let mut options = SessionOptions::lab();
            options.statement_timeout = Duration::from_secs(60);
            Session::open(&spec, &options).await.unwrap()
        };
        let (worker, watcher, old_reader) = (open().await, open().await, open().await);
        let row = worker.client().query_one("SELECT pg_backend_pid()", &[]).await.unwrap();
        let pid = row.get(0);
        Probe { version: worker.version(), worker, watcher, old_reader, pid }
    }

    pub fn session(&self) -> &Session {
        &self.worker
    }

    pub fn client(&self) -> &Client {
        self.worker.client()
    }

    /// A database with nothing but what `setup` makes.
    pub async fn reset(&self, setup: &str) {
        let client = self.worker.client();
        client
            .batch_execute(
                "ROLLBACK; RESET ALL; SET stats_fetch_consistency = none; \
                 DROP SCHEMA IF EXISTS crm CASCADE; DROP SCHEMA public CASCADE; \
                 CREATE SCHEMA public",
            )
            .await
            .unwrap();
        client.batch_execute(setup).await.unwrap_or_else(|error| panic!("{setup}\n{error:?}"));
        // What the set-up read is written down before the migration begins.
        client.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
        client.batch_execute("SELECT 1").await.unwrap();
    }

    async fn locks(&self) -> Vec<(u32, Lock)> {
        let sql = "SELECT relation, mode FROM pg_locks WHERE pid = $1 AND locktype = 'relation'";
        let rows = self.watcher.client().query(sql, &[&self.pid]).await.unwrap();
        rows.iter()
            .filter_map(|row| Some((row.get(0), Lock::from_name(row.get::<_, &str>(1))?)))
            .collect()
    }

    /// Runs a migration statement by statement, and says what each did.
    pub async fn run(&self, migration: &Migration) -> Vec<Observed> {
        let client = self.worker.client();
        let origin = snapshot(client).await;
        let mut open = migration.options.transaction;
        if open {
            client.batch_execute("BEGIN").await.unwrap();
        }
        let mut all = Vec::new();
        for step in &migration.up {
            let StepKind::Sql(statement) = &step.kind else { unreachable!() };
            let word = step.text.split_whitespace().next().unwrap().to_uppercase();
            let control = ["BEGIN", "COMMIT", "ROLLBACK", "START"].contains(&word.as_str());
            // A DO block may end transactions of its own.
            let outside = classify::outside_transaction(statement)
                || word == "DO" && step.text.contains("COMMIT");
            let observed = if control {
                client.batch_execute(&step.text).await.unwrap();
                open = matches!(word.as_str(), "BEGIN" | "START");
                Observed::default()
            } else if outside && !open {
                self.outside(&step.text, &origin).await
            } else {
                self.inside(&step.text, &origin, open).await
            };
            let failed = observed.failed.is_some();
            all.push(observed);
            if failed {
                break;
            }
        }
        client.batch_execute(if open { "COMMIT" } else { "SELECT 1" }).await.unwrap();
        all
    }

    async fn inside(&self, sql: &str, origin: &Snapshot, open: bool) -> Observed {
        let client = self.worker.client();
        if !open {
            client.batch_execute("BEGIN").await.unwrap();
        }
        let before = snapshot(client).await;
        let had = self.locks().await;
        if let Err(error) = client.batch_execute(sql).await {
            client.batch_execute("ROLLBACK").await.unwrap();
            let text = error.as_db_error().map_or(error.to_string(), ToString::to_string);
            return Observed { failed: Some(text), ..Observed::default() };
        }
        let after = snapshot(client).await;
        let has = self.locks().await;
        if !open {
            client.batch_execute("COMMIT").await.unwrap();
        }
        told(origin, &before, &after, &had, &has)
    }

    /// What cannot run in a transaction is stopped in the middle by an old reader, and looked at.
    async fn outside(&self, sql: &str, origin: &Snapshot) -> Observed {
        let client = self.worker.client();
        let before = snapshot(client).await;
        let reader = self.old_reader.client();
        let tables: Vec<&str> = origin
            .values()
            .filter(|seen| ["r", "p"].contains(&seen.kind.as_str()))
            .map(|seen| seen.name.as_str())
            .collect();
        let mut begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1".to_string();
        for table in tables {
            begin.push_str(&format!("; LOCK TABLE {table} IN ACCESS SHARE MODE"));
        }
        reader.batch_execute(&begin).await.unwrap();
        let (has, result) = {
            let mut work = Box::pin(client.batch_execute(sql));
            let mut has = Vec::new();
            let mut waited = 0;
            let result = loop {
                tokio::select! {
                    result = &mut work => break result,
                    () = tokio::time::sleep(Duration::from_millis(15)) => {}
                }
                // What comes after the wait is the end, when old and new change places.
                if waited < 2 {
                    has.extend(self.locks().await);
                }
                let waits = "SELECT count(*) FROM pg_stat_activity \
                             WHERE pid = $1 AND wait_event_type = 'Lock'";
                let row = self.watcher.client().query_one(waits, &[&self.pid]).await.unwrap();
                waited += i32::from(row.get::<_, i64>(0) > 0);
                if waited == 2 {
                    reader.batch_execute("ROLLBACK").await.unwrap();
                }
            };
            (has, result)
        };
        reader.batch_execute("ROLLBACK").await.unwrap();
        if let Err(error) = result {
            let text = error.as_db_error().map_or(error.to_string(), ToString::to_string);
            return Observed { failed: Some(text), ..Observed::default() };
        }
        let after = snapshot(client).await;
        told(origin, &before, &after, &[], &has)
    }
}

/// What changed between two looks, in words of what was there before the migration.
fn told(
    origin: &Snapshot,
    before: &Snapshot,
    after: &Snapshot,
    had: &[(u32, Lock)],
    has: &[(u32, Lock)],
) -> Observed {
    let mut observed = Observed::default();
    let raise = |map: &mut BTreeMap<String, Lock>, oid: &u32, lock: Lock| {
        if let Some(seen) = origin.get(oid) {
            let held = map.entry(seen.name.clone()).or_insert(lock);
            *held = (*held).max(lock);
        }
    };
    for (oid, lock) in has {
        raise(&mut observed.held, oid, *lock);
        if !had.contains(&(*oid, *lock)) {
            raise(&mut observed.taken, oid, *lock);
        }
    }
    let delta =
        |oid: &u32, seen: &Seen| seen.tuples - before.get(oid).map_or(0, |before| before.tuples);
    let read: i64 = after.iter().map(|(oid, seen)| delta(oid, seen).max(0)).sum();
    let mut done: Vec<(u32, Work)> = Vec::new();
    for (oid, now) in after {
        let was = before.get(oid);
        if now.kind == "i" {
            let made = was.is_none_or(|was| was.file != now.file);
            let table_stays = before
                .get(&now.of)
                .zip(after.get(&now.of))
                .is_some_and(|(was, is)| was.file == is.file);
            if made && table_stays && read >= SCANNED {
                done.push((now.of, Work::Build));
            }
        } else if was.is_some_and(|was| was.file != now.file && now.file != 0) && read >= SCANNED {
            done.push((*oid, Work::Rewrite));
        } else if delta(oid, now) >= SCANNED {
            done.push((*oid, Work::Scan));
        }
    }
    for (oid, work) in done {
        let mut oid = oid;
        while let Some(seen) = origin.get(&oid) {
            let most = observed.work.entry(seen.name.clone()).or_insert(work);
            *most = (*most).max(work);
            oid = seen.parent;
        }
    }
    observed
}

/// A text of statements as a migration that psql would run.
pub fn migration(sql: &str) -> Migration {
    let path = Path::new("example.sql");
    marula_migrate::files::parse(path, sql, Tool::Plain, Engine::Postgres)
        .unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

/// What lint says of a migration on what a set-up made.
pub fn linted(setup: &str, migration: &Migration, version: Version) -> Vec<Finding> {
    let schema = lint::schema_of(Path::new("setup.sql"), setup).unwrap();
    let options = LintOptions { version: Some(version) };
    let mut linted = lint::lint(std::slice::from_ref(migration), schema, &options);
    linted.remove(0).findings
}
