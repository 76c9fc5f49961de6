//! How many hazards of the corpus are found and how many false alarms are raised, against what
//! servers show, with squawk beside; and how long a file takes.
#![allow(clippy::print_stdout, missing_docs)]

#[allow(clippy::unwrap_used, clippy::panic, dead_code)]
#[path = "../../tests/it/postgres/cases.rs"]
mod cases;
#[allow(clippy::unwrap_used, clippy::panic, dead_code)]
#[path = "../../tests/it/postgres/probe.rs"]
mod probe;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use marula_core::{Engine, MigrationHazard};
use marula_migrate::Tool;
use probe::{Probe, linted, migration};

/// squawk's rules on work that grows with the table under a lock that stops somebody.
const SIZE_ALARMS: [&str; 10] = [
    "changing-column-type",
    "constraint-missing-not-valid",
    "adding-field-with-default",
    "require-concurrent-index-creation",
    "require-concurrent-reindex",
    "adding-foreign-key-constraint",
    "adding-not-nullable-field",
    "disallowed-unique-constraint",
    "adding-serial-primary-key-field",
    "ban-alter-domain-with-add-constraint",
];

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

fn squawk() -> Option<PathBuf> {
    let own = marula_lab::home().join("cache/squawk/bin/squawk");
    let found = [PathBuf::from("squawk"), own];
    found.into_iter().find(|path| {
        Command::new(path).arg("--version").output().is_ok_and(|output| output.status.success())
    })
}

fn squawk_alarms(squawk: &Path, sql: &str, major: u16) -> std::io::Result<bool> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("case.sql");
    std::fs::write(&file, format!("{sql};\n"))?;
    let version = format!("--pg-version={major}.0");
    let output = Command::new(squawk).args(["--reporter=Json", &version]).arg(&file).output()?;
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let alarms = |one: &serde_json::Value| {
        one["rule_name"].as_str().is_some_and(|rule| SIZE_ALARMS.contains(&rule))
    };
    Ok(found.as_array().into_iter().flatten().any(alarms))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = squawk();
    println!("| linter | PostgreSQL | hazards found | false alarms |\n|---|---:|---:|---:|");
    for major in [15, 18] {
        let probe = Probe::start(major).await;
        let [mut ours, mut alone, mut theirs] = [(); 3].map(|()| Score::default());
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
            if let Some(squawk) = &peer {
                theirs.add(truth, squawk_alarms(squawk, &case.sql, major)?);
            }
        }
        println!("{}", ours.row("marula, knowing the schema", major));
        println!("{}", alone.row("marula, by the statement alone", major));
        if peer.is_some() {
            println!("{}", theirs.row("squawk, by the statement alone", major));
        }
    }
    if peer.is_none() {
        println!("\nsquawk is not there: pip install squawk-cli");
    }
    times()?;
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
