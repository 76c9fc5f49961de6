use marula_core::{Column, ColumnStatistics, Version};
use tokio_postgres::{Client, Error, Row};

/// The columns of the relations, in order, with what ANALYZE found.
pub(super) async fn read(
    client: &Client,
    version: Version,
    oids: &[u32],
) -> Result<Vec<(u32, Column)>, Error> {
    let generated = if version.major >= 12 {
        "NULLIF(a.attidentity::text || a.attgenerated::text, '')"
    } else {
        "NULLIF(a.attidentity::text, '')"
    };
    // pg_stats shows each user what the user may read. A partitioned table has statistics over
    // its partitions only; the others' own are those the planner uses. Values of types whose arrays
    // are not written with commas (PostGIS's) are left out.
    let sql = format!(
        "SELECT a.attrelid, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                pg_get_expr(d.adbin, d.adrelid), {generated},
                CASE WHEN a.attcollation <> t.typcollation
                     THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END,
                s.null_frac::float8, s.n_distinct::float8, s.avg_width,
                CASE WHEN t.typdelim = ',' THEN s.most_common_vals::text::text[] END,
                CASE WHEN t.typdelim = ',' THEN s.most_common_freqs::float8[] END,
                CASE WHEN t.typdelim = ',' THEN s.histogram_bounds::text::text[] END,
                s.correlation::float8
         FROM pg_attribute a
         JOIN pg_class c ON c.oid = a.attrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_type t ON t.oid = a.atttypid
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         LEFT JOIN pg_collation co ON co.oid = a.attcollation
         LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
         LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
               AND s.attname = a.attname AND s.inherited = (c.relkind = 'p')
         WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY a.attrelid, a.attnum"
    );
    client.query(&sql, &[&oids]).await?.iter().map(column).collect()
}

fn column(row: &Row) -> Result<(u32, Column), Error> {
    let statistics = match row.try_get::<_, Option<f64>>(7)? {
        None => None,
        Some(null_fraction) => Some(ColumnStatistics {
            null_fraction,
            distinct: row.try_get(8)?,
            width: u32::try_from(row.try_get::<_, i32>(9)?).unwrap_or(0),
            common_values: texts(row, 10)?,
            common_frequencies: row.try_get::<_, Option<_>>(11)?.unwrap_or_default(),
            histogram: texts(row, 12)?,
            correlation: row.try_get(13)?,
        }),
    };
    let column = Column {
        name: row.try_get(1)?,
        type_name: row.try_get(2)?,
        not_null: row.try_get(3)?,
        default: row.try_get(4)?,
        generated: row.try_get(5)?,
        collation: row.try_get(6)?,
        statistics,
    };
    Ok((row.try_get(0)?, column))
}

fn texts(row: &Row, at: usize) -> Result<Vec<String>, Error> {
    let values: Option<Vec<Option<String>>> = row.try_get(at)?;
    Ok(values.unwrap_or_default().into_iter().map(Option::unwrap_or_default).collect())
}
