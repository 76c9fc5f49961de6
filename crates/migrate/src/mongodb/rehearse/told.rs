//! From what was seen to what is told.

use std::collections::BTreeMap;

use marula_core::{
    Behind, Blocks, DoneWork, Engine, MigrationForm, MigrationWork as Work, RehearsalRun,
    RehearsedStatement, TakenLock,
};

use super::Seen;
use super::load::Load;
use super::record::Noted;
use super::stage::Stage;
use crate::migration::Migration;
use crate::rehearse::clients::Operation;
use crate::rehearse::extrapolate::{Sizes, to_target};
use crate::rehearse::{Span, impact};

/// What one migration did; `oplog` is what each command wrote, in bytes.
pub(super) fn run(
    stage: &Stage,
    migration: &Migration,
    form: MigrationForm,
    load: &Load,
    noted: &[Noted],
    oplog: &[u64],
    seen: &Seen,
) -> RehearsalRun {
    let kinds: Vec<_> = load.kinds.iter().map(|kind| kind.about.clone()).collect();
    let usual = impact::usual(&kinds, &seen.usual.iter().collect::<Vec<_>>());
    let ran: Vec<(usize, &Noted, Span)> =
        noted.iter().enumerate().filter_map(|(at, n)| Some((at, n, n.span?))).collect();
    let spans: Vec<Span> = ran.iter().map(|(_, _, span)| *span).collect();
    let mut of: BTreeMap<usize, Vec<&Operation>> = BTreeMap::new();
    for operation in &seen.during {
        if let Some(at) = impact::put_to(operation, &spans) {
            of.entry(at).or_default().push(operation);
        }
    }
    let mut statements = Vec::new();
    for (number, (at, noted, span)) in ran.iter().enumerate() {
        let own = of.remove(&number).unwrap_or_default();
        let clients = impact::impacts(&kinds, &usual, &own, &|o| behind(seen, &ran, o));
        let writes = own.iter().filter(|o| load.kinds.get(o.kind).is_some_and(|k| k.writes()));
        let load_bytes = writes.count() as f64 * seen.oplog_per_write;
        let reads = own.len() as i64;
        // A backfill notes its progress with each batch, an update of its own.
        let (before, after) = (&noted.counters.0, &noted.counters.1);
        let updates = own.iter().filter(|o| load.kinds.get(o.kind).is_some_and(|k| k.updates()));
        let changed = after.changed - before.changed - updates.count() as i64;
        let bytes = oplog.get(*at).copied().unwrap_or(0) as f64 - load_bytes;
        let waited_in = |span: &Span| -> f64 {
            let waits = seen.watched.locks.iter().filter(|lock| !lock.granted);
            waits.map(|lock| lock.span.overlap(span).as_secs_f64() * 1e3).sum()
        };
        let waited = waited_in(span);
        let last = Span { start: noted.began.unwrap_or(span.start), end: span.end };
        let work_ms = (last.ms() - waited_in(&last)).max(0.0);
        let step = migration.up.get(*at);
        let mut told = RehearsedStatement {
            statement: *at,
            text: step
                .map(|step| crate::secrets::shown(Engine::Mongodb, &step.text))
                .unwrap_or_default(),
            line: step.map_or(0, |step| step.line),
            duration_ms: span.ms(),
            waited_ms: waited.min(span.ms()),
            tries: noted.tries.max(1),
            longest_stall_ms: impact::longest(&clients),
            locks: locks(seen, noted, span, changed),
            work: work(noted, reads, changed),
            clients,
            log_bytes: bytes.max(0.0) as u64,
            at_target: None,
            failed: noted.failed.clone(),
        };
        told.at_target = at_target(stage, &told, work_ms);
        statements.push(told);
    }
    let sum = |of: &dyn Fn(&RehearsedStatement) -> u64| statements.iter().map(of).sum::<u64>();
    RehearsalRun {
        file: migration.path.display().to_string(),
        form,
        text: (form == MigrationForm::Safe).then(|| migration.text.clone()),
        usual,
        duration_ms: Span::all_ms(&spans),
        longest_stall_ms: statements.iter().map(|s| s.longest_stall_ms).fold(0.0, f64::max),
        stalled: sum(&|s| s.clients.iter().map(|c| c.stalled).sum()),
        failed: sum(&|s| s.clients.iter().map(|c| c.failed).sum()),
        log_bytes: sum(&|s| s.log_bytes),
        disk_before_bytes: seen.watched.disk_before,
        disk_peak_bytes: seen.watched.disk_peak,
        replication_lag_ms: None,
        way_back: None,
        failure: None,
        statements,
    }
}

