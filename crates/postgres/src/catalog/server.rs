use std::collections::BTreeMap;

use tokio_postgres::{Client, Error};

/// What concerns the database as a whole.
pub(super) struct Server {
    pub database: String,
    pub search_path: Vec<String>,
    pub extensions: BTreeMap<String, String>,
    pub settings: BTreeMap<String, String>,
}

pub(super) async fn read(client: &Client) -> Result<Server, Error> {
    let row = client
        .query_one(
            "SELECT pg_catalog.current_database()::text,
                    pg_catalog.current_schemas(false)::text[],
                    ARRAY(SELECT extname::text FROM pg_catalog.pg_extension ORDER BY extname),
                    ARRAY(SELECT extversion FROM pg_catalog.pg_extension ORDER BY extname)",
            &[],
        )
        .await?;
    let names: Vec<String> = row.try_get(2)?;
    let versions: Vec<String> = row.try_get(3)?;
    // SHOW's form, because SET takes it back whatever the unit: 4MB, not 4096.
    let settings = client
        .query(
            "SELECT name, pg_catalog.current_setting(name)
             FROM pg_catalog.pg_settings
             WHERE category LIKE 'Query Tuning%'
                OR name IN ('work_mem', 'hash_mem_multiplier', 'maintenance_work_mem',
                            'shared_buffers', 'temp_buffers', 'effective_io_concurrency',
                            'max_parallel_workers', 'max_parallel_workers_per_gather',
                            'max_worker_processes', 'default_statistics_target', 'TimeZone',
                            'DateStyle', 'IntervalStyle', 'server_encoding', 'lc_collate',
                            'block_size', 'track_io_timing', 'random_page_cost',
                            'seq_page_cost', 'jit')",
            &[],
        )
        .await?;
    Ok(Server {
        database: row.try_get(0)?,
        search_path: row.try_get(1)?,
        extensions: names.into_iter().zip(versions).collect(),
        settings: settings
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_, Error>>()?,
    })
}
