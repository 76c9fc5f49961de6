//! A rehearsal as the engines give it, for the renderers' tests.

use marula_core::*;

use super::{Look, Paint};
use crate::args::Format;

fn latency(operation: &str, longest: f64) -> ClientLatency {
    ClientLatency {
        operation: operation.into(),
        object: "orders".into(),
        operations: 412,
        p50_ms: 0.42,
        p99_ms: 3.1,
        longest_ms: longest,
    }
}

fn impact(operation: &str, longest: f64, stalled: u64) -> ClientImpact {
    ClientImpact {
        latency: latency(operation, longest),
        stalled,
        failed: 0,
        error: None,
        behind: (stalled > 0).then(|| Behind {
            lock: "ACCESS EXCLUSIVE".into(),
            object: "orders".into(),
            statement: 0,
            held: operation != "read",
        }),
    }
}

fn statement(index: usize, text: &str) -> RehearsedStatement {
    RehearsedStatement {
        statement: index,
        text: text.into(),
        line: index + 2,
        duration_ms: 2_712.0,
        waited_ms: 996.0,
        tries: 1,
        locks: vec![
            TakenLock {
                lock: "ACCESS EXCLUSIVE".into(),
                object: "orders".into(),
                blocks: Blocks::All,
                held_ms: 1_716.0,
            },
            TakenLock {
                lock: "ROW SHARE".into(),
                object: "users".into(),
                blocks: Blocks::Nothing,
                held_ms: 3.0,
            },
        ],
        work: vec![DoneWork {
            object: "orders".into(),
            work: MigrationWork::Rewrite,
            rows: 1_000_000,
        }],
        clients: vec![
            impact("read", 2_694.0, 5),
            impact("update", 2_690.0, 2),
            ClientImpact {
                failed: 31,
                error: Some("cached plan must not change result type".into()),
                ..impact("insert", 12.0, 0)
            },
        ],
        longest_stall_ms: 2_694.0,
        log_bytes: 148_000_000,
        at_target: Some(Extrapolation {
            rows: 40_000_000,
            duration_ms: 68_640.0,
            blocked_ms: 68_640.0,
            how: "writing 1000000 rows took 1716 ms here (582750 rows a second); the target has \
                  40000000, and the work grows with the rows; its disks, cache and load may differ"
                .into(),
        }),
        failed: None,
    }
}

fn run(form: MigrationForm) -> RehearsalRun {
    let safe = form == MigrationForm::Safe;
    let mut statements = vec![statement(0, "ALTER TABLE orders ALTER COLUMN id TYPE bigint")];
    if safe {
        let first = &mut statements[0];
        first.text = "CREATE INDEX CONCURRENTLY orders_user_id_idx ON orders (user_id)".into();
        first.clients = vec![impact("read", 4.0, 0)];
        first.longest_stall_ms = 0.0;
        first.locks[0].lock = "SHARE UPDATE EXCLUSIVE".into();
        first.locks[0].blocks = Blocks::Nothing;
        first.tries = 3;
        first.at_target = None;
    }
    RehearsalRun {
        file: "migrations/20260101120000_wider_keys.sql".into(),
        form,
        text: None,
        usual: vec![latency("read", 9.0)],
        duration_ms: 2_720.0,
        longest_stall_ms: if safe { 0.0 } else { 2_694.0 },
        stalled: if safe { 0 } else { 7 },
        failed: if safe { 0 } else { 31 },
        log_bytes: 148_000_000,
        disk_before_bytes: 210_000_000,
        disk_peak_bytes: 390_000_000,
        replication_lag_ms: Some(if safe { 12.0 } else { 2_310.0 }),
        way_back: Some(WayBack {
            duration_ms: 1_900.0,
            restored: safe,
            differences: match safe {
                true => vec![],
                false => vec!["gone: column orders.note (number 4) text".into()],
            },
            failed: None,
        }),
        failure: None,
        statements,
    }
}

fn report() -> Report {
    let version = Version::new(15, 18, 0);
    let operation = LoadOperation {
        name: "read".into(),
        object: "orders".into(),
        statement: "SELECT id FROM orders WHERE id = $1".into(),
    };
    Report {
        target: Some(Target {
            name: "shop".into(),
            kind: TargetKind::Server,
            engine: Engine::Postgres,
            database: Some("shop".into()),
            version: Some(version),
        }),
        rehearsal: Some(Rehearsal {
            server: LabServer { engine: Engine::Postgres, version },
            dataset: Dataset { depth: Depth::Sample, share: 0.025, rows: 1_000_000 },
            load: RehearsedLoad {
                from_workload: false,
                clients: 8,
                rate: 800.0,
                reader_ms: 1_000.0,
                writer_ms: 500.0,
                operations: vec![operation],
            },
            runs: vec![run(MigrationForm::Written), run(MigrationForm::Safe)],
        }),
        notes: vec!["no client inserts into users: nothing new can be made for users_pkey".into()],
        ..Report::new("migrate rehearse")
    }
}

fn shown(format: Format, width: usize) -> String {
    let look = Look { width, paint: Paint(false), verbose: false, file: None };
    match super::report(&report(), format, &look) {
        Ok(text) => text,
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_rehearsal_for_people() {
    snapbox::assert_data_eq!(
        shown(Format::Human, 80),
        snapbox::file!["../../tests/snapshots/rehearse-80.txt"]
    );
    snapbox::assert_data_eq!(
        shown(Format::Human, 200),
        snapbox::file!["../../tests/snapshots/rehearse-200.txt"]
    );
    snapbox::assert_data_eq!(
        shown(Format::Markdown, 80),
        snapbox::file!["../../tests/snapshots/rehearse.md"]
    );
    for width in [60, 80, 200] {
        for line in shown(Format::Human, width).lines() {
            assert!(super::text::width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn a_stall_is_worth_an_exit_code() {
    let mut rehearsal = report().rehearsal.into_iter().next();
    let worst = |rehearsal: &Option<Rehearsal>| rehearsal.as_ref().and_then(super::stalled);
    assert_eq!(worst(&rehearsal), Some(Severity::High));
    if let Some(rehearsal) = &mut rehearsal {
        rehearsal.runs.truncate(1);
        rehearsal.runs[0].longest_stall_ms = 0.0;
        rehearsal.runs[0].failed = 0;
    }
    assert_eq!(worst(&rehearsal), Some(Severity::Medium), "the way back loses something");
}
