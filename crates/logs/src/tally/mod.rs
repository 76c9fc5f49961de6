//! Adding up what formats find. One [`Tally`] counts one chunk; tallies are added up in source
//! order by [`crate::sum`], so the same input gives the same digest on any number of threads.

mod cost;
mod errors;
mod events;
mod filter;
mod origins;
mod shapes;
mod sketch;
mod source;
mod statement;
mod timeline;

use std::sync::Arc;

use rustc_hash::FxHashMap;

pub(crate) use cost::{Cost, ms};
pub(crate) use errors::{ErrorKey, ErrorTally};
pub(crate) use events::{EventTally, OTHERS, count, join};
pub(crate) use filter::Sieve;
pub(crate) use origins::{KINDS, OriginTally, Origins};
pub(crate) use shapes::Shapes;
pub(crate) use sketch::Sketch;
pub(crate) use source::{SourceTally, UNREAD_SAMPLES};
pub(crate) use statement::{Kept, StatementTally, keep, printable};
pub(crate) use timeline::{BucketTally, TimelineTally};

use crate::{Failure, Happening, Origin, Place, Run, Shape};
use marula_core::{EventKind, Timestamp};

/// What all tallies of one digest share.
#[derive(Default)]
pub(crate) struct Scope {
    /// What is wanted.
    pub sieve: Sieve,
    /// The shapes known.
    pub shapes: Shapes,
}

impl Scope {
    pub fn new(filter: &crate::Filter) -> Self {
        Scope { sieve: Sieve::new(filter), shapes: Shapes::default() }
    }
}

/// What one chunk holds, added up.
pub struct Tally {
    scope: Arc<Scope>,
    place: Place,
    index: FxHashMap<u64, u32>,
    pub(crate) statements: Vec<StatementTally>,
    pub(crate) total: Cost,
    pub(crate) bars: Vec<(u64, u128)>,
    pub(crate) timeline: TimelineTally,
    pub(crate) origins: Origins,
    pub(crate) errors: FxHashMap<ErrorKey, ErrorTally>,
    pub(crate) events: FxHashMap<EventKind, EventTally>,
    pub(crate) source: SourceTally,
    pub(crate) span: Option<(i64, i64)>,
}

/// The bar of a duration: 0 for nothing, else one more than the power of two it reaches, in
/// units of 1/1024 ms.
fn bar(micros: u64) -> usize {
    // Beyond 2^50 it is centuries, and a bit of precision does not matter.
    let units = if micros < 1 << 50 { micros * 1024 / 1000 } else { micros };
    if units == 0 { 0 } else { units.ilog2() as usize + 1 }
}

/// Bars there are.
const BARS: usize = 66;

impl Tally {
    pub(crate) fn new(scope: Arc<Scope>, place: Place) -> Self {
        Tally {
            scope,
            place,
            index: FxHashMap::default(),
            statements: Vec::new(),
            total: Cost::default(),
            bars: vec![(0, 0); BARS],
            timeline: TimelineTally::default(),
            origins: Origins::default(),
            errors: FxHashMap::default(),
            events: FxHashMap::default(),
            source: SourceTally::default(),
            span: None,
        }
    }

    /// An entry was recognised; told before what is in it.
    pub fn entry(&mut self, at: Option<Timestamp>) {
        self.source.entry(at);
    }

    /// The entry's text was cut short by the server.
    pub fn truncated(&mut self) {
        self.source.truncated += 1;
    }

    /// A line that belongs to no entry. `offset` is its place in the source.
    pub fn unread(&mut self, offset: u64, line: &[u8]) {
        self.source.unread(offset, line);
    }

    /// Counts the bytes and lines of the chunk it is of.
    pub(crate) fn measure(&mut self, chunk: &[u8]) {
        self.source.measure(self.place.offset, chunk);
    }

    /// Counts a run. `key` is a hash of its text modulo values, under which `shape` is kept: it
    /// must follow from the key alone.
    pub fn run(&mut self, run: &Run<'_>, key: u64, shape: impl FnOnce() -> Shape) {
        let sieve = &self.scope.sieve;
        if !sieve.wants(run.at, &run.origin) || !sieve.wants_run(run.micros, run.text) {
            return;
        }
        self.see(run.at);
        self.total.add(run);
        if let Some(bar) = self.bars.get_mut(bar(run.micros)) {
            bar.0 += 1;
            bar.1 += u128::from(run.micros);
        }
        self.timeline.run(run.at, run.micros);
        let origin = self.origins.run(&run.origin, run.micros);
        let source = self.place.source;
        self.statement(key, shape).run(run, origin, source);
    }

    /// Adds what a run read or wrote (its `returned`, `keys`, `reads`, `temp_bytes`) to its
    /// statement without counting a call: the log tells it in an entry of its own.
    pub fn reads(&mut self, run: &Run<'_>, key: u64, shape: impl FnOnce() -> Shape) {
        let sieve = &self.scope.sieve;
        if sieve.wants(run.at, &run.origin) && sieve.wants_text(&[run.text]) {
            self.total.add_reads(run);
            let source = self.place.source;
            self.statement(key, shape).reads(run, source);
        }
    }

    /// Counts an error.
    pub fn failure(&mut self, failure: &Failure<'_>) {
        let sieve = &self.scope.sieve;
        if !sieve.wants(failure.at, &failure.origin)
            || !sieve.wants_text(&[failure.message, failure.statement])
        {
            return;
        }
        self.see(failure.at);
        if failure.severity != "WARNING" {
            self.timeline.failure(failure.at);
        }
        let key = ErrorKey::new(failure);
        match self.errors.get_mut(&key) {
            Some(known) => known.add(failure),
            None => {
                self.errors.insert(key, ErrorTally::new(failure));
            }
        }
    }

    /// Counts anything else.
    pub fn happening(&mut self, happening: &Happening<'_>) {
        let sieve = &self.scope.sieve;
        if !sieve.wants(happening.at, &happening.origin) || !sieve.wants_text(&[happening.text]) {
            return;
        }
        self.see(happening.at);
        self.timeline.happening(happening.at, happening.kind);
        self.events.entry(happening.kind).or_default().add(happening);
    }

    /// Whether nothing at all was told.
    pub(crate) fn is_empty(&self) -> bool {
        self.statements.is_empty()
            && self.errors.is_empty()
            && self.events.is_empty()
            && self.source.entries == 0
            && self.source.unread == 0
    }

    fn see(&mut self, at: Option<Timestamp>) {
        if let Some(Timestamp(at)) = at {
            self.span = Some(self.span.map_or((at, at), |(from, to)| (from.min(at), to.max(at))));
        }
    }

    fn statement(&mut self, key: u64, shape: impl FnOnce() -> Shape) -> &mut StatementTally {
        let slot = match self.index.get(&key) {
            Some(slot) => *slot as usize,
            None => {
                let slot = self.statements.len();
                self.index.insert(key, slot as u32);
                let shape = self.scope.shapes.get(key, shape);
                self.statements.push(StatementTally::new(key, shape));
                slot
            }
        };
        &mut self.statements[slot]
    }
}

/// The origin's four names, in the order of [`KINDS`].
pub(crate) fn names<'a>(origin: &Origin<'a>) -> [&'a [u8]; 4] {
    [origin.database, origin.user, origin.application, origin.host]
}
