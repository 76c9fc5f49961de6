//! Indexes, constraints and extended statistics: built after the data, under the same names.

use marula_core::Result;
use tokio_postgres::Client;

use super::failed;
use super::objects::Object;

/// What is made once the rows are there.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Indexes of tables that hold rows: independent of each other.
    pub indexes: Vec<Object>,
    /// Then: constraints over those indexes, parents' indexes from the leaves up, checks,
    /// exclusions and foreign keys, in this order.
    pub then: Vec<Object>,
    /// Names of constraints that the source has not checked either.
    pub unchecked: Vec<String>,
    /// Extended statistics, with whether they held data.
    pub statistics: Vec<(Object, u32, bool)>,
    /// Foreign keys between touched tables: child, its columns, parent, its columns.
    pub foreign: Vec<(u32, Vec<String>, u32, Vec<String>)>,
}

/// Indexes; the server prints a partitioned one with ONLY, which would leave it without its
/// parts. Levels count down so that leaves come first and are then found and attached.
const INDEXES: &str = "
WITH RECURSIVE depth(oid, level) AS (
  SELECT c.oid, 0 FROM pg_class c WHERE c.oid = ANY($1)
    AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid AND i.inhparent = ANY($1))
  UNION ALL SELECT i.inhrelid, d.level + 1 FROM depth d JOIN pg_inherits i ON i.inhparent = d.oid)
SELECT format('index %I.%I', n.nspname, k.relname),
  CASE WHEN t.relkind = 'p' THEN replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ')
    ELSE pg_get_indexdef(x.indexrelid) END,
  t.relkind = 'p', max(d.level),
  con.conname IS NOT NULL,
  CASE WHEN con.conname IS NULL THEN '' ELSE format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, t.relname, con.conname,
    CASE WHEN t.relkind <> 'p' AND con.contype IN ('p', 'u') AND am.amname = 'btree'
      THEN CASE con.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END
        || format(' USING INDEX %I', k.relname)
        || CASE WHEN con.condeferrable THEN ' DEFERRABLE' ELSE '' END
        || CASE WHEN con.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
      ELSE pg_get_constraintdef(con.oid) END) END,
  coalesce(t.relkind <> 'p' AND con.contype IN ('p', 'u') AND am.amname = 'btree', true)
FROM pg_index x JOIN pg_class k ON k.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace JOIN depth d ON d.oid = t.oid
JOIN pg_am am ON am.oid = k.relam
LEFT JOIN pg_constraint con ON con.conindid = x.indexrelid AND con.conrelid = t.oid
  AND con.contype IN ('p', 'u', 'x') AND t.relkind <> 'm'
WHERE x.indrelid = ANY($1) AND x.indisvalid
GROUP BY n.nspname, k.relname, t.relname, t.relkind, x.indexrelid, con.oid, con.conname,
  con.contype, con.condeferrable, con.condeferred, am.amname
ORDER BY max(d.level) DESC, x.indexrelid";

const CONSTRAINTS: &str = "
SELECT format('constraint %I on %I.%I', con.conname, n.nspname, t.relname),
  format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s%s', n.nspname, t.relname, con.conname,
    pg_get_constraintdef(con.oid),
    CASE WHEN con.convalidated AND (con.contype = 'c' OR t.relkind <> 'p')
      THEN ' NOT VALID' ELSE '' END),
  con.contype::text, con.conrelid, con.confrelid,
  coalesce((SELECT array_agg(a.attname::text ORDER BY k.n)
    FROM unnest(con.conkey) WITH ORDINALITY k(attnum, n)
    JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.attnum), '{}'),
  coalesce((SELECT array_agg(a.attname::text ORDER BY k.n)
    FROM unnest(con.confkey) WITH ORDINALITY k(attnum, n)
    JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.attnum), '{}'),
  con.convalidated, con.conname::text
FROM pg_constraint con JOIN pg_class t ON t.oid = con.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE con.conrelid = ANY($1) AND coalesce((to_jsonb(con) ->> 'conenforced')::bool, true)
  AND ((con.contype = 'c' AND con.coninhcount = 0)
    OR (con.contype = 'f' AND con.confrelid = ANY($1) AND con.conparentid = 0))
ORDER BY con.contype, con.oid";

const STATISTICS: &str = "
SELECT format('statistics %I.%I', n.nspname, s.stxname), pg_get_statisticsobjdef(s.oid),
  s.stxrelid, EXISTS (SELECT FROM pg_stats_ext e WHERE e.statistics_name = s.stxname
    AND e.statistics_schemaname = n.nspname AND coalesce(e.n_distinct::text, e.dependencies::text,
      e.most_common_freqs::text) IS NOT NULL)
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = ANY($1) ORDER BY s.oid";

/// Reads what is to be built on the touched tables.
pub(super) async fn read(source: &Client, touched: &[u32]) -> Result<Keys> {
    let mut keys = Keys::default();
    let mut parents = Vec::new();
    let mut over_indexes = Vec::new();
    for row in source.query(INDEXES, &[&touched]).await.map_err(failed)? {
        let (name, definition): (String, String) = (row.get(0), row.get(1));
        let (partitioned, constrained): (bool, bool) = (row.get(2), row.get(4));
        let separate: bool = row.get(6);
        let constraint = Object { name: name.clone(), ddl: row.get(5) };
        match (partitioned, constrained, separate) {
            (true, true, _) => parents.push(constraint),
            (true, false, _) => parents.push(Object { name, ddl: definition }),
            (false, true, true) => {
                keys.indexes.push(Object { name, ddl: definition });
                over_indexes.push(constraint);
            }
            (false, true, false) => over_indexes.push(constraint),
            (false, false, _) => keys.indexes.push(Object { name, ddl: definition }),
        }
    }
    keys.then.extend(over_indexes);
    keys.then.extend(parents);
    for row in source.query(CONSTRAINTS, &[&touched]).await.map_err(failed)? {
        keys.then.push(Object { name: row.get(0), ddl: row.get(1) });
        if !row.get::<_, bool>(7) {
            keys.unchecked.push(row.get(8));
        }
        if row.get::<_, String>(2) == "f" {
            keys.foreign.push((row.get(3), row.get(5), row.get(4), row.get(6)));
        }
    }
    for row in source.query(STATISTICS, &[&touched]).await.map_err(failed)? {
        let object = Object { name: row.get(0), ddl: row.get(1) };
        keys.statistics.push((object, row.get(2), row.get(3)));
    }
    Ok(keys)
}
