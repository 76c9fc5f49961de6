//! Tunes TPC-H without keys, for the benchmark: `bench_tpch [SCALE [URL]]`.
//!
//! Scale 1 unless said otherwise, on a server of its own; `URL` names a database that is filled
//! already, or will be when it is empty.
#![allow(clippy::print_stdout)]

#[path = "../tests/tpch/load.rs"]
mod load;

use std::time::Instant;

use marula_core::{
    Engine, Quiet, Report, Result, Statement, Target, TargetKind, WeightedStatement, Workload,
};
use marula_lab::shared;
use marula_postgres::{ConnectSpec, Environment, Session, SessionOptions};
use marula_tune::TuneOptions;

/// What new indexes may take.
const BUDGET_MB: u64 = 200;
/// The queries that do not finish without keys.
const SLOW: [u32; 3] = [2, 17, 20];

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let scale: f64 = arguments.next().and_then(|scale| scale.parse().ok()).unwrap_or(1.0);
    let spec = match arguments.next() {
        Some(url) => ConnectSpec::parse(&url, &Environment::from_process())?,
        None => shared::postgres(15).await?.create_database().await?,
    };
    let session = Session::open(&spec, &SessionOptions::lab()).await?;
    let there = session.client().query_one("SELECT to_regclass('lineitem') IS NOT NULL", &[]).await;
    if !there.is_ok_and(|row| row.get(0)) {
        let started = Instant::now();
        load::load(&session, scale).await?;
        println!("TPC-H at scale {scale} loaded in {:.0} s", started.elapsed().as_secs_f64());
    }
    let target = Target {
        name: "tpch".into(),
        kind: TargetKind::Lab,
        engine: Engine::Postgres,
        database: Some(session.database().into()),
        version: Some(session.version()),
    };
    let options = TuneOptions { budget_bytes: Some(BUDGET_MB << 20), ..TuneOptions::default() };
    let quiet: bool = std::env::var_os("MARULA_BENCH_SPEAKS").is_none();
    let progress: &dyn marula_core::Progress = if quiet { &Quiet } else { &Speaks };
    let report =
        marula_tune::postgres::tune(&session, &target, &workload(), &options, progress).await?;
    print(&report);
    println!(
        "published for comparison, same queries on PostgreSQL 15: Extend at a budget of 500 MB by \
         estimate: 33.5 s → 21.6 s (0.64), 196 MB real; at 250 MB: 140.6 s, Q21 thirty times slower"
    );
    Ok(())
}

fn workload() -> Workload {
    let queries = load::queries().into_iter().filter(|(number, _)| !SLOW.contains(number));
    let statements = queries.map(|(_, text)| WeightedStatement {
        statement: Statement::new(Engine::Postgres, text),
        calls: 1,
        total_ms: None,
        goal_ms: None,
        samples: Vec::new(),
    });
    Workload { engine: Engine::Postgres, statements: statements.collect() }
}

fn print(report: &Report) {
    let Some(tuning) = &report.tuning else { return };
    let numbers = load::queries();
    for tuned in &tuning.statements {
        let number = numbers.iter().find(|(_, text)| *text == tuned.statement.text);
        let (before, after) = (tuned.before.ms.unwrap_or(0.0), tuned.after.ms.unwrap_or(0.0));
        println!(
            "Q{:<3} {before:>8.0} ms → {after:>8.0} ms  {:.2}",
            number.map_or(0, |(number, _)| *number),
            after / before.max(0.001)
        );
    }
    for (picked, change) in tuning.picked.iter().zip(&report.changes) {
        let bytes = change.proof.build.as_ref().map_or(0, |build| build.bytes);
        println!("{:>8.0} ms {:>5} MB  {}", picked.gain_ms, bytes >> 20, change.up.join("; "));
    }
    for turned in &tuning.turned_down {
        println!("turned down: {}: {}", turned.title, turned.reason);
    }
    let worst = tuning
        .statements
        .iter()
        .filter_map(|tuned| Some(tuned.after.ms? / tuned.before.ms?))
        .fold(0.0, f64::max);
    let own = (tuning.effort.total_ms - tuning.effort.run_ms) / 1000.0;
    println!(
        "workload {:.1} s → {:.1} s: {:.2} (limit 0.60); new indexes {} MB (limit {BUDGET_MB} MB); \
         the slowest against before {worst:.2} (limit 1.10); {:.0} s, besides the runs {own:.0} s \
         (limit 300 s); {} candidates, {} plans, {} built, {} runs",
        tuning.before_ms / 1000.0,
        tuning.after_ms / 1000.0,
        tuning.after_ms / tuning.before_ms.max(0.001),
        tuning.storage.added >> 20,
        tuning.effort.total_ms / 1000.0,
        tuning.effort.candidates,
        tuning.effort.plans,
        tuning.effort.built,
        tuning.effort.runs,
    );
    for note in &report.notes {
        println!("note: {note}");
    }
}

/// Tells every step, with the time.
struct Speaks;

impl marula_core::Progress for Speaks {
    fn step(&self, what: &str) {
        println!("… {what}");
    }

    fn advance(&self, _: u64, _: u64) {}
}
