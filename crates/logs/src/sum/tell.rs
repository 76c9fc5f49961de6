use marula_core::{Bar, Digest, ErrorDigest, EventDigest, OriginDigest, Span, Timestamp};

use super::Sum;
use super::tell_statement::{counts, in_order, tell};
use crate::SortBy;
use crate::tally::{KINDS, ms};

/// Origins told of each kind, errors, and what an event was about.
const ORIGINS: usize = 50;
const ERRORS: usize = 200;
const ABOUT: usize = 20;

pub(super) fn span(ends: Option<(i64, i64)>) -> Option<Span> {
    ends.map(|(from, to)| Span { from: Timestamp(from), to: Timestamp(to) })
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Where a bar begins, in milliseconds.
fn bar_from(bar: u8) -> f64 {
    if bar == 0 { 0.0 } else { 2f64.powi(i32::from(bar) - 1) / 1024.0 }
}

impl Sum {
    /// The digest, with at most `top` statements.
    pub fn tell(self, sort: SortBy, top: usize) -> Digest {
        let folded = self.statements.folded();
        let width = self.timeline.width();
        let objects = super::objects::tell(&self.statements.kept, self.total.micros);
        let statements = in_order(self.statements.kept, sort);
        let left_out = statements.len().saturating_sub(top) as u64 + folded;
        let total = self.total.micros;
        Digest {
            sources: self.sources.into_iter().map(|source| source.tell()).collect(),
            span: span(self.span),
            totals: self.total.load(),
            statements: statements
                .into_iter()
                .take(top)
                .map(|statement| tell(statement, total, width))
                .collect(),
            statements_left_out: left_out,
            timeline: self.timeline.tell(),
            histogram: self
                .bars
                .iter()
                .map(|(bar, (calls, micros))| Bar {
                    from_ms: bar_from(*bar),
                    to_ms: bar_from(*bar + 1),
                    calls: *calls,
                    total_ms: ms(*micros),
                })
                .collect(),
            errors: {
                let mut errors: Vec<_> = self.errors.into_iter().collect();
                errors
                    .sort_unstable_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(&b.0)));
                errors.truncate(ERRORS);
                errors
                    .into_iter()
                    .map(|(key, error)| ErrorDigest {
                        engine: key.engine,
                        severity: key.severity,
                        code: some(&key.code),
                        message: key.message,
                        count: error.count,
                        span: span(error.span),
                        sample: error.sample,
                        statement: some(&error.statement),
                    })
                    .collect()
            },
            events: self
                .events
                .into_iter()
                .map(|(kind, event)| EventDigest {
                    kind,
                    count: event.count,
                    total: event.total.map(ms),
                    max: event.max,
                    span: span(event.span),
                    about: counts(event.about, ABOUT),
                    sample: event.sample,
                })
                .collect(),
            origins: KINDS
                .into_iter()
                .zip(self.origins)
                .flat_map(|(kind, names)| {
                    let mut names: Vec<_> = names.into_iter().collect();
                    names.sort_unstable_by(|a, b| b.1.1.cmp(&a.1.1).then_with(|| a.0.cmp(&b.0)));
                    names.truncate(ORIGINS);
                    names.into_iter().map(move |(name, (calls, micros))| OriginDigest {
                        kind,
                        name,
                        calls,
                        total_ms: ms(micros),
                    })
                })
                .collect(),
            objects,
        }
    }
}

impl super::SourceSum {
    fn tell(self) -> marula_core::SourceRead {
        let mut read = self.read;
        read.entries = self.tally.entries;
        read.unread = self.tally.unread;
        read.truncated = self.tally.truncated;
        read.clock_jumps = self.tally.jumps;
        read
    }
}
