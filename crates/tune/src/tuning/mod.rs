//! The neutral part of tuning a workload: what is asked, which statements take part, and the
//! search for the best set of changes. It is written once over an [`Arena`]: what a set promises
//! is asked for, what it really does is measured on the arena's bench, and the search goes on
//! from what was measured.

mod arena;
mod book;
mod confirm;
mod drops;
mod late;
mod options;
mod outcome;
mod pace;
mod polish;
mod sample;
mod search;
mod shapes;
mod trial;
mod words;

use std::collections::BTreeMap;
use std::time::Instant;

use marula_core::{Change, Effort, Measurement, Progress, Result};
use marula_lab::bench::Bench;
use marula_lab::compare::Digest;

pub use arena::{Arena, Choice, Estimate, Set, Subject};
pub use book::{Base, Book, Timed};
pub use drops::Drop;
pub use options::{Stop, TuneOptions};
pub use outcome::tell;
pub use sample::{Sampled, sample};
pub use search::Found;
pub(crate) use shapes::by_shape;
pub(crate) use words::{fatal as trial_fatal, seconds};

/// The most rounds of searching and measuring.
const ROUNDS: usize = 8;
/// How often a set that makes a statement too slow is mended before the search starts anew.
const REPAIRS: usize = 6;

/// So much the quickest of several runs still differs from time to time, as a share.
const WOBBLE: f64 = 0.04;
/// And so many milliseconds, however short it is.
const TICK_MS: f64 = 0.1;

/// The search for the best set of changes of one workload.
pub struct Tuner<'a, A: Arena> {
    /// The engine's part.
    pub arena: A,
    /// What takes part, with what is known of each.
    pub subjects: Vec<Subject>,
    /// What may be picked.
    pub choices: Vec<Choice>,
    /// Changes whose worth no estimate tells: they are tried beside the best set.
    pub late: Vec<Choice>,
    /// What was measured and expected.
    pub book: Book,
    /// Choices that are out of the question, and why.
    pub out: BTreeMap<usize, String>,
    /// Why a choice was turned down in some set: the worst case.
    pub turned: BTreeMap<usize, (f64, String)>,
    /// What was done.
    pub effort: Effort,
    /// What the touched tables or collections take, in bytes: what indexes take is weighed against
    /// it. Zero where it is not known.
    pub data_bytes: u64,
    /// The best set proved so far.
    pub best: Best,
    /// The statements as they stand.
    pub before: Vec<Measurement>,
    digests: Vec<Option<Digest>>,
    /// How much longer runs take by the clock than by the processor, lately.
    pace: f64,
    built: BTreeMap<usize, marula_core::Build>,
    /// Built once and taken back since.
    reverted: Set,
    /// What the picked drops give back, in bytes.
    freed: BTreeMap<usize, u64>,
    options: &'a TuneOptions,
    progress: &'a dyn Progress,
    started: Instant,
}

/// A set that was built and run.
#[derive(Debug, Clone, Default)]
pub struct Best {
    /// The choices in it.
    pub set: Set,
    /// The workload's time with it, in milliseconds.
    pub ms: f64,
    /// Statements under it that do not run as before.
    pub after: BTreeMap<usize, After>,
    /// What each choice gains, in milliseconds.
    pub gains: BTreeMap<usize, f64>,
}

/// A statement with the best set in place.
#[derive(Debug, Clone)]
pub struct After {
    /// Beside it, without the set: measured at the same pace.
    pub before: Measurement,
    /// With the set.
    pub after: Measurement,
    /// What its plan uses.
    pub uses: Set,
    /// Whether the results agree.
    pub equal: Option<bool>,
}

impl<'a, A: Arena> Tuner<'a, A> {
    /// A search over these statements and changes; nothing is measured yet.
    pub fn new(arena: A, options: &'a TuneOptions, progress: &'a dyn Progress) -> Self {
        Tuner {
            arena,
            subjects: Vec::new(),
            choices: Vec::new(),
            late: Vec::new(),
            book: Book::default(),
            out: BTreeMap::new(),
            turned: BTreeMap::new(),
            effort: Effort::default(),
            data_bytes: 0,
            best: Best::default(),
            before: Vec::new(),
            digests: Vec::new(),
            pace: 1.0,
            built: BTreeMap::new(),
            reverted: Set::new(),
            freed: BTreeMap::new(),
            options,
            progress,
            started: Instant::now(),
        }
    }

    /// What the user asked.
    pub fn options(&self) -> &TuneOptions {
        self.options
    }

    /// Searches, builds and measures until nothing better is found. What was proved is in
    /// [`Self::best`] also when this future is dropped before its end.
    ///
    /// # Errors
    /// What ends all measuring: the lab server went away.
    pub async fn work(&mut self) -> Result<()> {
        self.best.ms = self.total(&Set::new()).await?;
        let mut seen: Vec<Set> = Vec::new();
        for round in 0..ROUNDS {
            self.progress.step(&format!("searching, round {}", round + 1));
            let found = self.search().await?;
            let worth = self.best.ms * search::WORTH;
            let better = found.ms + self.price(&found.set)
                < self.best.ms + self.price(&self.best.set) - worth;
            if found.set.is_empty() || seen.contains(&found.set) || !better {
                break;
            }
            seen.push(found.set.clone());
            self.prove(found.set).await?;
            if self.over() {
                break;
            }
        }
        self.polish().await?;
        self.narrow().await?;
        self.try_late().await?;
        self.finish().await
    }

