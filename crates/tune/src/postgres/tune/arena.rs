//! What sets of indexes promise: HypoPG on the lab's copy where the lab's server has it, and
//! really built indexes where it has not, or where HypoPG knows the sort of index not.

use std::collections::{BTreeMap, BTreeSet};

use marula_core::{Change, ChangeKind, ErrorKind, Result, Statement};
use marula_lab::bench::Bench;
use marula_lab::bench::postgres::PostgresBench;
use marula_postgres::explain::{self as server, Mode};
use marula_postgres::{Session, from_server};

use super::super::cost;
use crate::tuning::{Arena, Choice, Estimate, Set};

/// The most indexes that are built for real only to ask the planner about them.
const BUILT: usize = 24;

/// A bench with imagined indexes.
pub(super) struct PostgresArena {
    bench: PostgresBench,
    /// Whether the copy's server can imagine indexes.
    imagines: bool,
    /// Whether what it imagines with a condition or over an expression is seen wherever the table
    /// stands in a statement.
    everywhere: bool,
    /// What is imagined now, by the change's id: oids.
    imagined: BTreeMap<String, Vec<u32>>,
    /// Built for real to ask about them.
    real: BTreeMap<String, Change>,
    /// Could not be made.
    impossible: BTreeSet<String>,
}

impl PostgresArena {
    pub fn new(bench: PostgresBench) -> Self {
        PostgresArena {
            bench,
            imagines: false,
            everywhere: false,
            imagined: BTreeMap::new(),
            real: BTreeMap::new(),
            impossible: BTreeSet::new(),
        }
    }

    /// Gets ready to ask about these choices.
    pub async fn prepare(&mut self, choices: &[Choice]) -> Result<()> {
        let session = self.bench.session().await?;
        let made = session.client().batch_execute("CREATE EXTENSION IF NOT EXISTS hypopg").await;
        self.imagines = made.is_ok();
        self.everywhere = self.imagines && sees_everywhere(session).await?;
        let (imagines, everywhere) = (self.imagines, self.everywhere);
        let asked = |choice: &Choice| imagines && imaginable(&choice.change).is_some();
        let surely = |choice: &Choice| asked(choice) && (everywhere || is_plain(&choice.change));
        let real = choices.iter().filter(|choice| !choice.is_rewrite() && !surely(choice));
        // Of those that cannot be imagined only the most promising ones are worth building.
        for (number, choice) in real.enumerate() {
            let id = choice.change.id.0.clone();
            if number < BUILT {
                self.real.insert(id, choice.change.clone());
            } else if !asked(choice) {
                self.impossible.insert(id);
            }
        }
        Ok(())
    }

    /// Drops the copy.
    pub async fn close(self) -> Result<()> {
        self.bench.close().await
    }

    /// Imagines exactly the changes of `set` that can be.
    async fn imagine(&mut self, set: &[(usize, &Change)]) -> Result<()> {
        if !self.imagines {
            return Ok(());
        }
        let gone: Vec<String> = self
            .imagined
            .keys()
            .filter(|id| !set.iter().any(|(_, change)| change.id.0 == **id))
            .cloned()
            .collect();
        for id in gone {
            for oid in self.imagined.remove(&id).unwrap_or_default() {
                let session = self.bench.session().await?;
                let drop = session.client().query("SELECT hypopg_drop_index($1)", &[&oid]).await;
                drop.map_err(|error| from_server(&error))?;
            }
        }
        for (_, change) in set {
            let id = &change.id.0;
            let known = self.imagined.contains_key(id) || self.impossible.contains(id);
            if known || self.real.contains_key(id) {
                continue;
            }
            let Some(definitions) = imaginable(change) else { continue };
            let mut oids = Vec::new();
            for definition in definitions {
                const MAKE: &str = "SELECT indexrelid FROM hypopg_create_index($1)";
                let session = self.bench.session().await?;
                match session.client().query_one(MAKE, &[&definition]).await {
                    Ok(row) => oids.push(row.get(0)),
                    Err(error) if error.as_db_error().is_some() => {
                        self.impossible.insert(change.id.0.clone());
                    }
                    Err(error) => return Err(from_server(&error)),
                }
            }
            self.imagined.insert(change.id.0.clone(), oids);
        }
        Ok(())
    }

