//! Prints how long a copy of all the shop's tables takes beside `pg_dump | psql` of the same
//! tables into the same lab server: `bench_clone [SCALE]`. `make bench` runs it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::{Command, Stdio};
use std::time::Instant;

use marula_core::{Engine, Error, ErrorKind, Quiet, Result, Version};
use marula_lab::clone::{CloneLimits, postgres};
use marula_lab::shop::{Scale, TABLES, load_postgres};
use marula_lab::{PostgresServer, StartOptions, discover};
use marula_postgres::{Session, SessionOptions};

/// The goal: a copy takes at most this many times as long as the peer.
const LIMIT: f64 = 1.5;
const RUNS: usize = 3;

#[tokio::main]
async fn main() -> Result<()> {
    let scale = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0.2);
    let wanted = Some(Version::new(15, 0, 0));
    let install = discover::choose(Engine::Postgres, wanted)?.install;
    if !install.bin_dir().join("pg_dump").exists() {
        println!("the peer is missing: {} has no pg_dump", install.bin_dir().display());
        return Ok(());
    }
    let from = PostgresServer::start(&install, &StartOptions::default()).await?;
    let to = PostgresServer::start(&install, &StartOptions::default()).await?;
    let source = Session::open(&from.create_database().await?, &SessionOptions::lab()).await?;
    load_postgres(&source, Scale::new(scale)?, 1, &Quiet).await?;
    let tables = "SELECT n.nspname || '.' || relname FROM pg_class c JOIN pg_namespace n
      ON n.oid = relnamespace WHERE relname::text = ANY($1) AND relkind = 'r'";
    let rows = source.client().query(tables, &[&&TABLES[..]]).await;
    let rows = rows.map_err(|error| marula_postgres::from_server(&error))?;
    let relations: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let request = postgres::Request {
        relations: relations.clone(),
        joins: Vec::new(),
        statement: String::new(),
        limits: CloneLimits { bytes: u64::MAX, ..CloneLimits::default() },
    };

    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begun = Instant::now();
        let copy = postgres::clone(&source, &to.spec(), &request, &Quiet).await?;
        ours.push(begun.elapsed().as_secs_f64());
        copy.close().await?;
        let database = to.create_database().await?;
        let begun = Instant::now();
        dump_and_load(
            &install.bin_dir().join("pg_dump"),
            &from,
            source.database(),
            &to,
            database.database(),
            &relations,
        )?;
        peers.push(begun.elapsed().as_secs_f64());
    }
    let (ours, peer) = (median(ours), median(peers));
    println!(
        "{:<26} {:>9} {:>15} {:>7} {:>7}",
        "copy of the shop", "marula", "pg_dump | psql", "ratio", "limit"
    );
    println!(
        "{:<26} {:>7.2} s {:>13.2} s {:>7.2} {:>7.2}",
        format!("PostgreSQL, scale {scale}"),
        ours,
        peer,
        ours / peer,
        LIMIT
    );
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The peer, through the same sockets.
fn dump_and_load(
    pg_dump: &std::path::Path,
    from: &PostgresServer,
    database: &str,
    to: &PostgresServer,
    into: &str,
    tables: &[String],
) -> Result<()> {
    let at = |server: &PostgresServer, database: &str| {
        server.url().replacen("/postgres", &format!("/{database}"), 1)
    };
    let failed = |what: &str| Error::new(ErrorKind::Lab, format!("{what} failed"));
    let mut dump = Command::new(pg_dump);
    dump.arg("--no-owner").arg(at(from, database));
    for table in tables {
        dump.arg("--table").arg(table);
    }
    let mut dump = dump.stdout(Stdio::piped()).spawn()?;
    let input = dump.stdout.take().ok_or_else(|| failed("pg_dump"))?;
    let mut load = Command::new(pg_dump.with_file_name("psql"));
    load.args(["-q", "-v", "ON_ERROR_STOP=1", "-d"]).arg(at(to, into));
    let loaded = load.stdin(input).stdout(Stdio::null()).status()?;
    if !dump.wait()?.success() || !loaded.success() {
        return Err(failed("pg_dump | psql"));
    }
    Ok(())
}
