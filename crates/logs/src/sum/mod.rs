//! Tallies added up in source order, and told as a [`marula_core::Digest`]. Everything here is
//! bounded: what is too much is folded into "others", while the totals stay exact.

mod folded;
mod objects;
mod statement;
mod statements;
mod tell;
mod tell_statement;
mod timeline;

use std::collections::BTreeMap;

use marula_core::{EventKind, SourceRead, UnreadLine};
use rustc_hash::FxHashMap;

use crate::tally::{Cost, ErrorKey, ErrorTally, EventTally, KINDS, OTHERS, SourceTally, Tally};

use statements::Statements;
use timeline::Timelines;

/// Names kept of each kind of origin.
const NAMES: usize = 5000;
/// Kinds of errors kept.
const ERRORS: usize = 3000;

/// What was counted so far.
#[derive(Default)]
pub(crate) struct Sum {
    total: Cost,
    bars: BTreeMap<u8, (u64, u128)>,
    timeline: Timelines,
    statements: Statements,
    origins: [FxHashMap<String, (u64, u128)>; 4],
    errors: FxHashMap<ErrorKey, ErrorTally>,
    events: BTreeMap<EventKind, EventTally>,
    span: Option<(i64, i64)>,
    sources: Vec<SourceSum>,
}

/// One source's part.
struct SourceSum {
    read: SourceRead,
    tally: SourceTally,
}

impl Sum {
    /// A source follows; chunks added from now on are of it.
    pub fn begin_source(&mut self, read: SourceRead) {
        self.sources.push(SourceSum { read, tally: SourceTally::default() });
    }

    /// The source now read, to be told more of.
    pub fn source(&mut self) -> Option<&mut SourceRead> {
        self.sources.last_mut().map(|source| &mut source.read)
    }

    /// Adds what was joined over a seam between two chunks.
    pub fn add_seam(&mut self, tally: Tally) {
        if !tally.is_empty() {
            self.add(tally);
        }
    }

    /// Adds a tally.
    pub fn add(&mut self, tally: Tally) {
        self.total.merge(&tally.total);
        for (bar, (calls, micros)) in (0u8..).zip(&tally.bars).filter(|(_, bar)| bar.0 > 0) {
            let sum = self.bars.entry(bar).or_default();
            sum.0 += calls;
            sum.1 += micros;
        }
        self.span = crate::tally::join(self.span, tally.span);
        self.timeline.add(tally.timeline);
        for seen in &tally.origins.seen {
            for (names, name) in self.origins.iter_mut().zip(seen.names()) {
                let name = String::from_utf8_lossy(name);
                let known = names.contains_key(name.as_ref());
                let name = if known || names.len() < NAMES { name.as_ref() } else { OTHERS };
                let sum = match names.get_mut(name) {
                    Some(sum) => sum,
                    None => names.entry(name.to_owned()).or_default(),
                };
                sum.0 += seen.calls;
                sum.1 += seen.micros;
            }
        }
        let mut errors: Vec<_> = tally.errors.into_iter().collect();
        errors.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (key, error) in errors {
            self.add_error(key, error);
        }
        for (kind, event) in tally.events {
            self.events.entry(kind).or_default().merge(event);
        }
        self.statements.add(tally.statements, &tally.origins, self.timeline.width());
        if let Some(source) = self.sources.last_mut() {
            source.add(tally.source);
        }
    }

    fn add_error(&mut self, mut key: ErrorKey, error: ErrorTally) {
        if self.errors.len() >= ERRORS && !self.errors.contains_key(&key) {
            key.message = OTHERS.to_owned();
            key.code = String::new();
        }
        match self.errors.get_mut(&key) {
            Some(known) => known.merge(error),
            None => {
                self.errors.insert(key, error);
            }
        }
    }
}

impl SourceSum {
    /// Adds the chunk that follows.
    fn add(&mut self, chunk: SourceTally) {
        let samples = &mut self.read.unread_samples;
        let room = crate::tally::UNREAD_SAMPLES.saturating_sub(samples.len());
        for (line, text) in chunk.samples.iter().take(room) {
            samples.push(UnreadLine { line: self.read.lines + line, text: text.clone() });
        }
        self.read.bytes += chunk.bytes;
        self.read.lines += chunk.lines;
        self.tally.merge(chunk);
    }
}

/// How many kinds of origin there are.
const _: () = assert!(KINDS.len() == 4);
