//! Trying a set for real: its changes are built, and every statement whose plan uses one is run.

use std::time::Duration;

use marula_core::{Measurement, Plan, Result, Statement};
use marula_lab::bench::{Bench, Run};
use marula_lab::compare::{Digest, Outcome};

use super::Tuner;
use super::arena::{Arena, Set};
use super::book::{Base, Book, Timed};
use super::words::{fatal, seconds, short};

/// Below this many milliseconds a run costs nothing, and wobbles.
pub(super) const SHORT_MS: f64 = 2000.0;

impl<A: Arena> Tuner<'_, A> {
    /// Runs every subject as things stand. Those that fail are taken out and returned with why;
    /// those that do not finish stay, with the limit as their time.
    ///
    /// # Errors
    /// What ends all measuring: the lab server went away.
    pub async fn baseline(&mut self) -> Result<Vec<(super::Subject, String)>> {
        let (mut failed, mut kept) = (Vec::new(), Vec::new());
        let mut base = Vec::new();
        let total = self.subjects.len() as u64;
        for (number, subject) in std::mem::take(&mut self.subjects).into_iter().enumerate() {
            self.progress.step(&format!("running {}", short(&subject.statement)));
            self.progress.advance(number as u64, total);
            match self.as_it_stands(&subject.statement).await {
                Ok((measurement, digest, cost)) => {
                    let ms = measurement.ms.unwrap_or(0.0);
                    base.push(Base { ms, timed_out: measurement.timed_out, cost });
                    self.before.push(measurement);
                    self.digests.push(digest);
                    kept.push(subject);
                }
                Err(error) if fatal(&error) => return Err(error),
                Err(error) => failed.push((subject, error.to_string())),
            }
        }
        self.subjects = kept;
        self.book = Book::new(base);
        Ok(failed)
    }

    async fn as_it_stands(
        &mut self,
        statement: &Statement,
    ) -> Result<(Measurement, Option<Digest>, f64)> {
        let limit = self.options.timeout;
        let estimate = self.arena.estimate(statement, &[]).await?;
        let plan = self.arena.bench().plan(statement, Duration::ZERO).await?;
        let first = self.run(statement, limit).await?;
        let (mut ms, mut runs) = (first.ms, 1);
        // The first run warmed the cache.
        let more = match ms {
            ms if ms > SHORT_MS => 1,
            ms if ms > 50.0 => 2,
            ms if ms > 2.0 => 6,
            _ => 12,
        };
        for _ in 0..if first.timed_out { 0 } else { more } {
            let run = self.run(statement, limit).await?;
            ms = ms.min(run.ms);
            runs += 1;
        }
        let measurement = Measurement {
            ms: Some(ms),
            runs,
            reads: None,
            cost: Some(estimate.cost),
            timed_out: first.timed_out,
            plan: Some(Box::new(plan)),
        };
        Ok((measurement, first.digest, estimate.cost))
    }

    /// One run, counted.
    pub(super) async fn run(&mut self, statement: &Statement, limit: Duration) -> Result<Run> {
        let run = self.arena.bench().run(statement, limit).await?;
        self.effort.runs += 1;
        self.effort.run_ms += run.clock_ms;
        // Limits are by the clock, and how much slower that is now changes from minute to minute.
        let pace = (run.clock_ms / run.ms.max(0.1)).clamp(1.0, 20.0);
        self.pace = if run.timed_out { self.pace } else { (self.pace * 0.7).max(pace) };
        Ok(run)
    }

    /// Builds what is not built yet, and runs each statement that would use any of `set`.
    pub(super) async fn measure(&mut self, set: &Set) -> Result<()> {
        for number in set {
            self.build(*number).await?;
        }
        self.activate(set).await?;
        let total = self.subjects.len() as u64;
        for statement in 0..self.subjects.len() {
            let relevant: Set = self.relevant(statement, set);
            let relevant: Set =
                relevant.into_iter().filter(|number| !self.out.contains_key(number)).collect();
            if relevant.is_empty() || self.book.measured(statement, &relevant).is_some() {
                continue;
            }
            self.progress.advance(statement as u64, total);
            self.try_one(statement, relevant, set).await?;
        }
        self.progress.advance(total, total);
        Ok(())
    }

    async fn try_one(&mut self, statement: usize, relevant: Set, set: &Set) -> Result<()> {
        // The estimate says which wording; the real plan says what is used.
        let expected = self.estimate(statement, &relevant).await?.cost;
        let expected = Some(expected);
        let rewrite = self.wording(statement, &relevant);
        let text = self.text(statement, rewrite);
        self.activate(set).await?;
        let plan = self.arena.bench().plan(&text, Duration::ZERO).await?;
        let mut uses = self.used(&plan, &relevant);
        uses.extend(rewrite);
        let telling = self.telling(&text, &plan, &relevant, set).await?;
        uses.extend(telling);
        for number in &uses {
            // Used all the same: from now on the search looks at this statement, too.
            if let Err(at) = self.choices[*number].helps.binary_search(&statement) {
                self.choices[*number].helps.insert(at, statement);
            }
        }
        let base = self.book.base[statement].clone();
        if uses.is_empty() {
            self.book.note(statement, relevant, Timed { ms: base.ms, uses }, expected);
            return Ok(());
        }
        if let Some(ms) = self.book.measured_using(statement, &uses) {
            self.book.note(statement, relevant, Timed { ms, uses }, expected);
            return Ok(());
        }
        self.progress.step(&format!("running {} with {} changes", short(&text), uses.len()));
        let limit = self.cut(statement);
        let first = match self.run(&text, limit).await {
            Ok(run) => run,
            Err(error) if fatal(&error) => return Err(error),
            Err(error) => {
                for number in &uses {
                    self.out.insert(*number, format!("with it a statement fails: {error}"));
                }
                return Ok(());
            }
        };
        if let Some(how) = self.differs(statement, &first) {
            let shown = short(&self.subjects[statement].statement);
            for number in &uses {
                self.turn_down(*number, f64::INFINITY, format!("the results of {shown} {how}"));
            }
            if let Some(number) = rewrite {
                self.out.insert(number, format!("the results of {shown} {how}"));
            }
            self.book.note(statement, relevant, Timed { ms: f64::INFINITY, uses }, expected);
            return Ok(());
        }
        let ms = self.settle(statement, &text, &first, limit, set).await?;
        if self.book.too_slow(statement, ms) {
            let shown = short(&self.subjects[statement].statement);
            let how = if first.timed_out { "was cancelled after" } else { "takes" };
            let why = format!(
                "with it {shown} {how} {} instead of {}",
                seconds(if ms.is_finite() { ms } else { first.ms }),
                seconds(base.ms)
            );
            for number in &uses {
                self.turn_down(*number, ms / base.ms.max(0.001), why.clone());
            }
        }
        self.book.note(statement, relevant, Timed { ms, uses }, expected);
        Ok(())
    }

    pub(super) fn differs(&self, statement: usize, run: &Run) -> Option<String> {
        match self.outcome(statement, run)? {
            Outcome::Different(how) => Some(format!("differ: {how}")),
            _ => None,
        }
    }

    /// How a run's results compare with those of the statement as it stands.
    pub(super) fn outcome(&self, statement: usize, run: &Run) -> Option<Outcome> {
        let (before, after) = (self.digests.get(statement)?.as_ref()?, run.digest.as_ref()?);
        Some(before.compare(after, &self.subjects[statement].comparison))
    }

    fn turn_down(&mut self, number: usize, worse: f64, why: String) {
        let known = self.turned.entry(number).or_insert((0.0, String::new()));
        if worse > known.0 {
            *known = (worse, why);
        }
    }

    async fn build(&mut self, number: usize) -> Result<()> {
        let choice = &self.choices[number];
        let there = self.built.contains_key(&number) && !self.reverted.contains(&number);
        if choice.is_rewrite() || there || self.out.contains_key(&number) {
            return Ok(());
        }
        let change = choice.change.clone();
        self.progress.step(&format!("building {}", change.title));
        match self.arena.bench().apply(&change).await {
            Ok(build) => {
                let build = build.unwrap_or(marula_core::Build { ms: 0.0, bytes: 0 });
                self.choices[number].bytes = build.bytes;
                self.built.insert(number, build);
                self.reverted.remove(&number);
                self.effort.built += 1;
            }
            Err(error) if fatal(&error) => return Err(error),
            Err(error) => {
                self.out.insert(number, format!("it cannot be built: {error}"));
            }
        }
        Ok(())
    }

    /// Switches exactly the built changes of `set` on.
    pub(super) async fn activate(&mut self, set: &Set) -> Result<()> {
        self.arena.forget().await?;
        let there = self.built.keys().copied().filter(|number| !self.reverted.contains(number));
        for number in there.collect::<Vec<usize>>() {
            let change = self.choices[number].change.clone();
            self.arena.bench().set_active(&change, set.contains(&number)).await?;
        }
        Ok(())
    }

    /// The wording to run with `set`: the one that is expected to cost least.
    pub(super) fn wording(&self, statement: usize, set: &Set) -> Option<usize> {
        let mut rewrites = set.iter().copied().filter(|number| self.choices[*number].is_rewrite());
        let first = rewrites.next()?;
        let helping = self.helping(statement, set);
        let expected =
            self.book.estimate(statement, &helping).map(|estimate| estimate.uses.clone());
        let used =
            rewrites.chain([first]).find(|n| expected.as_ref().is_some_and(|e| e.contains(n)));
        used.or(Some(first))
    }

    pub(super) fn text(&self, statement: usize, rewrite: Option<usize>) -> Statement {
        let statement = &self.subjects[statement].statement;
        match rewrite {
            Some(number) => self.choices[number].wording(statement),
            None => statement.clone(),
        }
    }

    /// Which changes a plan uses.
    pub(super) fn used(&mut self, plan: &Plan, among: &Set) -> Set {
        let mut uses = Set::new();
        for number in among {
            let change = self.choices[*number].change.clone();
            if self.arena.bench().uses(plan, &change) == Some(true) {
                uses.insert(*number);
            }
        }
        uses
    }
}