fn blocks(lock: &str) -> Blocks {
    match lock {
        "X" => Blocks::All,
        "S" => Blocks::Writes,
        _ => Blocks::Nothing,
    }
}

/// The strongest lock on the command's collection, and what the server's counters say besides:
/// they count every lock, however short, and clients take none that stops another.
fn locks(seen: &Seen, noted: &Noted, span: &Span, changed: i64) -> Vec<TakenLock> {
    let (before, after) = &noted.counters;
    let more = |scope: &str, lock: &'static str| {
        let key = (scope.to_owned(), lock);
        after.taken.get(&key).unwrap_or(&0) > before.taken.get(&key).unwrap_or(&0)
    };
    let mut all: Vec<TakenLock> = Vec::new();
    for (scope, shown) in [("Global", "the server"), ("Database", "the database")] {
        for lock in ["X", "S"] {
            if more(scope, lock) {
                let held_ms = 0.0;
                let object = shown.to_owned();
                all.push(TakenLock { lock: lock.into(), object, blocks: blocks(lock), held_ms });
            }
        }
    }
    let held = |lock: &str| -> f64 {
        let own = seen.watched.locks.iter().filter(|l| l.lock == lock && l.granted);
        let own = own.filter(|l| l.object == noted.object);
        own.map(|l| l.span.overlap(span).as_secs_f64() * 1e3).fold(0.0, f64::max)
    };
    let counted = ["X", "S"].into_iter().find(|lock| more("Collection", lock));
    let watched = ["IX", "IS"].into_iter().find(|lock| {
        let mut all = seen.watched.locks.iter().filter(|l| l.lock == *lock && l.granted);
        all.any(|l| l.object == noted.object && !l.span.overlap(span).is_zero())
    });
    let wrote = (changed > 0).then_some("IX");
    if let Some(lock) = counted.or(watched).or(wrote)
        && !noted.object.is_empty()
    {
        all.push(TakenLock {
            lock: lock.into(),
            object: noted.object.clone(),
            blocks: blocks(lock),
            held_ms: held(lock),
        });
    }
    all
}

fn work(noted: &Noted, reads: i64, changed: i64) -> Vec<DoneWork> {
    let half = (noted.documents / 2).max(1) as i64;
    let read = noted.counters.1.examined - noted.counters.0.examined - reads;
    let work = if noted.documents == 0 {
        Work::None
    } else if noted.built {
        Work::Build
    } else if changed >= half {
        Work::Rewrite
    } else if read >= half {
        Work::Scan
    } else {
        Work::None
    };
    if work == Work::None {
        return Vec::new();
    }
    vec![DoneWork { object: noted.object.clone(), work, rows: noted.documents }]
}

fn at_target(
    stage: &Stage,
    told: &RehearsedStatement,
    work_ms: f64,
) -> Option<marula_core::Extrapolation> {
    let done = told.work.first()?;
    let target_rows = stage.target_documents(&done.object)?;
    let sizes = Sizes { copy_rows: done.rows as f64, target_rows };
    let stops = told.locks.iter().filter(|lock| lock.blocks != Blocks::Nothing);
    let blocked = stops.map(|lock| lock.held_ms).fold(0.0, f64::max).min(work_ms);
    to_target(done.work, work_ms, blocked, sizes)
}

/// The lock of the migration that an operation stood behind: the strongest that was seen meanwhile.
fn behind(seen: &Seen, ran: &[(usize, &Noted, Span)], operation: &Operation) -> Option<Behind> {
    let locks = seen.watched.locks.iter();
    let meanwhile = locks.filter(|lock| !lock.span.overlap(&operation.span).is_zero());
    let behind = meanwhile
        .filter(|lock| blocks(lock.lock) != Blocks::Nothing || !lock.granted)
        .max_by_key(|lock| lock.span.overlap(&operation.span))?;
    let started = behind.span.start;
    let (at, noted, _) =
        ran.iter().find(|(_, _, span)| started >= span.start && started <= span.end)?;
    let object =
        if behind.object.is_empty() { noted.object.clone() } else { behind.object.clone() };
    // What it waits for is not told by the server; index builds and options want X.
    let lock = if behind.granted { behind.lock } else { "X" };
    Some(Behind { lock: lock.into(), object, statement: *at, held: behind.granted })
}
