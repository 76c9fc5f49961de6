use marula_core::{EventKind, Timestamp};

use super::super::messages::parameters_of;
use super::super::plans::Logged;
use super::text;
use crate::postgres::entry::Entry;
use crate::{Happening, Origin, Run, Tally};

/// Where an entry came from, kept.
#[derive(Debug, Clone, Default)]
struct Whence {
    at: Option<Timestamp>,
    names: [Box<[u8]>; 4],
    tabbed: bool,
    offset: u64,
}

impl Whence {
    fn new(entry: &Entry<'_>) -> Self {
        let Origin { database, user, application, host } = entry.origin;
        let names = [database.into(), user.into(), application.into(), host.into()];
        Whence { at: entry.at, names, tabbed: entry.tabbed, offset: entry.offset }
    }

    fn origin(&self) -> Origin<'_> {
        let [database, user, application, host] = &self.names;
        Origin { database, user, application, host }
    }

    fn run(&self, micros: u64) -> Run<'_> {
        Run {
            at: self.at,
            micros,
            origin: self.origin(),
            tabbed: self.tabbed,
            offset: self.offset,
            ..Run::default()
        }
    }
}

/// A statement logged before its duration.
pub(in crate::postgres) struct Pending {
    text: Vec<u8>,
    parameters: Vec<u8>,
}

impl Pending {
    pub fn new(entry: &Entry<'_>, text: &[u8]) -> Self {
        Pending { text: text.to_vec(), parameters: parameters_of(entry.detail).to_vec() }
    }

    /// Counts it with its duration, and the plan logged between the two.
    pub fn count(&self, lone: &Lone, plan: Option<PendingPlan>, tally: &mut Tally) {
        let mut run = lone.whence.run(lone.micros);
        run.text = &self.text;
        run.parameters = &self.parameters;
        let key = text::key(run.text);
        let plan = plan.and_then(|plan| {
            if plan.key == key {
                Some(plan)
            } else {
                plan.count(tally);
                None
            }
        });
        let count = |run: &Run<'_>, tally: &mut Tally| {
            tally.run(run, key, || text::shape(run.text, key));
        };
        match plan {
            Some(plan) => plan.join(&mut run, |run| count(run, tally)),
            None => count(&run, tally),
        }
    }

    /// Bytes it takes.
    pub fn size(&self) -> usize {
        self.text.len() + self.parameters.len()
    }
}

/// A duration without a statement.
pub(in crate::postgres) struct Lone {
    whence: Whence,
    micros: u64,
}

impl Lone {
    pub fn new(entry: &Entry<'_>, micros: u64) -> Self {
        Lone { whence: Whence::new(entry), micros }
    }

    /// Counts it as a run of a statement that was not logged.
    pub fn count(&self, tally: &mut Tally) {
        tally.run(&self.whence.run(self.micros), 0, text::not_logged);
    }
}

/// A run that auto_explain logged.
pub(in crate::postgres) struct PendingPlan {
    /// The key of its statement's text.
    pub key: u64,
    whence: Whence,
    pub micros: u64,
    text: Vec<u8>,
    parameters: Vec<u8>,
    plan: Vec<u8>,
    reads: Option<u64>,
    rows: Option<u64>,
}

impl PendingPlan {
    pub fn new(entry: &Entry<'_>, micros: u64, logged: &Logged<'_>) -> Self {
        PendingPlan {
            key: text::key(&logged.text),
            whence: Whence::new(entry),
            micros,
            text: logged.text.to_vec(),
            parameters: logged.parameters.to_vec(),
            plan: logged.plan.to_vec(),
            reads: logged.reads,
            rows: logged.rows,
        }
    }

    /// Gives the plan to the run that it is of, and counts that.
    pub fn join<'a>(&'a self, run: &mut Run<'a>, count: impl FnOnce(&Run<'_>)) {
        run.plan = &self.plan;
        run.reads = self.reads;
        run.returned = self.rows;
        if run.parameters.is_empty() {
            run.parameters = &self.parameters;
        }
        count(run);
    }

    /// When it was logged, in milliseconds.
    pub fn at(&self) -> Option<i64> {
        self.whence.at.map(|at| at.0)
    }

    /// Adds what it read to a run that is counted already.
    pub fn add(&self, tally: &mut Tally) {
        let mut run = self.whence.run(0);
        run.text = &self.text;
        self.join(&mut run, |run| {
            tally.reads(run, self.key, || text::shape(run.text, self.key));
        });
    }

    /// Counts it as a run by itself.
    pub fn count(&self, tally: &mut Tally) {
        let mut run = self.whence.run(self.micros);
        run.text = &self.text;
        self.join(&mut run, |run| {
            tally.run(run, self.key, || text::shape(run.text, self.key));
        });
    }

    /// Bytes it takes.
    pub fn size(&self) -> usize {
        self.text.len() + self.parameters.len() + self.plan.len()
    }
}

/// A lock that is still waited for.
pub(in crate::postgres) struct Waiting {
    whence: Whence,
    about: Vec<u8>,
    text: Vec<u8>,
}

impl Waiting {
    pub fn new(entry: &Entry<'_>, about: &[u8]) -> Self {
        Waiting { whence: Whence::new(entry), about: about.to_vec(), text: entry.message.to_vec() }
    }

    /// Counts a wait of which the end was not seen.
    pub fn count(&self, tally: &mut Tally) {
        tally.happening(&Happening {
            kind: EventKind::LockWait,
            at: self.whence.at,
            origin: self.whence.origin(),
            amount: None,
            about: &self.about,
            text: &self.text,
        });
    }
}
