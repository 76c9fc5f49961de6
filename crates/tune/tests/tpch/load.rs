//! TPC-H data in a PostgreSQL database, without keys, and its queries.

use std::fmt::Display;
use std::io::Cursor;

use futures_util::SinkExt;
use marula_core::Result;
use marula_postgres::{Session, from_server};
use tpchgen::generators as tpch;

/// The tables.
pub const SCHEMA: &str = include_str!("schema.sql");
const QUERIES: &str = include_str!("queries.sql");
/// Bytes handed on at once.
const CHUNK: usize = 1 << 20;

/// The queries with their numbers.
pub fn queries() -> Vec<(u32, String)> {
    QUERIES
        .split("\n-- Q")
        .skip(1)
        .filter_map(|part| {
            let (number, text) = part.split_once('\n')?;
            Some((number.parse().ok()?, text.trim().trim_end_matches(';').to_owned()))
        })
        .collect()
}

/// Makes and fills the tables at this scale factor, and lets the planner look at them.
pub async fn load(session: &Session, scale: f64) -> Result<()> {
    let run = async |sql: &str| {
        session.client().batch_execute(sql).await.map_err(|error| from_server(&error))
    };
    run(SCHEMA).await?;
    copy(session, "region", tpch::RegionGenerator::new(scale, 1, 1).iter()).await?;
    copy(session, "nation", tpch::NationGenerator::new(scale, 1, 1).iter()).await?;
    copy(session, "part", tpch::PartGenerator::new(scale, 1, 1).iter()).await?;
    copy(session, "supplier", tpch::SupplierGenerator::new(scale, 1, 1).iter()).await?;
    copy(session, "partsupp", tpch::PartSuppGenerator::new(scale, 1, 1).iter()).await?;
    copy(session, "customer", tpch::CustomerGenerator::new(scale, 1, 1).iter()).await?;
    copy(session, "orders", tpch::OrderGenerator::new(scale, 1, 1).iter()).await?;
    copy(session, "lineitem", tpch::LineItemGenerator::new(scale, 1, 1).iter()).await?;
    // ANALYZE takes the orders of six million lines for a quarter of what they are, and Q21, which
    // finishes in seconds when told better, then does not finish in minutes.
    run("ALTER TABLE lineitem ALTER l_orderkey SET (n_distinct = -0.25)").await?;
    run("VACUUM (FREEZE, ANALYZE)").await
}

async fn copy<Row: Display>(
    session: &Session,
    table: &str,
    rows: impl Iterator<Item = Row>,
) -> Result<()> {
    let sql = format!("COPY {table} FROM STDIN (FORMAT text, DELIMITER '|')");
    let sink = session.client().copy_in(&sql).await.map_err(|error| from_server(&error))?;
    let mut sink = std::pin::pin!(sink);
    let mut chunk = String::with_capacity(CHUNK + 4096);
    for row in rows {
        use std::fmt::Write;
        // Every line ends with a separator that separates nothing.
        let _ = write!(chunk, "{row}");
        chunk.pop();
        chunk.push('\n');
        if chunk.len() >= CHUNK {
            let full = std::mem::replace(&mut chunk, String::with_capacity(CHUNK + 4096));
            sink.send(Cursor::new(full.into_bytes())).await.map_err(|error| from_server(&error))?;
        }
    }
    if !chunk.is_empty() {
        sink.send(Cursor::new(chunk.into_bytes())).await.map_err(|error| from_server(&error))?;
    }
    sink.as_mut().finish().await.map(|_| ()).map_err(|error| from_server(&error))
}
