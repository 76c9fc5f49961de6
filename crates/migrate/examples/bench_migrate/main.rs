//! How many hazards of the corpus are found and how many false alarms are raised, against what
//! servers show, with squawk and eugene beside; how long a file takes; and how long it takes to run
//! many small migrations, with dbmate beside.
#![allow(clippy::print_stdout, missing_docs)]

#[allow(clippy::unwrap_used, clippy::panic, dead_code)]
#[path = "../../tests/it/postgres/cases.rs"]
mod cases;
#[allow(clippy::unwrap_used, clippy::panic, dead_code)]
#[path = "../../tests/it/postgres/probe.rs"]
mod probe;

mod peers;
mod runners;

use std::path::Path;
use std::time::{Duration, Instant};

use marula_core::{Engine, MigrationHazard};
use marula_migrate::Tool;
use probe::{Probe, linted, migration};

#[derive(Default)]
struct Score {
    hazards: usize,
    found: usize,
    others: usize,
    alarms: usize,
}

impl Score {
    fn add(&mut self, truth: bool, said: bool) {
        self.hazards += usize::from(truth);
        self.found += usize::from(truth && said);
        self.others += usize::from(!truth);
        self.alarms += usize::from(!truth && said);
    }

    fn row(&self, name: &str, server: u16) -> String {
        let share = |part: usize, whole: usize| part as f64 * 100.0 / whole.max(1) as f64;
        format!(
            "| {name} | {server} | {} of {} ({:.1} %) | {} of {} ({:.1} %) |",
            self.found,
            self.hazards,
            share(self.found, self.hazards),
            self.alarms,
            self.others,
            share(self.alarms, self.others)
        )
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peers = peers::all();
    println!("| linter | PostgreSQL | hazards found | false alarms |\n|---|---:|---:|---:|");
    for major in [15, 18] {
        let probe = Probe::start(major).await;
        let [mut ours, mut alone] = [(); 2].map(|()| Score::default());
        let mut theirs: Vec<Score> = peers.iter().map(|_| Score::default()).collect();
        for case in cases::cases().iter().filter(|case| case.runs_on(major)) {
            let parsed = migration(&case.sql);
            probe.reset(&case.setup).await;
            let seen = probe.run(&parsed).await;
            if seen.iter().any(|one| one.failed.is_some()) {
                continue;
            }
            let truth = seen.iter().any(probe::Observed::grows_while_blocking);
            let said = |setup: &str| {
                linted(setup, &parsed, probe.version)
                    .iter()
                    .any(|f| f.hazard.as_ref().is_some_and(MigrationHazard::grows_while_blocking))
            };
            ours.add(truth, said(&case.setup));
            alone.add(truth, said(""));
            for (peer, score) in peers.iter().zip(&mut theirs) {
                score.add(truth, peer.alarms(&case.sql, major)?);
            }
        }
        println!("{}", ours.row("marula, knowing the schema", major));
        println!("{}", alone.row("marula, by the statement alone", major));
        for (peer, score) in peers.iter().zip(&theirs) {
            println!("{}", score.row(peer.title(), major));
        }
    }
    peers::missing(&peers);
    times()?;
    runners::compare().await?;
    Ok(())
}

/// How long reading and linting a file takes.
fn times() -> marula_core::Result<()> {
    let mut all: Vec<Duration> = Vec::new();
    for case in cases::cases() {
        let began = Instant::now();
        let parsed = migration(&case.sql);
        linted("", &parsed, marula_migrate::postgres::lint::NEWEST);
        all.push(began.elapsed());
    }
    all.sort();
    let text: String = cases::cases().iter().map(|case| format!("{};\n", case.sql)).collect();
    let began = Instant::now();
    let path = Path::new("all.sql");
    let whole = marula_migrate::files::parse(path, &text, Tool::Plain, Engine::Postgres)?;
    linted("", &whole, marula_migrate::postgres::lint::NEWEST);
    let whole = (whole.up.len(), began.elapsed());
    println!(
        "\na file, read and linted: median {:.2} ms, slowest {:.2} ms; one of {} statements {:.1} ms \
         (limit 50 ms a file)",
        all[all.len() / 2].as_secs_f64() * 1e3,
        all.last().map_or(0.0, Duration::as_secs_f64) * 1e3,
        whole.0,
        whole.1.as_secs_f64() * 1e3
    );
    Ok(())
}
