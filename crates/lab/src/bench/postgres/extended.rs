//! Extended statistics: gathered once, then kept from the planner and shown to it.

use std::time::Instant;

use marula_core::{Change, Result};

use super::change::analyzed;
use super::execute;
use super::world::{Built, RECALL, REMEMBER, World};
use crate::clone::postgres::failed;

/// The tables and indexes whose columns ANALYZE of one table looks at.
const TOUCHED: &str = "WITH t AS (
    SELECT to_regclass($1)::oid AS oid
    UNION SELECT relid::oid FROM pg_partition_tree(to_regclass($1)))
  SELECT oid FROM t WHERE oid IS NOT NULL
  UNION SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT oid FROM t)";
/// What the planner believes of columns has to stay as it was copied: while ANALYZE runs it
/// stands aside, under numbers that no table has.
const ASIDE: &str = "UPDATE pg_catalog.pg_statistic
  SET starelid = (4294967295 - starelid::int8)::oid WHERE starelid = ANY($1)";
const FORGET: &str = "DELETE FROM pg_catalog.pg_statistic WHERE starelid = ANY($1)";
const NEWEST: &str = "SELECT coalesce(max(oid::int8), 0)::oid FROM pg_catalog.pg_statistic_ext";
const NEW: &str = "SELECT oid FROM pg_catalog.pg_statistic_ext WHERE oid::int8 > $1::oid::int8";

impl World {
    /// Gathers the statistics of `change`, and nothing else that ANALYZE would.
    pub(super) async fn gather(&mut self, change: &Change) -> Result<()> {
        let session = self.session()?;
        let client = session.client();
        execute(session, "SET statement_timeout = 0").await?;
        let newest: u32 = client.query_one(NEWEST, &[]).await.map_err(failed)?.get(0);
        let mut touched: Vec<u32> = Vec::new();
        for table in change.up.iter().filter_map(|sql| analyzed(sql)) {
            let rows = client.query(TOUCHED, &[&table]).await.map_err(failed)?;
            touched.extend(rows.iter().map(|row| row.get::<_, u32>(0)));
        }
        let aside: Vec<u32> = touched.iter().map(|oid| u32::MAX - oid).collect();
        execute(session, REMEMBER).await?;
        client.execute(ASIDE, &[&touched]).await.map_err(failed)?;
        let started = Instant::now();
        let mut made = Ok(());
        for sql in &change.up {
            made = execute(session, sql).await;
            if made.is_err() {
                break;
            }
        }
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        client.execute(FORGET, &[&touched]).await.map_err(failed)?;
        client.execute(ASIDE, &[&aside]).await.map_err(failed)?;
        execute(session, RECALL).await?;
        made?;
        let rows = client.query(NEW, &[&newest]).await.map_err(failed)?;
        let statistics = rows.iter().map(|row| row.get(0)).collect();
        let built = Built { ms: Some(ms), statistics, ..Built::default() };
        self.note(change, built);
        Ok(())
    }

    /// Shows what was gathered to the planner, or keeps it from it: the data stands aside under a
    /// number that no statistics object has.
    pub(super) async fn show_statistics(&self, oids: &[u32], shown: bool) -> Result<()> {
        const MOVE: &str = "UPDATE pg_catalog.pg_statistic_ext_data
          SET stxoid = (4294967295 - stxoid::int8)::oid WHERE stxoid = ANY($1)";
        // Up to 14 an object without a row of data is an error.
        const EMPTY: &str = "INSERT INTO pg_catalog.pg_statistic_ext_data (stxoid)
          SELECT oid FROM pg_catalog.pg_statistic_ext WHERE oid = ANY($1)";
        const FULL: &str = "DELETE FROM pg_catalog.pg_statistic_ext_data WHERE stxoid = ANY($1)";
        let session = self.session()?;
        let client = session.client();
        let old = session.version().major < 15;
        let aside: Vec<u32> = oids.iter().map(|oid| u32::MAX - oid).collect();
        if shown && old {
            client.execute(FULL, &[&oids]).await.map_err(failed)?;
        }
        let moved: &[u32] = if shown { &aside } else { oids };
        client.execute(MOVE, &[&moved]).await.map_err(failed)?;
        if !shown && old {
            client.execute(EMPTY, &[&oids]).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Drops what was gathered.
    pub(super) async fn drop_statistics(&self, oids: &[u32]) -> Result<()> {
        const NAMES: &str = "SELECT format('%I.%I', n.nspname, s.stxname)
          FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
          WHERE s.oid = ANY($1)";
        let rows = self.session()?.client().query(NAMES, &[&oids]).await.map_err(failed)?;
        for row in rows {
            let name: String = row.get(0);
            execute(self.session()?, &format!("DROP STATISTICS {name}")).await?;
        }
        Ok(())
    }
}
