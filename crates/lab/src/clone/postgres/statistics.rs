//! The planner's statistics: copied, so that it plans on the copy as it does on the target,
//! stale or missing statistics included.

use marula_core::Result;
use tokio_postgres::Client;

use super::failed;
use super::tables::Table;

/// A column's statistics as `pg_stats` shows them to anyone who may read the column.
#[derive(Debug)]
pub(super) struct ColumnStatistics {
    schema: String,
    relation: String,
    column: String,
    inherited: bool,
    null_fraction: f32,
    width: i32,
    distinct: f32,
    common_values: Option<String>,
    common_frequencies: Option<Vec<f32>>,
    histogram: Option<String>,
    correlation: Option<f32>,
    elements: Option<String>,
    element_frequencies: Option<Vec<f32>>,
    element_counts: Option<Vec<f32>>,
    range_lengths: Option<String>,
    empty_ranges: Option<f32>,
    range_bounds: Option<String>,
}

/// Statistics of the touched tables and of their expression indexes (whose columns the view
/// lists under the index). The range columns exist since 17.
const READ: &str = "
SELECT s.schemaname::text, s.tablename::text, s.attname::text, s.inherited, s.null_frac,
  s.avg_width, s.n_distinct, s.most_common_vals::text, s.most_common_freqs,
  s.histogram_bounds::text, s.correlation, s.most_common_elems::text, s.most_common_elem_freqs,
  s.elem_count_histogram, RANGE_COLUMNS
FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
WHERE c.oid = ANY($1) OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY($1))";

/// Reads the statistics of `touched`.
pub(super) async fn read(
    source: &Client,
    touched: &[u32],
    major: u16,
) -> Result<Vec<ColumnStatistics>> {
    const READABLE: &str = "SELECT pg_catalog.has_table_privilege('pg_statistic', 'SELECT')";
    let ranges = if major >= 17 {
        "s.range_length_histogram::text, s.range_empty_frac, s.range_bounds_histogram::text"
            .to_owned()
    } else if source.query_one(READABLE, &[]).await.map_err(failed)?.get(0) {
        [
            slot(6, "stavalues", "::text"),
            slot(6, "stanumbers", "[1]"),
            slot(7, "stavalues", "::text"),
        ]
        .join(", ")
    } else {
        "NULL::text, NULL::float4, NULL::text".to_owned()
    };
    let rows =
        source.query(&READ.replace("RANGE_COLUMNS", &ranges), &[&touched]).await.map_err(failed)?;
    Ok(rows
        .iter()
        .map(|row| ColumnStatistics {
            schema: row.get(0),
            relation: row.get(1),
            column: row.get(2),
            inherited: row.get(3),
            null_fraction: row.get(4),
            width: row.get(5),
            distinct: row.get(6),
            common_values: row.get(7),
            common_frequencies: row.get(8),
            histogram: row.get(9),
            correlation: row.get(10),
            elements: row.get(11),
            element_frequencies: row.get(12),
            element_counts: row.get(13),
            range_lengths: row.get(14),
            empty_ranges: row.get(15),
            range_bounds: row.get(16),
        })
        .collect())
}

/// What `pg_statistic` itself holds in the slot of `kind`: before 17 the view leaves ranges out,
/// and only a superuser may look further.
fn slot(kind: u8, column: &str, suffix: &str) -> String {
    let whens: Vec<String> =
        (1..=5).map(|n| format!("WHEN p.stakind{n} = {kind} THEN p.{column}{n}{suffix}")).collect();
    format!(
        "(SELECT CASE {} END FROM pg_statistic p JOIN pg_attribute a ON a.attrelid = p.starelid \
         AND a.attnum = p.staattnum WHERE p.starelid = c.oid AND a.attname = s.attname \
         AND p.stainherit = s.inherited)",
        whens.join(" ")
    )
}

/// One row of `pg_statistic` from what `pg_stats` shows. A slot that is not there leaves its
/// place empty: the planner looks slots up by kind, not by place. Operators are those ANALYZE
/// takes: of the type's default B-tree class, else of its hash class. Kinds 4 and 5 belong to
/// the elements of an array, or to a text search vector, whose elements are text.
const WRITE: &str = "
WITH RECURSIVE col AS (
  SELECT a.attrelid, a.attnum, a.atttypid, a.atttypmod, a.attcollation
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND NOT a.attisdropped),
base(oid, typtype, typbasetype, typelem, typname, typcategory) AS (
  SELECT t.oid, t.typtype, t.typbasetype, t.typelem, t.typname, t.typcategory
  FROM col JOIN pg_type t ON t.oid = col.atttypid
  UNION ALL SELECT t.oid, t.typtype, t.typbasetype, t.typelem, t.typname, t.typcategory
  FROM base JOIN pg_type t ON t.oid = base.typbasetype WHERE base.typtype = 'd'),
