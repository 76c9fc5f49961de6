//! Measures how fast the demo data `shop` are generated and loaded.
//!
//! ```text
//! shop SCALE                          generation alone, both engines
//! shop SCALE postgres CONNINFO        and loaded into an empty database
//! shop SCALE mongodb URL DATABASE
//! ```
#![allow(clippy::print_stdout)]

use std::time::Instant;

use marula_core::{Engine, Quiet};
use marula_lab::shop::{Counts, Scale, generate, load_mongodb_into, load_postgres_over};

const SEED: u64 = 1;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let scale: Scale = words.first().unwrap_or(&"0.1").parse()?;
    let threads = std::thread::available_parallelism()?.get();
    match words.get(1..) {
        Some(["postgres", conninfo]) => {
            generation(Engine::Postgres, scale, threads);
            let mut clients = Vec::new();
            for _ in 0..threads.min(4) {
                let (client, connection) =
                    tokio_postgres::connect(conninfo, tokio_postgres::NoTls).await?;
                tokio::spawn(connection);
                clients.push(client);
            }
            let start = Instant::now();
            let clients: Vec<_> = clients.iter().collect();
            let counts = load_postgres_over(&clients, scale, SEED, &Quiet).await?;
            loaded(Engine::Postgres, &counts, start);
        }
        Some(["mongodb", url, database]) => {
            generation(Engine::Mongodb, scale, threads);
            let client = mongodb::Client::with_uri_str(url).await?;
            let start = Instant::now();
            let counts = load_mongodb_into(&client.database(database), scale, SEED, &Quiet).await?;
            loaded(Engine::Mongodb, &counts, start);
        }
        _ => {
            generation(Engine::Postgres, scale, 1);
            generation(Engine::Postgres, scale, threads);
            generation(Engine::Mongodb, scale, 1);
            generation(Engine::Mongodb, scale, threads);
        }
    }
    Ok(())
}

fn generation(engine: Engine, scale: Scale, threads: usize) {
    let start = Instant::now();
    let made = generate(engine, scale, SEED, threads);
    let seconds = start.elapsed().as_secs_f64();
    for table in &made {
        println!(
            "  {:<12} {:>9} rows {:>8.1} MB  {:016x}",
            table.name,
            table.rows,
            table.bytes as f64 / 1e6,
            table.digest
        );
    }
    let rows: u64 = made.iter().map(|table| table.rows).sum();
    let bytes: u64 = made.iter().map(|table| table.bytes).sum();
    println!(
        "{engine}: generated in {threads} threads: {rows} rows in {seconds:.2} s: {:.0} rows/s, {:.0} MB/s",
        rows as f64 / seconds,
        bytes as f64 / 1e6 / seconds
    );
}

fn loaded(engine: Engine, counts: &Counts, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{engine}: loaded {} rows in {seconds:.2} s: {:.0} rows/s",
        counts.total(),
        counts.total() as f64 / seconds
    );
}
