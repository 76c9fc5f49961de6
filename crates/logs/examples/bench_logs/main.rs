//! Prints how fast logs of both engines are digested, what the limits of the machine are, and how
//! fast pgBadger and mtools' mloginfo are on the same lines: `bench_logs [MEGABYTES]`, 200 by
//! default.
//!
//! Times are processor seconds of whole processes, as the kernel counts them, and seconds on the
//! clock; every figure is of a process of its own.
#![allow(clippy::print_stdout, missing_docs)]

mod limits;
mod measure;
mod peers;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use marula_core::{Error, ErrorKind, Result};
use marula_logs::generate::mongodb::{self, Flavour};
use marula_logs::generate::postgres::{self, Kind, Length, Plan};

use measure::{Figures, ours};

/// The prefix that pgBadger's documentation recommends.
const PREFIX: &str = "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ";

/// What is measured.
const LOGS: [(&str, Source); 7] = [
    ("PostgreSQL stderr", Source::Postgres),
    ("MongoDB JSON 4.4", Source::Mongodb(Flavour::Json(4))),
    ("MongoDB JSON 6.0", Source::Mongodb(Flavour::Json(6))),
    ("MongoDB JSON 8.0", Source::Mongodb(Flavour::Json(8))),
    ("MongoDB text 4.2", Source::Mongodb(Flavour::Text)),
    ("MongoDB profile, JSON", Source::Mongodb(Flavour::Profile)),
    ("MongoDB profile, BSON", Source::Mongodb(Flavour::ProfileBson)),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Postgres,
    Mongodb(Flavour),
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || Error::new(ErrorKind::Usage, "bench_logs [MEGABYTES]");
    match arguments.as_slice() {
        [] => compare(200),
        [megabytes] => compare(megabytes.parse().map_err(|_| usage())?),
        [flag, path, threads] if flag == "--digest" => {
            measure::one(path, threads.parse().map_err(|_| usage())?)
        }
        _ => Err(usage()),
    }
}

fn compare(megabytes: u64) -> Result<()> {
    let folder = Folder::new()?;
    for (name, source) in LOGS {
        let log = folder.0.join("log");
        let truth = write(source, &log, megabytes)?;
        let bytes = std::fs::metadata(&log)?.len() as f64 / 1e6;
        println!(
            "{name}: {bytes:.0} MB, {} runs put in; load average {}",
            truth.0,
            measure::load()
        );
        let figures = Figures::of(&log)?;
        figures.tell(bytes, truth);
        limits::tell(&log, bytes, &figures, source == Source::Postgres)?;
        // They take minutes for the whole: they get its beginning.
        let peer = match source {
            Source::Postgres => "pgbadger",
            Source::Mongodb(Flavour::Text) => "mloginfo",
            Source::Mongodb(_) => continue,
        };
        let part = folder.0.join("part.log");
        let tenth = beginning(&log, &part, (megabytes * 100_000).min(20_000_000))?;
        let took =
            if peer == "pgbadger" { peers::pgbadger(&part)? } else { peers::mloginfo(&part)? };
        match took {
            Ok(took) => {
                let mine = ours(&part, 1)?;
                println!(
                    "  {peer} on the first {tenth:.0} MB: {:.2} MB per processor second, {:.1} s; marula on \
                     the same: {:.0} ({:.0}×, on the whole {:.0}×; the goal is 50×)",
                    tenth / took.cpu,
                    took.clock,
                    tenth / mine.cpu,
                    took.cpu / mine.cpu,
                    (bytes / figures.one.cpu) / (tenth / took.cpu),
                );
            }
            Err(why) => println!("  {peer} was left out: {why}"),
        }
    }
    Ok(())
}

/// Writes a log; gives how many runs it holds and their microseconds.
fn write(source: Source, path: &Path, megabytes: u64) -> Result<(u64, u64)> {
    let mut out = BufWriter::new(File::create(path)?);
    let bytes = megabytes * 1_000_000;
    let truth = match source {
        Source::Postgres => {
            let kind = Kind::Stderr(PREFIX.into());
            let plan = Plan { kind, seed: 1, length: Length::Bytes(bytes), plain: true };
            let truth = postgres::generate(&plan, &mut out)?;
            (truth.calls(), u64::try_from(truth.micros()).unwrap_or(u64::MAX))
        }
        Source::Mongodb(flavour) => {
            let options = mongodb::Options { seed: 1, flavour, operations: u64::MAX, bytes };
            let truth = mongodb::write(&mut out, &options)?;
            (truth.calls(), truth.statements.values().map(|one| one.total()).sum())
        }
    };
    out.flush()?;
    Ok(truth)
}

/// Copies whole entries of about so many bytes; gives the megabytes.
fn beginning(log: &Path, part: &Path, bytes: u64) -> Result<f64> {
    let mut lines = BufReader::new(File::open(log)?);
    let mut out = BufWriter::new(File::create(part)?);
    let (mut line, mut written) = (Vec::new(), 0);
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 || written > bytes && line[0] != b'\t' {
            break;
        }
        written += line.len() as u64;
        out.write_all(&line)?;
    }
    out.flush()?;
    Ok(written as f64 / 1e6)
}

/// A folder that goes with the program.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("marula-bench-logs-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
