use marula_core::{Activity, Relation, RelationKind, Version};
use tokio_postgres::{Client, Error, Row};

/// The relations themselves, by schema and name, with their oids.
pub(super) async fn read(
    client: &Client,
    version: Version,
    oids: &[u32],
) -> Result<Vec<(u32, Relation)>, Error> {
    // Before 14 a relation that was never looked at has 0 rows in 0 pages.
    let rows = if version.major >= 14 {
        "CASE WHEN c.reltuples < 0 THEN NULL ELSE c.reltuples END"
    } else {
        "CASE WHEN c.reltuples = 0 AND c.relpages = 0 THEN NULL ELSE c.reltuples END"
    };
    let sql = format!(
        "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relispartition,
                ({rows})::float8,
                CASE WHEN c.relkind IN ('r', 'm', 'p') THEN pg_table_size(c.oid) ELSE 0 END,
                CASE WHEN c.relkind IN ('r', 'm', 'p') THEN pg_indexes_size(c.oid) ELSE 0 END,
                COALESCE(s.seq_scan, 0), COALESCE(s.idx_scan, 0), COALESCE(s.n_live_tup, 0),
                COALESCE(s.n_dead_tup, 0), COALESCE(s.n_mod_since_analyze, 0),
                to_char(GREATEST(s.last_analyze, s.last_autoanalyze) AT TIME ZONE 'UTC',
                        'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                to_char(GREATEST(s.last_vacuum, s.last_autovacuum) AT TIME ZONE 'UTC',
                        'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
                CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
                pn.nspname || '.' || p.relname,
                CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END,
                c.relrowsecurity
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
         LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhseqno = 1
         LEFT JOIN pg_class p ON p.oid = i.inhparent
         LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE c.oid = ANY ($1) AND has_any_column_privilege(c.oid, 'SELECT')
         ORDER BY 2, 3"
    );
    client.query(&sql, &[&oids]).await?.iter().map(relation).collect()
}

fn relation(row: &Row) -> Result<(u32, Relation), Error> {
    let kind: String = row.try_get(3)?;
    let partition: bool = row.try_get(4)?;
    let kind = match kind.as_str() {
        "p" => RelationKind::PartitionedTable,
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        "f" => RelationKind::ForeignTable,
        _ if partition => RelationKind::Partition,
        _ => RelationKind::Table,
    };
    let count = |at: usize| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
    let relation = Relation {
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        kind,
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        rows: row.try_get(5)?,
        bytes: count(6)?,
        index_bytes: count(7)?,
        activity: Activity {
            seq_scans: count(8)?,
            index_scans: count(9)?,
            live_rows: count(10)?,
            dead_rows: count(11)?,
            modified_since_analyze: count(12)?,
            last_analyze: row.try_get(13)?,
            last_vacuum: row.try_get(14)?,
        },
        definition: row.try_get(15)?,
        partition_key: row.try_get(16)?,
        partition_of: row.try_get(17)?,
        partition_bound: row.try_get(18)?,
        row_security: row.try_get(19)?,
    };
    Ok((row.try_get(0)?, relation))
}
