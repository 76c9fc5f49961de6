use marula_core::{Index, IndexKey};
use tokio_postgres::{Client, Error, Row};

/// The indexes of the relations.
pub(super) async fn read(client: &Client, oids: &[u32]) -> Result<Vec<(u32, Index)>, Error> {
    client.query(SQL, &[&oids]).await?.iter().map(index).collect()
}

fn index(row: &Row) -> Result<(u32, Index), Error> {
    let columns: Vec<Option<String>> = row.try_get(4)?;
    let expressions: Vec<String> = row.try_get(5)?;
    let options: Vec<i16> = row.try_get(6)?;
    let keys = columns
        .into_iter()
        .zip(expressions)
        .zip(options)
        .map(|((column, expression), option)| IndexKey {
            column,
            expression,
            descending: option & 1 != 0,
            nulls_first: option & 2 != 0,
        })
        .collect();
    let index = Index {
        name: row.try_get(1)?,
        method: row.try_get(2)?,
        definition: row.try_get(3)?,
        keys,
        include: row.try_get(7)?,
        predicate: row.try_get(8)?,
        unique: row.try_get(9)?,
        immediate: row.try_get(10)?,
        valid: row.try_get(11)?,
        constraint: row.try_get(12)?,
        bytes: row.try_get::<_, i64>(13)?.unsigned_abs(),
        scans: row.try_get::<_, i64>(14)?.unsigned_abs(),
    };
    Ok((row.try_get(0)?, index))
}

/// `indoption` counts from zero and has an entry for each key, none for included columns.
const SQL: &str = "
    SELECT x.indrelid, i.relname::text, m.amname::text, pg_get_indexdef(x.indexrelid),
           ARRAY(SELECT a.attname::text
                 FROM generate_series(0, x.indnkeyatts - 1) AS at
                 LEFT JOIN pg_attribute a
                        ON a.attrelid = x.indrelid AND a.attnum = x.indkey[at] AND a.attnum <> 0
                 ORDER BY at),
           ARRAY(SELECT pg_get_indexdef(x.indexrelid, at + 1, true)
                 FROM generate_series(0, x.indnkeyatts - 1) AS at ORDER BY at),
           ARRAY(SELECT x.indoption[at] FROM generate_series(0, x.indnkeyatts - 1) AS at
                 ORDER BY at)::int2[],
           ARRAY(SELECT a.attname::text
                 FROM generate_series(x.indnkeyatts::int, x.indnatts - 1) AS at
                 JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[at]
                 ORDER BY at),
           pg_get_expr(x.indpred, x.indrelid), x.indisunique, x.indimmediate,
           x.indisvalid AND x.indisready,
           (SELECT k.conname::text FROM pg_constraint k
            WHERE k.conindid = x.indexrelid AND k.conrelid = x.indrelid
              AND k.contype IN ('p', 'u', 'x') LIMIT 1),
           CASE WHEN i.relkind = 'i' THEN pg_relation_size(x.indexrelid) ELSE 0 END,
           COALESCE(s.idx_scan, 0)
    FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_am m ON m.oid = i.relam
    LEFT JOIN pg_stat_all_indexes s ON s.indexrelid = x.indexrelid
    WHERE x.indrelid = ANY ($1)
    ORDER BY x.indrelid, NOT x.indisprimary, i.relname";