    /// Takes everything back that is not in the best set, so that writes keep up nothing else.
    /// Gives the changes that stay.
    ///
    /// # Errors
    /// What ends all measuring: the lab server went away.
    pub async fn settle_best(&mut self) -> Result<Vec<Change>> {
        let set = self.best.set.clone();
        self.activate(&set).await?;
        let mut stay = Vec::new();
        for number in
            self.built.keys().copied().filter(|n| !self.reverted.contains(n)).collect::<Vec<_>>()
        {
            let change = self.choices[number].change.clone();
            if set.contains(&number) {
                stay.push(change);
            } else {
                self.arena.bench().revert(&change).await?;
                self.reverted.insert(number);
            }
        }
        Ok(stay)
    }

    /// Takes a change out of the best set for good, and looks at the rest once more.
    ///
    /// # Errors
    /// What ends all measuring: the lab server went away.
    pub async fn without(&mut self, number: usize, why: String) -> Result<()> {
        self.best.set.remove(&number);
        self.out.insert(number, why);
        self.finish().await
    }

    /// Measures a set, and takes out of it what makes a statement too slow.
    async fn prove(&mut self, mut set: Set) -> Result<()> {
        for _ in 0..REPAIRS {
            self.measure(&set).await?;
            set.retain(|number| !self.out.contains_key(number));
            let total = self.total(&set).await?;
            if total.is_finite() && self.fits(&set) {
                let best = self.best.set.clone();
                if self.clearly_gains(&best, &set).await? {
                    self.best = Best { set, ms: total, ..Best::default() };
                }
                return Ok(());
            }
            let Some(less) = self.mended(&set).await? else { return Ok(()) };
            if less.is_empty() {
                return Ok(());
            }
            set = less;
        }
        Ok(())
    }

    /// Whether `to` gains more over `from` than the clock wobbles in the statements whose times
    /// differ. What is only as good as what was found first is no reason to change anything: the
    /// same workload shall get the same answer on any day.
    pub(super) async fn clearly_gains(&mut self, from: &Set, to: &Set) -> Result<bool> {
        let (mut gain, mut wobble) = (self.price(from) - self.price(to), 0.0);
        for statement in 0..self.subjects.len() {
            let before = self.time(statement, from).await?;
            let after = self.time(statement, to).await?;
            if before != after {
                gain += (before - after) * self.calls(statement);
                wobble += (before * WOBBLE + TICK_MS) * self.calls(statement);
            }
        }
        Ok(gain > wobble)
    }

    /// The set without the one choice that does harm (or takes the most room for what it gains)
    /// whose loss costs least.
    async fn mended(&mut self, set: &Set) -> Result<Option<Set>> {
        let mut guilty = Set::new();
        for statement in 0..self.subjects.len() {
            if self.time(statement, set).await?.is_infinite() {
                let relevant = self.relevant(statement, set);
                let timed = self.book.measured(statement, &relevant);
                guilty.extend(timed.map(|timed| timed.uses.clone()).unwrap_or(relevant));
            }
        }
        let over_budget = guilty.is_empty();
        let among = if over_budget { set.clone() } else { guilty };
        let mut best: Option<(f64, Set)> = None;
        for choice in among {
            let mut less = set.clone();
            if !less.remove(&choice) {
                continue;
            }
            let mut ms = self.harm(&less).await?;
            if over_budget {
                ms /= self.choices[choice].bytes.max(1) as f64;
            }
            if best.as_ref().is_none_or(|(known, _)| ms < *known) {
                best = Some((ms, less));
            }
        }
        Ok(best.map(|(_, less)| less))
    }

    /// The workload's time with `set`, where a statement that gets too slow counts many times.
    async fn harm(&mut self, set: &Set) -> Result<f64> {
        let mut total = 0.0;
        for statement in 0..self.subjects.len() {
            let ms = self.time(statement, set).await?;
            let base = self.book.base.get(statement).map_or(0.0, |base| base.ms);
            let ms = if ms.is_infinite() { base * 100.0 + 1e6 } else { ms };
            total += ms * self.calls(statement);
        }
        Ok(total)
    }

    /// The workload's time with `set` as it was measured, also where a statement gets too slow; one
    /// that was cancelled counts with the time it was given.
    pub(super) async fn paced(&mut self, set: &Set) -> Result<f64> {
        let mut total = 0.0;
        for statement in 0..self.subjects.len() {
            let relevant = self.relevant(statement, set);
            let measured = self.book.measured(statement, &relevant).map(|timed| timed.ms);
            let ms = match measured {
                Some(ms) if ms.is_finite() => ms,
                Some(_) => self.cut(statement).as_secs_f64() * 1000.0,
                None => self.time(statement, set).await?,
            };
            let base = self.book.base.get(statement).map_or(0.0, |base| base.ms);
            total += if ms.is_finite() { ms } else { base } * self.calls(statement);
        }
        Ok(total)
    }

    /// Whether the time for searching is used up; runs of statements do not count.
    pub(crate) fn over(&self) -> bool {
        let all = self.started.elapsed().as_secs_f64() * 1000.0;
        all - self.effort.run_ms > self.options.search.as_secs_f64() * 1000.0
    }
}
