//! What the search came to, as the report tells it.

use marula_core::{
    Change, ChangeId, Goal, LeftOut, Measurement, Picked, Proof, Report, Storage, TunedStatement,
    Tuning, TurnedDown, Verdict,
};
use marula_lab::bench::Bench;

use super::Tuner;
use super::arena::Arena;
use super::words::{allowance, seconds};

/// The most turned-down changes that are told.
const TOLD: usize = 30;

/// Puts what `tuner` found into the report. `existing` is what all indexes take as things stand.
pub fn tell<A: Arena>(
    tuner: &mut Tuner<'_, A>,
    report: &mut Report,
    left_out: Vec<LeftOut>,
    existing: u64,
) {
    let mut order: Vec<usize> = tuner.best.set.iter().copied().collect();
    let gain = |tuner: &Tuner<'_, A>, n: &usize| tuner.best.gains.get(n).copied().unwrap_or(0.0);
    order.sort_by(|a, b| gain(tuner, b).total_cmp(&gain(tuner, a)).then(a.cmp(b)));
    let ids: Vec<(usize, ChangeId)> =
        order.iter().enumerate().map(|(at, n)| (*n, ChangeId(format!("c{}", at + 1)))).collect();
    let before_ms: f64 = tuner
        .book
        .base
        .iter()
        .zip(&tuner.subjects)
        .map(|(b, s)| b.ms * s.calls.max(1) as f64)
        .sum();
    let mut picked = Vec::new();
    for (number, id) in &ids {
        let using = tuner.best.after.values().filter(|after| after.uses.contains(number)).count();
        let gain_ms = gain(tuner, number);
        report.changes.push(change(tuner, *number, id.clone(), gain_ms, using));
        picked.push(Picked {
            change: id.clone(),
            gain_ms,
            statements: u32::try_from(using).unwrap_or(u32::MAX),
        });
    }
    let mut statements: Vec<TunedStatement> =
        (0..tuner.subjects.len()).map(|n| statement(tuner, n, &ids, before_ms)).collect();
    statements.sort_by(|a, b| b.share.total_cmp(&a.share));
    let storage = Storage {
        budget: tuner.options.budget_bytes,
        added: tuner.bytes(&tuner.best.set),
        freed: tuner.freed.values().sum(),
        existing,
    };
    tuner.effort.candidates = u32::try_from(tuner.choices.len()).unwrap_or(u32::MAX);
    tuner.effort.total_ms = tuner.started.elapsed().as_secs_f64() * 1000.0;
    report.notes.extend(tuner.arena.bench().notes().iter().cloned());
    report.tuning = Some(Tuning {
        statements,
        before_ms,
        after_ms: if tuner.best.set.is_empty() { before_ms } else { tuner.best.ms },
        picked,
        turned_down: turned_down(tuner),
        left_out,
        writes: Vec::new(),
        storage,
        effort: tuner.effort,
        interrupted: false,
    });
}

fn change<A: Arena>(
    tuner: &mut Tuner<'_, A>,
    number: usize,
    id: ChangeId,
    gain_ms: f64,
    using: usize,
) -> Change {
    let with = tuner.best.ms;
    let without = with + gain_ms;
    let side = |ms: f64| Measurement {
        ms: Some(ms),
        runs: 1,
        reads: None,
        cost: None,
        timed_out: false,
        plan: None,
    };
    let drops = tuner.freed.contains_key(&number);
    let statements =
        if using == 1 { "one statement uses".into() } else { format!("{using} statements use") };
    let reason = format!(
        "without it the workload takes {} instead of {}; {statements} it, and none gets more than \
         {} slower",
        seconds(without),
        seconds(with),
        allowance()
    );
    let mut change = tuner.choices[number].change.clone();
    let using = tuner.best.after.values().filter(|after| after.uses.contains(&number));
    let agree: Vec<Option<bool>> = using.map(|after| after.equal).collect();
    let equal = match agree.contains(&Some(false)) {
        true => Some(false),
        false => agree.iter().all(Option::is_some).then_some(true),
    };
    change.id = id;
    if drops {
        let reason = "every statement of the workload was planned without it, and run where its plan \
                      changed: none gets slower";
        change.proof = Proof {
            dataset: Some(tuner.arena.bench().dataset()),
            server: Some(tuner.arena.bench().server()),
            ..Proof::bare(Verdict::Proven, reason)
        };
        return change;
    }
    change.proof = Proof {
        dataset: Some(tuner.arena.bench().dataset()),
        server: Some(tuner.arena.bench().server()),
        before: Some(side(without)),
        after: Some(side(with)),
        speedup: Some(without / with.max(0.001)),
        results_equal: equal,
        build: tuner.built.get(&number).copied(),
        ..Proof::bare(Verdict::Proven, reason)
    };
    change
}

fn statement<A: Arena>(
    tuner: &Tuner<'_, A>,
    number: usize,
    ids: &[(usize, ChangeId)],
    before_ms: f64,
) -> TunedStatement {
    let subject = &tuner.subjects[number];
    let base = &tuner.book.base[number];
    let known = tuner.best.after.get(&number);
    let before = known.map_or_else(|| tuner.before[number].clone(), |after| after.before.clone());
    let after = known.map_or_else(|| before.clone(), |after| after.after.clone());
    let uses = known.map_or_else(Vec::new, |after| {
        ids.iter().filter(|(n, _)| after.uses.contains(n)).map(|(_, id)| id.clone()).collect()
    });
    let goal = subject
        .goal_ms
        .or(tuner.options.goal_ms)
        .map(|ms| Goal { ms, met: after.ms.map(|took| !after.timed_out && took <= ms) });
    TunedStatement {
        statement: subject.statement.clone(),
        calls: subject.calls,
        share: base.ms * subject.calls.max(1) as f64 / before_ms.max(1e-9),
        before,
        after,
        uses,
        results_equal: known.and_then(|after| after.equal),
        goal,
    }
}

fn turned_down<A: Arena>(tuner: &Tuner<'_, A>) -> Vec<TurnedDown> {
    let mut told: Vec<(f64, usize, String)> = Vec::new();
    for (number, why) in &tuner.out {
        told.push((f64::INFINITY, *number, why.clone()));
    }
    for (number, (worse, why)) in &tuner.turned {
        if !tuner.out.contains_key(number) && !tuner.best.set.contains(number) {
            told.push((*worse, *number, why.clone()));
        }
    }
    for number in tuner.built.keys() {
        let known = tuner.out.contains_key(number) || tuner.turned.contains_key(number);
        if !known && !tuner.best.set.contains(number) {
            let why = "built and measured; the picked ones gain more for the space they take";
            told.push((-1.0, *number, why.into()));
        }
    }
    told.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    told.truncate(TOLD);
    told.into_iter()
        .map(|(_, number, reason)| TurnedDown {
            title: tuner.choices[number].change.title.clone(),
            up: tuner.choices[number].change.up.clone(),
            reason,
            bytes: tuner.built.get(&number).map(|build| build.bytes),
        })
        .collect()
}