    /// Switches exactly the really built changes of `set` on, building what is not yet.
    async fn realize(&mut self, set: &[(usize, &Change)], known: &[Change]) -> Result<()> {
        for change in known {
            let real =
                self.real.contains_key(&change.id.0) || change.kind == ChangeKind::Statistics;
            let wanted = real && set.iter().any(|(_, other)| other.id == change.id);
            // Not an error: what was never applied cannot be on.
            let _ = self.bench.set_active(change, wanted).await;
        }
        for (_, change) in set {
            if !self.real.contains_key(&change.id.0) || self.impossible.contains(&change.id.0) {
                continue;
            }
            if self.bench.set_active(change, true).await.is_ok() {
                continue;
            }
            match self.bench.apply(change).await {
                Ok(_) => {}
                Err(error) if lost(error.kind()) => return Err(error),
                Err(_) => {
                    self.impossible.insert(change.id.0.clone());
                }
            }
        }
        Ok(())
    }
}

impl Arena for PostgresArena {
    type Bench = PostgresBench;

    fn bench(&mut self) -> &mut PostgresBench {
        &mut self.bench
    }

    async fn estimate(
        &mut self,
        statement: &Statement,
        set: &[(usize, &Change)],
    ) -> Result<Estimate> {
        let known = self.bench.applied();
        self.realize(set, &known).await?;
        self.imagine(set).await?;
        let session = self.bench.session().await?;
        session
            .client()
            .batch_execute("SET statement_timeout = '60s'")
            .await
            .map_err(|error| from_server(&error))?;
        let plan = server::explain(session, statement, Mode::Estimate).await?;
        let mut uses = Set::new();
        for (number, change) in set {
            let imagined = self.imagined.get(&change.id.0).into_iter().flatten();
            let marks: Vec<String> = imagined.map(|oid| format!("<{oid}>")).collect();
            let names = &plan.summary.indexes;
            let used = marks.iter().any(|mark| names.iter().any(|name| name.contains(mark)))
                || (self.real.contains_key(&change.id.0)
                    && self.bench.uses(&plan, change) == Some(true));
            if used {
                uses.insert(*number);
            }
        }
        // What was built only to ask about must not be there when statements run.
        for change in self.real.values() {
            let _ = self.bench.set_active(change, false).await;
        }
        let cost = cost::number(&plan.tree, "Total Cost").unwrap_or(0.0);
        Ok(Estimate { cost, uses })
    }

    async fn forget(&mut self) -> Result<()> {
        if std::mem::take(&mut self.imagined).is_empty() {
            return Ok(());
        }
        let session = self.bench.session().await?;
        let reset = session.client().query("SELECT hypopg_reset()", &[]).await;
        reset.map(|_| ()).map_err(|error| from_server(&error))
    }
}

/// The definitions HypoPG takes; `None` when it does not know such indexes.
fn imaginable(change: &Change) -> Option<Vec<String>> {
    let unknown = [" USING gin ", " USING gist ", " ON ONLY "];
    let fits = |sql: &String| {
        sql.starts_with("CREATE INDEX ") && !unknown.iter().any(|word| sql.contains(word))
    };
    change
        .up
        .iter()
        .all(fits)
        .then(|| change.up.iter().map(|sql| sql.replacen("CONCURRENTLY ", "", 1)).collect())
}

/// Whether it is over plain columns and all rows, as far as the text tells.
fn is_plain(change: &Change) -> bool {
    change.up.iter().all(|sql| !sql.contains(" WHERE ") && !sql.contains("(("))
}

/// HypoPG before 1.4 gives conditions and expressions of imagined indexes to the first table of a
/// statement only, and they are passed by where their table stands elsewhere.
async fn sees_everywhere(session: &Session) -> Result<bool> {
    const MAKE: &str = "CREATE TEMP TABLE marula_probe AS
        SELECT i AS a, i AS b FROM pg_catalog.generate_series(1, 10000) i;
      ANALYZE marula_probe;
      SELECT * FROM hypopg_create_index('CREATE INDEX ON marula_probe (a) WHERE b > 9990')";
    const ASK: &str = "EXPLAIN SELECT 1 FROM (VALUES (1)) v(x), marula_probe p
      WHERE p.a = 9995 AND p.b > 9990";
    let client = session.client();
    client.batch_execute(MAKE).await.map_err(|error| from_server(&error))?;
    let plan = client.query(ASK, &[]).await.map_err(|error| from_server(&error))?;
    let seen = plan.iter().any(|row| row.get::<_, String>(0).contains(" using "));
    const FORGET: &str = "SELECT hypopg_reset(); DROP TABLE pg_temp.marula_probe";
    client.batch_execute(FORGET).await.map_err(|error| from_server(&error))?;
    Ok(seen)
}

fn lost(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ServerDied | ErrorKind::Unreachable | ErrorKind::Interrupted)
}
