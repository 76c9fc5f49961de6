use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Close, Open, Session};
use crate::{Edges, Tally};

/// Bytes and processes left open before they are counted as they are.
const BYTES: usize = 16 << 20;
const PROCESSES: usize = 50_000;

/// What the chunks so far left open, by process.
#[derive(Default)]
struct Carried {
    open: BTreeMap<u64, Open>,
    bytes: usize,
}

fn size(open: &Open) -> usize {
    let pending = open.pending.as_ref().map_or(0, |pending| pending.size());
    let plan = open.plan.as_ref().map_or(0, |plan| plan.size());
    pending + plan + open.lones.len() * 200 + 200
}

fn is_nothing(open: &Open) -> bool {
    open.pending.is_none() && open.lones.is_empty() && open.plan.is_none() && open.waiting.is_none()
}

/// Settles the head of each process with what it had left open.
pub(in crate::postgres) fn stitch(open: Edges, next: Edges, tally: &mut Tally) -> Edges {
    let mut carried = open
        .and_then(|open| open.downcast::<Carried>().ok())
        .map_or_else(Carried::default, |open| *open);
    if let Some(next) = next.and_then(|next| next.downcast::<FxHashMap<u64, Session>>().ok()) {
        let mut sessions: Vec<_> = next.into_iter().collect();
        sessions.sort_unstable_by_key(|(pid, _)| *pid);
        for (pid, session) in sessions {
            let before = carried.open.remove(&pid).unwrap_or_default();
            if !is_nothing(&before) {
                carried.bytes = carried.bytes.saturating_sub(size(&before));
            }
            let after = join(before, session, tally);
            if !is_nothing(&after) {
                carried.bytes += size(&after);
                carried.open.insert(pid, after);
            }
        }
    }
    if carried.bytes > BYTES || carried.open.len() > PROCESSES {
        settle(std::mem::take(&mut carried), tally);
    }
    (!carried.open.is_empty()).then(|| Box::new(carried) as Box<_>)
}

/// One process over a seam.
fn join(mut before: Open, session: Session, tally: &mut Tally) -> Open {
    if session.acquired {
        before.waiting = None;
    }
    match session.head {
        None => {
            if session.open.waiting.is_some() {
                before.settle_waiting(tally);
                before.waiting = session.open.waiting;
            }
            return before;
        }
        Some(Close::Alone(lone, dropped)) => {
            let unwaited = before.pending.is_none();
            if !unwaited {
                before.alone(lone, tally);
            } else if dropped {
                // It and what stands before it are the steps of the `execute` in this chunk.
                let steps = before.lones.len().min(1);
                before.lones.truncate(before.lones.len() - steps);
            } else {
                before.alone(lone, tally);
            }
            // Durations alone go on in this chunk: they are still one row.
            if session.open.pending.is_none() && !session.settled {
                let mut lones = std::mem::take(&mut before.lones);
                before.settle_plan(tally);
                lones.extend(session.open.lones);
                let mut after = Open { lones, ..Open::default() };
                after.settle_lones(super::STEPS, tally);
                after.plan = session.open.plan;
                after.waiting = session.open.waiting;
                return after;
            }
            before.statement(false, tally);
        }
        Some(Close::Statement(extended)) => before.statement(extended, tally),
        // The run is counted already; the plan before it is of the same run.
        Some(Close::Run(run)) => {
            if let Some(plan) = before.run(run, tally) {
                plan.add(tally);
            }
        }
        Some(Close::Other) => {
            // A plan in the chunk leaves the statement before it waiting.
            if session.open.plan.is_some() && session.open.pending.is_none() {
                before.settle_plan(tally);
                before.plan = session.open.plan;
                return before;
            }
            before.other(tally);
        }
    }
    session.open
}

/// The source has ended.
pub(in crate::postgres) fn finish(open: Edges, tally: &mut Tally) {
    if let Some(open) = open.and_then(|open| open.downcast::<Carried>().ok()) {
        settle(*open, tally);
    }
}

fn settle(carried: Carried, tally: &mut Tally) {
    for (_, mut open) in carried.open {
        open.other(tally);
    }
}
