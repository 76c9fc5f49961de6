//! Whether schema and data are as before.

use std::collections::BTreeMap;

use marula_core::Result;
use marula_postgres::sql::quote_ident;
use tokio_postgres::Client;

use super::failed;

/// A line for everything there is, that anybody may see.
const CATALOGUE: &str = "
WITH own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'
    AND nspname NOT IN ('information_schema', 'marula')),
  rel AS (SELECT c.* FROM pg_class c JOIN own n ON n.oid = c.relnamespace)
SELECT 'schema ' || nspname FROM own
UNION ALL SELECT CASE relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '
    WHEN 'i' THEN 'index ' WHEN 'I' THEN 'index ' WHEN 'S' THEN 'sequence ' WHEN 'c' THEN 'type '
    ELSE 'table ' END || oid::regclass::text
    || CASE relpersistence WHEN 'u' THEN ' unlogged' ELSE '' END
    || coalesce(' with ' || array_to_string(reloptions, ', '), '')
    || CASE WHEN relrowsecurity THEN ' row security' ELSE '' END
    || coalesce(' ' || pg_get_expr(relpartbound, oid), '')
  FROM rel WHERE relkind <> 't'
UNION ALL SELECT 'column ' || c.oid::regclass::text || '.' || quote_ident(a.attname) || ' (number '
    || row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) || ') '
    || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
    || a.attidentity::text || a.attgenerated::text
    || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END
  FROM rel c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'c')
UNION ALL SELECT 'constraint ' || conrelid::regclass::text || '.' || quote_ident(conname) || ' '
    || pg_get_constraintdef(k.oid) || CASE WHEN convalidated THEN '' ELSE ' unchecked' END
  FROM pg_constraint k JOIN own n ON n.oid = k.connamespace WHERE conrelid <> 0
UNION ALL SELECT pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
    || CASE WHEN i.indisclustered THEN ' clustered' ELSE '' END
    || CASE WHEN i.indisreplident THEN ' replica identity' ELSE '' END
  FROM pg_index i JOIN rel c ON c.oid = i.indexrelid
UNION ALL SELECT pg_get_viewdef(oid) FROM rel WHERE relkind IN ('v', 'm')
UNION ALL SELECT pg_get_triggerdef(g.oid) || ' ' || g.tgenabled::text
  FROM pg_trigger g JOIN rel c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal
UNION ALL SELECT 'policy ' || p.polrelid::regclass::text || '.' || p.polname || ' '
    || coalesce(pg_get_expr(p.polqual, p.polrelid), '') FROM pg_policy p JOIN rel c ON c.oid = p.polrelid
UNION ALL SELECT 'type ' || t.oid::regtype::text || coalesce(' ' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
    FROM pg_enum e WHERE e.enumtypid = t.oid), '') || coalesce(' ' || (SELECT string_agg(conname || ' ' || pg_get_constraintdef(k.oid), ', ' ORDER BY conname)
    FROM pg_constraint k WHERE k.contypid = t.oid), '')
  FROM pg_type t JOIN own n ON n.oid = t.typnamespace WHERE t.typtype IN ('e', 'd')
UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN own n ON n.oid = p.pronamespace
  WHERE p.prokind IN ('f', 'p') AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL SELECT 'part ' || h.inhrelid::regclass::text || ' of ' || h.inhparent::regclass::text
  FROM pg_inherits h JOIN rel c ON c.oid = h.inhrelid
UNION ALL SELECT 'extension ' || extname || ' ' || extversion FROM pg_extension
UNION ALL SELECT 'comment on ' || coalesce(c.oid::regclass::text || '.' || d.objsubid, d.objoid::text) || ' ' || d.description
  FROM pg_description d JOIN rel c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid
ORDER BY 1";

/// What a database holds: its schema in lines, its data in a sum for each table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    schema: Vec<String>,
    data: BTreeMap<String, String>,
}

/// Reads what a database holds. A table's columns are summed in the order of their names.
pub(super) async fn state(client: &Client) -> Result<State> {
    let rows = client.query(CATALOGUE, &[]).await.map_err(failed)?;
    let schema = rows.iter().filter_map(|row| row.get(0)).collect();
    const TABLES: &str = "
        SELECT c.oid::regclass::text, array_agg(a.attname::text ORDER BY a.attname)
          FILTER (WHERE a.attname IS NOT NULL)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND n.nspname NOT LIKE 'pg\\_%'
          AND n.nspname NOT IN ('information_schema', 'marula')
        GROUP BY c.oid ORDER BY 1";
    let mut data = BTreeMap::new();
    for row in client.query(TABLES, &[]).await.map_err(failed)? {
        let (table, columns): (String, Option<Vec<String>>) = (row.get(0), row.get(1));
        let columns: Vec<String> =
            columns.unwrap_or_default().iter().map(|column| quote_ident(column)).collect();
        let sql = format!(
            "SELECT count(*)::text || ' rows, ' || coalesce(sum(hashtextextended(ROW({})::text, 0)), 0)::text \
             FROM ONLY {table}",
            columns.join(", ")
        );
        let sum: String = client.query_one(&sql, &[]).await.map_err(failed)?.get(0);
        data.insert(table, sum);
    }
    Ok(State { schema, data })
}

/// What is in one and not in the other, in a line each.
pub(super) fn differences(before: &State, after: &State) -> Vec<String> {
    let mut all = Vec::new();
    let short = |line: &str| {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(200).collect::<String>()
    };
    for (one, other, word) in
        [(&before.schema, &after.schema, "gone"), (&after.schema, &before.schema, "new")]
    {
        let missing = one.iter().filter(|line| !other.contains(line));
        all.extend(missing.map(|line| format!("{word}: {}", short(line))));
    }
    for (table, sum) in &before.data {
        match after.data.get(table) {
            Some(now) if now != sum => {
                let rows = |sum: &str| sum.split(',').next().unwrap_or_default().to_owned();
                let (was, is) = (rows(sum), rows(now));
                all.push(if was == is {
                    format!("the rows of {table} are not what they were ({was})")
                } else {
                    format!("{table} had {was} and has {is}")
                });
            }
            _ => {}
        }
    }
    all
}
