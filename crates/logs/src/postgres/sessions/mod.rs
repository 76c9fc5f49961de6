//! What one entry of a process leaves to be told by a later one: a statement whose duration
//! follows, a plan whose statement follows, a lock that is still waited for.
//!
//! A chunk does not know what stands before it. What the first entries of a process mean is
//! therefore kept ([`Head`]) until the chunk before is known, and settled in [`stitch`].

mod owned;
mod seam;

use rustc_hash::FxHashMap;

use super::entry::Entry;
use super::text;
use crate::{Edges, Tally};

pub(super) use owned::{Lone, Pending, PendingPlan, Waiting};
pub(super) use seam::{finish, stitch};

/// Durations of parsing and binding that may stand before `execute …`.
const STEPS: usize = 2;

/// What a process has left open.
#[derive(Default)]
struct Open {
    /// A statement whose duration follows.
    pending: Option<Pending>,
    /// Durations without a statement, the last few: they may turn out to be of parsing and
    /// binding.
    lones: Vec<Lone>,
    /// A plan whose duration and statement may follow.
    plan: Option<PendingPlan>,
    waiting: Option<Waiting>,
}

/// The first thing in a chunk that hangs on what a process did before the chunk.
enum Close {
    /// A duration alone; whether it is dropped when no statement waits for it.
    Alone(Lone, bool),
    /// A statement before its duration; whether of the extended protocol.
    Statement(bool),
    /// A run.
    Run(RunSeen),
    /// A plan, or an error.
    Other,
}

/// What tells whether a plan is of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunSeen {
    /// The key of its text.
    pub key: u64,
    /// When it was logged, in milliseconds.
    pub at: Option<i64>,
    /// Its duration.
    pub micros: u64,
}

impl RunSeen {
    /// A plan is logged just before its run, with the time until then.
    fn has(self, plan: &PendingPlan) -> bool {
        let near = match (self.at, plan.at()) {
            (Some(run), Some(plan)) => (0..=1000).contains(&(run - plan)),
            _ => true,
        };
        near && plan.key == self.key && plan.micros <= self.micros
    }
}

/// One process in a chunk.
#[derive(Default)]
struct Session {
    open: Open,
    head: Option<Close>,
    /// Whether the head's fate is settled as far as this chunk can settle it.
    settled: bool,
    /// A lock was got of which this chunk did not see that it was waited for.
    acquired: bool,
}

/// All processes of a chunk.
#[derive(Default)]
pub(super) struct Sessions {
    all: FxHashMap<u64, Session>,
    reasons: FxHashMap<u64, Vec<u8>>,
}

impl Open {
    /// Counts durations alone but the last `keep`.
    fn settle_lones(&mut self, keep: usize, tally: &mut Tally) {
        let settled = self.lones.len().saturating_sub(keep);
        for lone in self.lones.drain(..settled) {
            lone.count(tally);
        }
    }

    fn settle_plan(&mut self, tally: &mut Tally) {
        if let Some(plan) = self.plan.take() {
            plan.count(tally);
        }
    }

    fn settle_waiting(&mut self, tally: &mut Tally) {
        if let Some(waiting) = self.waiting.take() {
            waiting.count(tally);
        }
    }

    /// A statement comes: what stood open before it is as it is.
    fn statement(&mut self, extended: bool, tally: &mut Tally) {
        if extended {
            let steps = self.lones.len().min(STEPS);
            self.lones.truncate(self.lones.len() - steps);
        }
        self.settle_lones(0, tally);
        self.settle_plan(tally);
        self.settle_waiting(tally);
        self.pending = None;
    }

    /// A duration alone: of the statement that waits for it, or of something not logged.
    fn alone(&mut self, lone: Lone, tally: &mut Tally) {
        self.settle_waiting(tally);
        match self.pending.take() {
            Some(pending) => pending.count(&lone, self.plan.take(), tally),
            None => {
                self.settle_plan(tally);
                self.lones.push(lone);
                self.settle_lones(STEPS, tally);
            }
        }
    }