kind AS (SELECT b.*, CASE WHEN typname = 'tsvector' THEN 25 ELSE typelem END AS element
  FROM base b WHERE typtype <> 'd'),
op(of, strategy, oper) AS (
  SELECT DISTINCT ON (x.what, am.amopstrategy, m.meth)
    x.what || m.meth, am.amopstrategy::int, am.amopopr
  FROM (SELECT 'self' AS what, oid AS typ FROM kind UNION ALL SELECT 'element', element FROM kind
    WHERE element <> 0) x
  JOIN pg_type t ON t.oid = x.typ
  CROSS JOIN (VALUES (403, 'btree'), (405, 'hash')) m(amoid, meth)
  JOIN pg_opclass oc ON oc.opcmethod = m.amoid AND oc.opcdefault
    AND (oc.opcintype = x.typ
      OR EXISTS (SELECT FROM pg_cast k WHERE k.castsource = x.typ AND k.casttarget = oc.opcintype
        AND k.castmethod = 'b')
      OR (t.typtype = 'e' AND oc.opcintype = 'anyenum'::regtype)
      OR (t.typtype = 'r' AND oc.opcintype = 'anyrange'::regtype)
      OR (t.typtype = 'm' AND oc.opcintype = to_regtype('anymultirange'))
      OR (t.typtype = 'c' AND oc.opcintype = 'record'::regtype)
      OR (t.typcategory = 'A' AND oc.opcintype = 'anyarray'::regtype))
  JOIN pg_amop am ON am.amopfamily = oc.opcfamily AND am.amoplefttype = oc.opcintype
    AND am.amoprighttype = oc.opcintype
    AND am.amopstrategy IN (1, 3)
  ORDER BY x.what, am.amopstrategy, m.meth, (oc.opcintype = x.typ) DESC,
    (oc.opcintype = 'text'::regtype) DESC),
ops AS (SELECT
  coalesce((SELECT oper FROM op WHERE of = 'selfbtree' AND strategy = 3),
    (SELECT oper FROM op WHERE of = 'selfhash' AND strategy = 1), 0) AS eq,
  coalesce((SELECT oper FROM op WHERE of = 'selfbtree' AND strategy = 1), 0) AS lt,
  coalesce((SELECT oper FROM op WHERE of = 'elementbtree' AND strategy = 3),
    (SELECT oper FROM op WHERE of = 'elementhash' AND strategy = 1), 0) AS elem_eq)
INSERT INTO pg_statistic
SELECT col.attrelid, col.attnum, $4, $5, $6, $7,
  CASE WHEN $8::text IS NULL THEN 0 ELSE 1 END,
  CASE WHEN $10::text IS NOT NULL THEN 2 WHEN $15::text IS NOT NULL THEN 6 ELSE 0 END,
  CASE WHEN $11::float4 IS NOT NULL THEN 3 WHEN $17::text IS NOT NULL THEN 7 ELSE 0 END,
  CASE WHEN $12::text IS NULL THEN 0 ELSE 4 END,
  CASE WHEN $14::float4[] IS NULL THEN 0 ELSE 5 END,
  CASE WHEN $8::text IS NULL THEN 0 ELSE ops.eq END,
  CASE WHEN $10::text IS NOT NULL THEN ops.lt WHEN $15::text IS NOT NULL THEN 672 ELSE 0 END,
  CASE WHEN $11::float4 IS NOT NULL THEN ops.lt ELSE 0 END,
  CASE WHEN $12::text IS NULL THEN 0 ELSE ops.elem_eq END,
  CASE WHEN $14::float4[] IS NULL THEN 0 ELSE ops.elem_eq END,
  CASE WHEN $8::text IS NULL THEN 0 ELSE col.attcollation END,
  CASE WHEN $10::text IS NULL THEN 0 ELSE col.attcollation END,
  CASE WHEN $11::float4 IS NULL THEN 0 ELSE col.attcollation END,
  CASE WHEN $12::text IS NULL THEN 0 WHEN kind.typname = 'tsvector' THEN 100
    ELSE col.attcollation END,
  CASE WHEN $14::float4[] IS NULL THEN 0 WHEN kind.typname = 'tsvector' THEN 100
    ELSE col.attcollation END,
  $9::float4[], CASE WHEN $15::text IS NOT NULL THEN ARRAY[$16::float4] END,
  CASE WHEN $11::float4 IS NOT NULL THEN ARRAY[$11::float4] END,
  $13::float4[], $14::float4[],
  array_in($8::text::cstring, col.atttypid, col.atttypmod),
  CASE WHEN $10::text IS NOT NULL THEN array_in($10::text::cstring, col.atttypid, col.atttypmod)
    WHEN $15::text IS NOT NULL THEN array_in($15::text::cstring, 701, -1) END,
  CASE WHEN $17::text IS NOT NULL THEN array_in($17::text::cstring,
    -- The bounds of multiranges are ranges.
    coalesce((SELECT r.rngtypid FROM pg_range r WHERE kind.typtype = 'm'
      AND to_jsonb(r) ->> 'rngmultitypid' = kind.oid::text), kind.oid), -1) END,
  array_in($12::text::cstring, kind.element, -1),
  NULL
