//! Measures how fast the demo data `shop` are generated, and generated and loaded.
//!
//! ```text
//! shop SCALE                      generation alone, for both engines
//! shop SCALE postgresql://…       and loaded into an empty database
//! shop SCALE mongodb://…
//! ```
#![allow(clippy::print_stdout)]

use std::time::Instant;

use marula_core::{Engine, Quiet};
use marula_lab::shop::{Counts, Scale, generate, load_mongodb, load_postgres};
use marula_postgres::Environment;

const SEED: u64 = 1;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let scale: Scale = arguments.first().map_or("0.1", String::as_str).parse()?;
    match arguments.get(1).map(String::as_str) {
        None => {
            generation(Engine::Postgres, scale)?;
            generation(Engine::Mongodb, scale)?;
        }
        Some(url) if url.starts_with("mongodb") => {
            use marula_mongodb::{ConnectSpec, Session, SessionOptions};
            let bytes = generation(Engine::Mongodb, scale)?;
            let session = Session::open(&ConnectSpec::parse(url)?, &SessionOptions::lab()).await?;
            let start = Instant::now();
            let counts = load_mongodb(&session, scale, SEED, &Quiet).await?;
            loaded(Engine::Mongodb, &counts, bytes, start);
        }
        Some(url) => {
            use marula_postgres::{ConnectSpec, Session, SessionOptions};
            let bytes = generation(Engine::Postgres, scale)?;
            let spec = ConnectSpec::parse(url, &Environment::from_process())?;
            let session = Session::open(&spec, &SessionOptions::lab()).await?;
            let start = Instant::now();
            let counts = load_postgres(&session, scale, SEED, &Quiet).await?;
            loaded(Engine::Postgres, &counts, bytes, start);
        }
    }
    Ok(())
}

/// Prints the tables, and the rate on one core and on all of them; gives the bytes made.
fn generation(engine: Engine, scale: Scale) -> Result<u64, Box<dyn std::error::Error>> {
    let cores = std::thread::available_parallelism()?.get();
    for table in generate(engine, scale, SEED, cores) {
        let megabytes = table.bytes as f64 / 1e6;
        println!("{:<12} {:>9} rows {megabytes:>8.1} MB", table.name, table.rows);
    }
    let mut total = 0;
    for threads in [1, cores] {
        let start = Instant::now();
        let made = generate(engine, scale, SEED, threads);
        let rows: u64 = made.iter().map(|table| table.rows).sum();
        total = made.iter().map(|table| table.bytes).sum();
        rate(&format!("{engine}: generated on {threads} cores"), rows, total, start);
    }
    Ok(total)
}

fn loaded(engine: Engine, counts: &Counts, bytes: u64, start: Instant) {
    rate(&format!("{engine}: generated and loaded"), counts.total(), bytes, start);
}

fn rate(what: &str, rows: u64, bytes: u64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    let (per_second, megabytes) = (rows as f64 / seconds, bytes as f64 / 1e6 / seconds);
    println!("{what}: {rows} rows in {seconds:.2} s, {per_second:.0} rows/s, {megabytes:.0} MB/s");
}