    /// A run comes: gives the plan that belongs to it.
    fn run(&mut self, run: RunSeen, tally: &mut Tally) -> Option<PendingPlan> {
        if self.plan.is_none()
            && self.pending.is_none()
            && self.lones.is_empty()
            && self.waiting.is_none()
        {
            return None;
        }
        let own = self.plan.take_if(|plan| run.has(plan));
        self.statement(false, tally);
        own
    }

    /// An error ends what was open.
    fn other(&mut self, tally: &mut Tally) {
        self.statement(false, tally);
    }
}

impl Session {
    /// Notes what hangs on what was before the chunk, if nothing is noted yet.
    fn head(&mut self, close: Close) {
        if self.head.is_none() {
            self.settled = !matches!(close, Close::Alone(..));
            self.head = Some(close);
        }
    }

    /// What the head's lone duration turns out to be: of parsing, when an `execute` follows it.
    fn settle_head(&mut self, extended: bool) {
        if !self.settled
            && let Some(Close::Alone(_, dropped)) = &mut self.head
        {
            *dropped = extended && self.open.lones.len() < STEPS;
            self.settled = true;
        }
    }
}

impl Sessions {
    /// A statement was logged before it runs.
    pub fn statement(&mut self, pid: u64, pending: Pending, extended: bool, tally: &mut Tally) {
        let session = self.all.entry(pid).or_default();
        session.settle_head(extended);
        session.head(Close::Statement(extended));
        session.open.statement(extended, tally);
        session.open.pending = Some(pending);
    }

    /// A duration with its statement was logged; gives the plan logged before it.
    #[inline]
    pub fn run(&mut self, pid: u64, run: RunSeen, tally: &mut Tally) -> Option<PendingPlan> {
        let session = self.all.entry(pid).or_default();
        if session.head.is_none() {
            session.head(Close::Run(run));
        } else if !session.settled {
            session.settle_head(false);
        }
        session.open.run(run, tally)
    }

    /// A duration alone was logged.
    pub fn alone(&mut self, pid: u64, lone: Lone, tally: &mut Tally) {
        let session = self.all.entry(pid).or_default();
        if session.head.is_none() {
            session.head(Close::Alone(lone, false));
            return;
        }
        if session.open.pending.is_some() || session.open.lones.len() >= STEPS {
            session.settle_head(false);
        }
        session.open.alone(lone, tally);
    }

    /// A plan was logged.
    pub fn plan(&mut self, pid: u64, plan: PendingPlan, tally: &mut Tally) {
        let session = self.all.entry(pid).or_default();
        session.head(Close::Other);
        session.open.settle_plan(tally);
        session.open.plan = Some(plan);
    }

    /// An error was logged.
    pub fn other(&mut self, pid: u64, tally: &mut Tally) {
        let session = self.all.entry(pid).or_default();
        session.settle_head(false);
        session.head(Close::Other);
        session.open.other(tally);
    }

    /// A lock is waited for.
    pub fn waiting(&mut self, entry: &Entry<'_>, about: &[u8], tally: &mut Tally) {
        let session = self.all.entry(entry.pid).or_default();
        session.open.settle_waiting(tally);
        session.open.waiting = Some(Waiting::new(entry, about));
    }

    /// The lock was got.
    pub fn acquired(&mut self, pid: u64) {
        let session = self.all.entry(pid).or_default();
        if session.open.waiting.take().is_none() {
            session.acquired = true;
        }
    }

    /// Why a checkpoint starts.
    pub fn reason(&mut self, pid: u64, reason: &[u8]) {
        self.reasons.insert(pid, reason.to_vec());
    }

    /// Why the checkpoint that ends had started.
    pub fn take_reason(&mut self, pid: u64) -> Vec<u8> {
        self.reasons.remove(&pid).unwrap_or_default()
    }

    /// What the chunk leaves open, and what it could not settle.
    pub fn edges(self) -> Edges {
        (!self.all.is_empty()).then(|| Box::new(self.all) as Box<_>)
    }
}
