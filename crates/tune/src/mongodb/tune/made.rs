//! The indexes on the bench: built once, then shown and hidden. A server takes only so many of a
//! collection, so what was not shown for long makes room for others and is built again when it is
//! wanted.

use std::collections::BTreeSet;

use marula_core::{Build, Change, ChangeId, Engine, Plan, Proof, Result};
use marula_lab::bench::Bench;

use super::idea::Ideas;
use super::trial::{Trial, fatal};
use crate::mongodb::candidates::Candidate;

/// Indexes of a collection kept built at the same time.
const KEPT: usize = 40;
/// How many indexes a server takes of a collection.
const MOST: usize = 64;

/// An index that was built on the bench. It may have made room for others since: what is known
/// of it stays, and it is built again when it is shown.
pub(super) struct Made {
    /// It as the bench knows it.
    pub change: Change,
    /// What building it took.
    pub build: Build,
    state: State,
    /// When it was shown last, in counts of that.
    shown: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Shown,
    Hidden,
    Gone,
}

impl Trial<'_> {
    /// How many indexes a collection can be given.
    pub fn room(&self, collection: &str) -> usize {
        MOST.saturating_sub(self.existing.get(collection).copied().unwrap_or(1))
    }

    /// Builds an index, hidden; whether it could be built.
    pub async fn build(&mut self, ideas: &Ideas, at: usize) -> Result<bool> {
        if self.made.contains_key(&at) {
            return Ok(true);
        }
        let Some(candidate) = ideas.indexes.get(at) else { return Ok(false) };
        if self.failed.contains_key(&at) {
            return Ok(false);
        }
        if !self.make(at, candidate).await? {
            return Ok(false);
        }
        let Some(made) = self.made.get_mut(&at) else { return Ok(false) };
        match self.bench.set_active(&made.change, false).await {
            Ok(()) => made.state = State::Hidden,
            Err(error) if fatal(error.kind()) => return Err(error),
            Err(error) => {
                self.failed.insert(at, error.message().to_string());
                self.remove(at).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Builds an index, shown; whether it could be built.
    pub(super) async fn make(&mut self, at: usize, candidate: &Candidate) -> Result<bool> {
        let proposal = candidate.proposal(1.0);
        let change = Change {
            id: ChangeId(format!("i{at}")),
            kind: proposal.kind,
            engine: Engine::Mongodb,
            title: proposal.title,
            relation: proposal.relation,
            up: proposal.up,
            down: proposal.down,
            hazards: proposal.hazards,
            conditions: proposal.conditions,
            proof: Proof::not_tried("not tried yet"),
        };
        self.progress.step(&format!("building {}", change.title));
        let mine = BTreeSet::from([at]);
        self.make_room(change.relation.as_deref(), &mine).await?;
        match self.bench.apply(&change).await {
            Ok(build) => {
                let build = build.unwrap_or(Build { ms: 0.0, bytes: 0 });
                self.effort.built += 1;
                let state = State::Shown;
                self.made.insert(at, Made { change, build, state, shown: self.clock });
                Ok(true)
            }
            Err(error) if fatal(error.kind()) => Err(error),
            Err(error) => {
                self.failed.insert(at, error.message().to_string());
                Ok(false)
            }
        }
    }

    /// Shows exactly these indexes of those that were built, and those that are required.
    pub async fn show(&mut self, wanted: &BTreeSet<usize>) -> Result<()> {
        let wanted: BTreeSet<usize> = wanted.iter().chain(self.required.keys()).copied().collect();
        let wanted = &wanted;
        self.clock += 1;
        for (at, made) in &mut self.made {
            let on = wanted.contains(at);
            if made.state == State::Shown && !on {
                self.bench.set_active(&made.change, false).await?;
                made.state = State::Hidden;
            }
        }
        for &at in wanted {
            let Some(made) = self.made.get(&at) else { continue };
            match made.state {
                State::Shown => {}
                State::Hidden => self.bench.set_active(&made.change, true).await?,
                State::Gone => {
                    let change = made.change.clone();
                    self.make_room(change.relation.as_deref(), wanted).await?;
                    self.bench.apply(&change).await?;
                    self.effort.built += 1;
                }
            }
            if let Some(made) = self.made.get_mut(&at) {
                (made.state, made.shown) = (State::Shown, self.clock);
            }
        }
        Ok(())
    }

    /// An index that was built.
    pub fn made(&self, at: usize) -> Option<&Made> {
        self.made.get(&at)
    }

    /// Takes an index away; what is known of it stays.
    pub async fn remove(&mut self, at: usize) -> Result<()> {
        let Some(made) = self.made.get_mut(&at).filter(|made| made.state != State::Gone) else {
            return Ok(());
        };
        made.state = State::Gone;
        self.bench.revert(&made.change).await
    }

    /// Takes away what was not shown for the longest time, where as much of a collection is built
    /// as it can hold.
    async fn make_room(
        &mut self,
        collection: Option<&str>,
        wanted: &BTreeSet<usize>,
    ) -> Result<()> {
        let Some(collection) = collection else { return Ok(()) };
        let most = self.room(collection).clamp(1, KEPT);
        loop {
            let built = || {
                let of = |made: &Made| {
                    made.state != State::Gone && made.change.relation.as_deref() == Some(collection)
                };
                self.made.iter().filter(move |(_, made)| of(made))
            };
            if built().count() < most {
                return Ok(());
            }
            let stays = |at: &usize| wanted.contains(at) || self.required.contains_key(at);
            let free = built().filter(|(at, _)| !stays(at));
            let Some((&oldest, _)) = free.min_by_key(|(at, made)| (made.shown, **at)) else {
                return Ok(());
            };
            self.remove(oldest).await?;
        }
    }

    /// Takes away all indexes but these and the required ones.
    pub async fn keep(&mut self, wanted: &BTreeSet<usize>) -> Result<()> {
        let stays = |at: &usize| wanted.contains(at) || self.required.contains_key(at);
        let others: Vec<usize> = self.made.keys().filter(|at| !stays(at)).copied().collect();
        for at in others {
            self.remove(at).await?;
        }
        Ok(())
    }

    /// The bytes of these indexes together.
    pub fn bytes(&self, indexes: impl IntoIterator<Item = usize>) -> u64 {
        indexes.into_iter().filter_map(|at| self.made.get(&at)).map(|made| made.build.bytes).sum()
    }

    /// Whether a plan shows that it does not use an index.
    pub fn is_unused(&self, plan: &Plan, at: usize) -> bool {
        self.made.get(&at).is_none_or(|made| self.bench.uses(plan, &made.change) == Some(false))
    }

    /// Whether a plan uses an index that is built.
    pub fn uses(&self, plan: &Plan, at: usize) -> bool {
        self.made.get(&at).is_some_and(|made| self.bench.uses(plan, &made.change) == Some(true))
    }

    /// Takes away what is built of a collection; [`Trial::show`] builds it again.
    pub async fn clear(&mut self, collection: &str) -> Result<()> {
        let on = |made: &Made| made.change.relation.as_deref() == Some(collection);
        let numbers: Vec<usize> =
            self.made.iter().filter(|(_, made)| on(made)).map(|(at, _)| *at).collect();
        for at in numbers {
            self.remove(at).await?;
        }
        Ok(())
    }
}
