//! Prints how long servers of each installed version take to start: the median of several starts
//! beside the limit the lab keeps to. `make bench` runs it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::time::Instant;

use marula_core::{Engine, Result};
use marula_lab::discover::{Install, find_all};
use marula_lab::{MongoServer, PostgresServer, StartOptions};

const RUNS: usize = 5;

#[tokio::main]
async fn main() -> Result<()> {
    println!(
        "{:<22} {:<12} {:>9} {:>9} {:>7} {:>8}",
        "server", "kind", "first", "median", "limit", "stop"
    );
    for install in find_all() {
        match install.engine {
            Engine::Postgres => report(&install, false, 1000).await?,
            Engine::Mongodb => {
                report(&install, false, 2500).await?;
                report(&install, true, 2500).await?;
            }
        }
    }
    Ok(())
}

async fn report(install: &Install, replica_set: bool, limit: u32) -> Result<()> {
    let options = StartOptions { replica_set, ..StartOptions::default() };
    let (mut starts, mut stops) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begun = Instant::now();
        let stop = match install.engine {
            Engine::Postgres => {
                let server = PostgresServer::start(install, &options).await?;
                starts.push(begun.elapsed().as_millis());
                let begun = Instant::now();
                server.stop().await;
                begun.elapsed()
            }
            Engine::Mongodb => {
                let server = MongoServer::start(install, &options).await?;
                starts.push(begun.elapsed().as_millis());
                let begun = Instant::now();
                server.stop().await;
                begun.elapsed()
            }
        };
        stops.push(stop.as_millis());
    }
    let first = starts[0];
    starts.sort_unstable();
    stops.sort_unstable();
    let kind = if replica_set { "replica set" } else { "standalone" };
    println!(
        "{:<22} {kind:<12} {first:>6} ms {:>6} ms {limit:>4} ms {:>5} ms",
        install.to_string(),
        starts[RUNS / 2],
        stops[RUNS / 2],
    );
    Ok(())
}
