//! From what was seen to what is told.

use std::collections::BTreeMap;

use marula_core::{
    Behind, Blocks, DoneWork, Engine, MigrationForm, MigrationWork as Work, RehearsalRun,
    RehearsedStatement, TakenLock,
};

use super::Seen;
use super::load::Load;
use super::record::{Noted, Recorder};
use super::stage::Stage;
use super::watch::SeenLock;
use crate::migration::Migration;
use crate::postgres::Lock;
use crate::rehearse::clients::Operation;
use crate::rehearse::extrapolate::{Sizes, to_target};
use crate::rehearse::{Span, impact};

/// What one migration did.
pub(super) fn run(
    stage: &Stage,
    migration: &Migration,
    form: MigrationForm,
    load: &Load,
    recorder: &Recorder,
    seen: &Seen,
) -> RehearsalRun {
    let kinds: Vec<_> = load.kinds.iter().map(|kind| kind.about.clone()).collect();
    let usual = impact::usual(&kinds, &seen.usual.iter().collect::<Vec<_>>());
    let ran: Vec<(usize, &Noted, Span)> = recorder
        .noted
        .iter()
        .enumerate()
        .filter_map(|(at, noted)| Some((at, noted, noted.span?)))
        .collect();
    let spans = spans(&ran);
    let mut of: BTreeMap<usize, Vec<&Operation>> = BTreeMap::new();
    let writes = |operation: &Operation| super::is_write(load, operation);
    let teller = Teller { recorder, seen, spans: &spans, ran: &ran, writes: &writes };
    for operation in &seen.during {
        // Who was stalled is told where the lock was taken: a transaction holds it to its end, and
        // most of the wait may lie in the statements behind.
        let stalled =
            usual.get(operation.kind).is_some_and(|u| operation.span.ms() > impact::bound(u));
        let behind = Some(operation).filter(|_| stalled).and_then(|o| teller.behind(o));
        let began =
            behind.and_then(|behind| ran.iter().position(|(at, ..)| *at == behind.statement));
        if let Some(at) = began.or_else(|| impact::put_to(operation, &spans)) {
            of.entry(at).or_default().push(operation);
        }
    }
    let mut statements = Vec::new();
    for (number, (at, noted, span)) in ran.iter().enumerate() {
        let own = of.remove(&number).unwrap_or_default();
        let clients = impact::impacts(&kinds, &usual, &own, &|o| teller.behind(o));
        let writes = own.iter().filter(|operation| super::is_write(load, operation)).count();
        let wal = noted.wal.1 - noted.wal.0 - writes as f64 * seen.wal_per_write;
        let locks = teller.locks(number);
        let work = teller.work(noted);
        let waited_ms = teller.waited(span);
        let last = Span { start: noted.began.unwrap_or(span.start), end: span.end };
        let work_ms = (last.ms() - teller.waited(&last)).max(0.0);
        let step = migration.up.get(*at);
        let mut told = RehearsedStatement {
            statement: *at,
            text: step
                .map(|step| crate::secrets::shown(Engine::Postgres, &step.text))
                .unwrap_or_default(),
            line: step.map_or(0, |step| step.line),
            duration_ms: span.ms(),
            waited_ms: waited_ms.min(span.ms()),
            tries: noted.tries.max(1),
            longest_stall_ms: impact::longest(&clients),
            locks,
            work,
            clients,
            log_bytes: wal.max(0.0) as u64,
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
        duration_ms: Span::all_ms(&ran.iter().map(|(_, _, span)| *span).collect::<Vec<_>>()),
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

/// What clients could not do before the migration began, which is none of its doing.
pub(super) fn troubled(load: &Load, usual: &[Operation]) -> Vec<String> {
    let mut all = Vec::new();
    for (number, kind) in load.kinds.iter().enumerate() {
        let mut errors = usual.iter().filter(|o| o.kind == number).filter_map(|o| o.error.as_ref());
        if let Some(error) = errors.next() {
            let about = &kind.about;
            all.push(format!(
                "the {} on {} failed {} times before the migration began: {error}",
                about.name,
                about.object,
                errors.count() + 1
            ));
        }
    }
    all
}

/// Each statement's time up to the next one's begin: what is between belongs to the former.
fn spans(ran: &[(usize, &Noted, Span)]) -> Vec<Span> {
    let mut spans: Vec<Span> = ran.iter().map(|(_, _, span)| *span).collect();
    for at in 1..spans.len() {
        // A transaction that was tried again began all its statements anew.
        let next = spans[at].start.max(spans[at - 1].start);
        spans[at].start = next;
        spans[at - 1].end = spans[at - 1].end.min(next).max(spans[at - 1].start);
    }
    spans
}

/// What a statement's work, which took so long in its last try, comes to on the target.
fn at_target(
    stage: &Stage,
    told: &RehearsedStatement,
    work_ms: f64,
) -> Option<marula_core::Extrapolation> {
    let heaviest = told.work.iter().max_by_key(|done| (done.work, done.rows))?;
    let target_rows = stage.target_rows(&heaviest.object)?;
    let sizes = Sizes { copy_rows: heaviest.rows as f64, target_rows };
    let stops = |lock: &TakenLock| lock.blocks != Blocks::Nothing;
    let blocked = told.locks.iter().filter(|lock| stops(lock)).map(|lock| lock.held_ms);
    to_target(heaviest.work, work_ms, blocked.fold(0.0, f64::max).min(work_ms), sizes)
}

struct Teller<'a> {
    recorder: &'a Recorder,
    seen: &'a Seen,
    spans: &'a [Span],
    ran: &'a [(usize, &'a Noted, Span)],
    /// Whether an operation writes.
    writes: &'a dyn Fn(&Operation) -> bool,
}

