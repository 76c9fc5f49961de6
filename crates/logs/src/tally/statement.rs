use std::cmp::Ordering;
use std::sync::Arc;

use super::Cost;
use crate::{Run, Shape};

/// Samples kept of a statement.
pub const SAMPLES: usize = 3;
/// Bytes kept of a sample's text, of its parameters, and of its plan.
const TEXT: usize = 16 << 10;
const PLAN: usize = 64 << 10;
/// Milliseconds of the finest bucket.
pub const FINEST: i64 = 1000;

/// One statement's runs in a chunk.
pub struct StatementTally {
    /// The key its shape is known by.
    pub key: u64,
    /// Its shape.
    pub shape: Arc<Shape>,
    /// What its runs cost.
    pub cost: Cost,
    /// The first and last moment.
    pub span: Option<(i64, i64)>,
    /// The slowest runs, slowest first.
    pub samples: Vec<Kept>,
    /// Origins by their number in the chunk, and how often.
    pub origins: Vec<(u32, u64)>,
    /// Plan summaries and how often.
    pub plans: Vec<(Box<[u8]>, u64)>,
    /// Seconds since 1970, calls and microseconds.
    pub slices: Vec<(i64, u64, u128)>,
}

/// A run kept to be shown.
#[derive(Debug, Clone)]
pub struct Kept {
    pub micros: u64,
    pub source: u32,
    pub offset: u64,
    pub at: Option<i64>,
    pub text: String,
    pub parameters: String,
    pub plan: String,
    pub truncated: bool,
}

impl Kept {
    fn new(run: &Run<'_>, source: u32) -> Self {
        let text = |bytes: &[u8], limit: usize| {
            let bytes = &bytes[..bytes.len().min(limit)];
            let text = String::from_utf8_lossy(bytes);
            if run.tabbed && text.contains("\n\t") {
                text.replace("\n\t", "\n")
            } else {
                text.into_owned()
            }
        };
        Kept {
            micros: run.micros,
            source,
            offset: run.offset,
            at: run.at.map(|at| at.0),
            text: text(run.text, TEXT),
            parameters: text(run.parameters, TEXT),
            plan: text(run.plan, PLAN),
            truncated: run.truncated || run.text.len() > TEXT,
        }
    }

    /// Slowest first, then by place.
    pub fn order(&self, other: &Kept) -> Ordering {
        other
            .micros
            .cmp(&self.micros)
            .then_with(|| (self.source, self.offset).cmp(&(other.source, other.offset)))
    }

    /// Bytes it takes in memory.
    pub fn size(&self) -> usize {
        self.text.len() + self.parameters.len() + self.plan.len() + size_of::<Kept>()
    }
}

impl StatementTally {
    pub(super) fn new(key: u64, shape: Arc<Shape>) -> Self {
        StatementTally {
            key,
            shape,
            cost: Cost::default(),
            span: None,
            samples: Vec::new(),
            origins: Vec::new(),
            plans: Vec::new(),
            slices: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, run: &Run<'_>, origin: u32, source: u32) {
        self.cost.add(run);
        if let Some(at) = run.at.map(|at| at.0) {
            self.span = Some(self.span.map_or((at, at), |(from, to)| (from.min(at), to.max(at))));
            let second = at.div_euclid(FINEST);
            let micros = u128::from(run.micros);
            match self.slices.last_mut() {
                Some((last, calls, sum)) if *last == second => {
                    *calls += 1;
                    *sum += micros;
                }
                _ => self.slices.push((second, 1, micros)),
            }
        }
        match self.origins.iter_mut().find(|(known, _)| *known == origin) {
            Some((_, count)) => *count += 1,
            None => self.origins.push((origin, 1)),
        }
        if !run.plan_summary.is_empty() {
            match self.plans.iter_mut().find(|(known, _)| **known == *run.plan_summary) {
                Some((_, count)) => *count += 1,
                None => self.plans.push((run.plan_summary.into(), 1)),
            }
        }
        self.sample(run, source);
    }

    pub(super) fn reads(&mut self, run: &Run<'_>, source: u32) {
        self.cost.add_reads(run);
        if self.samples.is_empty() {
            self.sample(run, source);
        }
    }

    fn sample(&mut self, run: &Run<'_>, source: u32) {
        let worth = self.samples.len() < SAMPLES
            || self.samples.last().is_some_and(|least| {
                run.micros > least.micros || run.micros == least.micros && run.offset < least.offset
            });
        if worth {
            keep(&mut self.samples, Kept::new(run, source));
        }
    }
}

/// Puts a run among the slowest.
pub fn keep(samples: &mut Vec<Kept>, new: Kept) {
    let at = samples.partition_point(|known| known.order(&new) != Ordering::Greater);
    if at < SAMPLES {
        samples.insert(at, new);
        samples.truncate(SAMPLES);
    }
}

/// The beginning of a line as one that can be printed.
pub fn printable(line: &[u8], limit: usize) -> String {
    let mut text = String::new();
    for letter in String::from_utf8_lossy(&line[..line.len().min(limit * 4)]).chars().take(limit) {
        if letter == '\t' {
            text.push(' ');
        } else if letter.is_control() {
            text.push('\u{fffd}');
        } else {
            text.push(letter);
        }
    }
    text
}