FROM col, kind, ops";

/// Writes one column's statistics.
pub(super) async fn write(lab: &Client, s: &ColumnStatistics) -> Result<()> {
    lab.execute(
        WRITE,
        &[
            &s.schema,
            &s.relation,
            &s.column,
            &s.inherited,
            &s.null_fraction,
            &s.width,
            &s.distinct,
            &s.common_values,
            &s.common_frequencies,
            &s.histogram,
            &s.correlation,
            &s.elements,
            &s.element_frequencies,
            &s.element_counts,
            &s.range_lengths,
            &s.empty_ranges,
            &s.range_bounds,
        ],
    )
    .await
    .map_err(failed)?;
    Ok(())
}

impl ColumnStatistics {
    /// `schema.table.column`, for messages.
    pub fn place(&self) -> String {
        format!("{}.{}.{}", self.schema, self.relation, self.column)
    }
}

/// Forgets what building indexes and ANALYZE taught the planner.
pub(super) async fn clear(lab: &Client, quoted: &[String]) -> Result<()> {
    const CLEAR: &str = "DELETE FROM pg_statistic WHERE starelid IN (
      SELECT to_regclass(name)::oid FROM unnest($1::text[]) name
      UNION SELECT indexrelid FROM pg_index
      WHERE indrelid IN (SELECT to_regclass(name)::oid FROM unnest($1::text[]) name))";
    lab.execute(CLEAR, &[&quoted]).await.map_err(failed)?;
    Ok(())
}

/// The row counts the planner believes: the same density over the blocks the copy has, so that
/// its estimate is the target's even where the target's heap is bloated. `share` scales it down
/// for a sample.
pub(super) async fn write_counts(lab: &Client, table: &Table, share: f64) -> Result<()> {
    const COUNTS: &str = "
    UPDATE pg_class SET relpages = CASE WHEN $2::float8 IS NULL THEN 0 ELSE b.blocks END,
      reltuples = coalesce($2::float8, CASE WHEN current_setting('server_version_num')::int < 140000
        THEN 0 ELSE -1 END)::float4,
      relallvisible = CASE WHEN $2::float8 IS NULL THEN 0
        ELSE least(b.blocks, round(b.blocks * $3::float8)) END
    FROM (SELECT (pg_relation_size(to_regclass($1))
      / current_setting('block_size')::int)::int AS blocks) b
    WHERE oid = to_regclass($1)";
    if table.kind == 'p' {
        let partitioned = "UPDATE pg_class SET reltuples = $2::float8::float4
          WHERE oid = to_regclass($1)";
        let tuples = if table.tuples > 0.0 { table.tuples * share } else { table.tuples };
        lab.execute(partitioned, &[&table.quoted, &tuples]).await.map_err(failed)?;
        return Ok(());
    }
    let rows = table.estimated_rows().map(|rows| rows * share);
    lab.execute(COUNTS, &[&table.quoted, &rows, &table.visible_share()]).await.map_err(failed)?;
    Ok(())
}

impl Table {
    /// The share of its blocks in which all rows are known to be visible to all.
    pub fn visible_share(&self) -> f64 {
        if self.blocks > 0.0 { (self.all_visible / self.blocks).clamp(0.0, 1.0) } else { 0.0 }
    }
}