impl Teller<'_> {
    fn name(&self, oid: u32) -> String {
        self.recorder.names.get(&oid).cloned().unwrap_or_else(|| format!("relation {oid}"))
    }

    /// The strongest lock on each object that the statement took; what an earlier one of the same
    /// transaction had taken is that one's.
    fn locks(&self, number: usize) -> Vec<TakenLock> {
        let Some((_, noted, _)) = self.ran.get(number) else { return Vec::new() };
        let Some(span) = self.spans.get(number) else { return Vec::new() };
        let had = match number.checked_sub(1).and_then(|before| self.ran.get(before)) {
            Some((_, before, _)) => before.held.as_slice(),
            None => &[],
        };
        // Locks that were let go at a commit between are taken anew.
        let still = had.iter().all(|lock| noted.held.contains(lock));
        let mut strongest: BTreeMap<u32, (Lock, f64)> = BTreeMap::new();
        let mut add = |oid: u32, lock: Lock, held: f64| {
            if !self.recorder.origin.contains_key(&oid) {
                return;
            }
            let known = strongest.entry(oid).or_insert((lock, held));
            if lock > known.0 {
                *known = (lock, held);
            } else if lock == known.0 {
                known.1 = known.1.max(held);
            }
        };
        for (oid, lock) in &noted.held {
            if !(still && had.contains(&(*oid, *lock))) {
                add(*oid, *lock, 0.0);
            }
        }
        let began = |seen: &&SeenLock| {
            seen.granted && seen.span.start >= span.start && seen.span.start <= span.end
        };
        for seen in self.seen.watched.locks.iter().filter(began) {
            add(seen.relation, seen.lock, seen.span.ms());
        }
        let mut all: Vec<(Lock, TakenLock)> = strongest
            .into_iter()
            .filter(|(_, (lock, _))| *lock > Lock::AccessShare)
            .map(|(oid, (lock, held_ms))| {
                let object = self.name(oid);
                let lock_name = lock.name().to_owned();
                (lock, TakenLock { lock: lock_name, object, blocks: lock.blocks(), held_ms })
            })
            .collect();
        all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.object.cmp(&b.1.object)));
        all.into_iter().map(|(_, lock)| lock).collect()
    }

    fn work(&self, noted: &Noted) -> Vec<DoneWork> {
        let done = noted.work.iter().filter(|(_, work)| **work != Work::None);
        let mut all: Vec<DoneWork> = done
            .filter_map(|(oid, work)| {
                let seen = self.recorder.origin.get(oid)?;
                let parts = self.recorder.origin.values().filter(|part| part.parent == *oid);
                let rows = seen.rows.max(parts.map(|part| part.rows).sum());
                Some(DoneWork { object: seen.name.clone(), work: *work, rows: rows as u64 })
            })
            .collect();
        all.sort_by_key(|done| (std::cmp::Reverse(done.work), std::cmp::Reverse(done.rows)));
        all
    }

    /// How long the migration waited for locks in that time.
    fn waited(&self, span: &Span) -> f64 {
        let own = self.seen.waits.iter().filter(|wait| wait.pid == self.recorder.own_pid);
        let logged: f64 =
            own.map(|wait| self.seen.clock.span(wait).overlap(span).as_secs_f64()).sum();
        // A wait that a lock_timeout ended is not in the log.
        let asked = self.seen.watched.locks.iter().filter(|lock| !lock.granted);
        let asked: f64 = asked.map(|lock| lock.span.overlap(span).as_secs_f64()).sum();
        logged.max(asked) * 1e3
    }

    /// The lock of the migration that an operation stood behind.
    fn behind(&self, operation: &Operation) -> Option<Behind> {
        let own = self.seen.waits.iter().filter(|w| i64::from(w.pid) == operation.connection);
        let relation = own
            .filter_map(|wait| {
                let overlap = self.seen.clock.span(wait).overlap(&operation.span);
                Some((overlap, wait.relation?)).filter(|(overlap, _)| !overlap.is_zero())
            })
            .max_by_key(|(overlap, _)| *overlap)
            .map(|(_, relation)| relation)?;
        let stops = match (self.writes)(operation) {
            true => Blocks::Writes,
            false => Blocks::All,
        };
        let locks = self.seen.watched.locks.iter().filter(|lock| lock.relation == relation);
        let meanwhile =
            || locks.clone().filter(|lock| !lock.span.overlap(&operation.span).is_zero());
        // The first that stopped it; a stronger one may have been taken while it waited.
        let behind = meanwhile()
            .filter(|lock| lock.lock.blocks() >= stops)
            .min_by_key(|lock| (lock.span.start, std::cmp::Reverse(lock.lock)))
            .or_else(|| {
                meanwhile().max_by_key(|lock| (lock.lock, lock.span.overlap(&operation.span)))
            })?;
        let first = self
            .seen
            .watched
            .locks
            .iter()
            .filter(|lock| lock.relation == relation && lock.lock == behind.lock)
            .filter(|lock| lock.span.end >= operation.span.start)
            .map(|lock| lock.span.start)
            .min()?;
        let number = self.spans.iter().position(|span| first >= span.start && first <= span.end)?;
        Some(Behind {
            lock: behind.lock.name().into(),
            object: self.name(relation),
            statement: self.ran.get(number).map_or(0, |(at, _, _)| *at),
            held: behind.granted,
        })
    }
}
