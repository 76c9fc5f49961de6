//! What must come before what.

use std::collections::{BTreeMap, BTreeSet};

use super::fate::Fate;
use super::fold::fold;
use super::kinds;
use super::model::{Id, Kind, Model, Object};
use super::names::{counter, taken};
use super::steps::{Builder, Deed, Step};

/// The steps with what must come before each.
pub(super) struct Graph {
    /// The steps.
    pub steps: Vec<Step>,
    /// By step: the steps before it.
    pub before: Vec<BTreeSet<usize>>,
    /// Steps that are done in the same transaction.
    pub bonds: Vec<(usize, usize)>,
}

/// The partitions.
pub(super) fn parts(model: &Model) -> impl Iterator<Item = &Object> {
    model.objects.values().filter(|one| one.id.kind == Kind::Table && one.has("bound"))
}

/// Whether an object only reads columns: it minds their types, and nothing else of them.
fn only_reads(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::View
            | Kind::MaterializedView
            | Kind::Rule
            | Kind::Trigger
            | Kind::Policy
            | Kind::Function
            | Kind::Aggregate
            | Kind::Publication
            | Kind::Statistics
            | Kind::Index
    )
}

impl Builder<'_> {
    pub(super) fn step(&self, deed: Deed, id: &Id) -> Option<usize> {
        self.at.get(&(deed, id.clone())).copied().filter(|at| *at != usize::MAX)
    }

    /// The step that makes an object, itself or as a part of another.
    pub(super) fn made(&self, id: &Id) -> Option<usize> {
        let mut id = id.clone();
        loop {
            if let Some(step) = self.step(Deed::Create, &id) {
                return Some(step);
            }
            id = self.to.get(&id)?.parent.clone()?;
        }
    }

    /// The step that drops an object, itself or with what it belongs to.
    pub(super) fn dropped(&self, id: &Id) -> Option<usize> {
        let mut id = id.clone();
        loop {
            let goes =
                matches!(self.fates.get(&id), Some(Fate::Drop | Fate::Recreate | Fate::Rename(_)));
            let object = self.from.get(&id)?;
            if goes && let Some(step) = self.step(Deed::Drop, &id) {
                return Some(step);
            }
            // What came with others goes with what it is a part of.
            if !goes && !object.implied {
                return None;
            }
            id = match id.kind {
                Kind::Sequence => self.owner(&id)?,
                _ => object.parent.clone()?,
            };
        }
    }

    /// The step that drops what an implied object came with.
    fn dropped_with(&self, object: &Object, depth: usize) -> Option<usize> {
        if !object.implied || object.get("type") != "f" || depth == 0 {
            return None;
        }
        object.depends.iter().filter(|other| other.kind == object.id.kind).find_map(|other| {
            let other = self.from.get(other)?;
            self.dropped(&other.id).or_else(|| self.dropped_with(other, depth - 1))
        })
    }

    /// What a change of reaches an object through one of its columns: the view it is a column of,
    /// the type it has.
    fn through(&self, id: &Id, model: &Model) -> Vec<Id> {
        let Some(object) = model.get(id).filter(|_| id.kind == Kind::Column) else {
            return Vec::new();
        };
        let mut all: Vec<Id> = object
            .depends
            .iter()
            .filter(|other| matches!(self.fates.get(other), Some(Fate::Alter { breaks: true, .. })))
            .cloned()
            .collect();
        if kinds::view_column(object) {
            all.extend(object.parent.clone());
        }
        all
    }

    /// The step that makes a domain anew on another base: its constraints are made in it.
    fn based(&self, object: &Object) -> Option<usize> {
        let domain = object.parent.as_ref().filter(|_| object.id.kind == Kind::DomainConstraint)?;
        self.step(Deed::Alter, domain).filter(|_| self.breaks(domain))
    }

    /// Whether a table gets other parents.
    fn joins(&self, object: &Object) -> bool {
        object.id.kind == Kind::Table
            && self.from.get(&object.id).is_some_and(|old| {
                let differ = old.differing(object);
                differ.contains("parents") || differ.contains("bound")
            })
    }

    /// Whether what is made of an object has to wait for a change of what it needs.
    fn waits(&self, object: &Object, other: &Id) -> bool {
        other.kind != Kind::Column || self.breaks(other) || !only_reads(object.id.kind)
    }

    /// Whether something that goes for good may stay while a column of it is changed, so that what
    /// takes its place under another name is there before it goes.
    fn is_kept_till_later(&self, object: &Object, column: &Id) -> bool {
        let sorted = |own: &Object| match own.id.kind {
            Kind::Constraint => own.get("type") == "u" || own.get("type") == "p",
            Kind::Index => own.get("definition").contains(" USING btree ("),
            _ => false,
        };
        let follows = |own: &&Object| {
            own.parent == object.parent && own.depends.contains(column) && sorted(own)
        };
        if column.kind != Kind::Column || !sorted(object) || object.get("type") == "p" {
            return false;
        }
        // The column's new type can be sorted, or nothing would be built on it.
        !self.breaks(column) || self.to.objects.values().any(|own| follows(&own))
    }

    /// Whether an object has to be gone before what it needs is changed.
    fn in_the_way(&self, object: &Object, other: &Id) -> bool {
        if object.id.kind == Kind::OwnedBy && other.kind == Kind::Column {
            return false;
        }
        if other.kind == Kind::Table {
            // What an unlogged table may not refer to, and what a partition may not have.
            return self.from.get(other).zip(self.to.get(other)).is_some_and(|(old, new)| {
                if object.id.kind == Kind::Column {
                    return new.has("bound") && !old.has("parents");
                }
                let differ = old.differing(new);
                ["parents", "bound", "persistence"].iter().any(|fact| differ.contains(fact))
            });
        }
        let new = self.to.get(&object.id);
        let again = matches!(self.fates.get(&object.id), Some(Fate::Recreate));
        let Some(new) = new.filter(|_| again) else {
            return !self.is_kept_till_later(object, other);
        };
        let still = new.depends.contains(other);
        if self.step(Deed::Build, &object.id).is_some() && still {
            return false;
        }
        match other.kind {
            _ if self.breaks(other) => true,
            Kind::Column => object.id.kind == Kind::Constraint && !still,
            Kind::Enum | Kind::Domain => false,
            _ => true,
        }
    }

    /// The steps with what must come before each.
    pub(super) fn graph(mut self) -> Graph {
        let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.steps.len()];
        let mut edge = |first: Option<usize>, then: Option<usize>| {
            if let (Some(first), Some(then)) = (first, then)
                && first != then
            {
                before[then].insert(first);
            }
        };
        for object in self.to.objects.values() {
            let made = self.made(&object.id).filter(|_| {
                matches!(self.fates.get(&object.id), Some(Fate::Create | Fate::Recreate))
                    || self.step(Deed::Create, &object.id).is_some()
            });
            let altered = self.step(Deed::Alter, &object.id).or_else(|| self.based(object));
            let built = self.step(Deed::Build, &object.id);
            edge(built, made);
            for own in [built, made, altered].into_iter().flatten() {
                for other in &object.depends {
                    // What is made with a whole does not wait for the other parts of it.
                    let beside = self.steps[own].id != object.id
                        && self.to.get(other).is_some_and(|one| one.parent == object.parent);
                    if beside {
                        continue;
                    }
                    edge(self.made(other), Some(own));
                    if self.waits(object, other) {
                        edge(self.step(Deed::Alter, other), Some(own));
                    }
                    if object.id.kind == Kind::Constraint {
                        edge(self.step(Deed::Late, other), Some(own));
                    }
                    for above in self.through(other, self.to) {
                        edge(self.step(Deed::Alter, &above), Some(own));
                    }
                }
            }
            if let (Some(own), true) = (altered, self.joins(object)) {
                // A child must have its parent's columns and checks before it becomes one.
                for part in self.to.objects.values() {
                    let concerned = part.parent.as_ref().is_some_and(|parent| {
                        *parent == object.id || object.depends.contains(parent)
                    });
                    if concerned && matches!(part.id.kind, Kind::Column | Kind::Constraint) {
                        edge(self.step(Deed::Create, &part.id), Some(own));
                        edge(self.step(Deed::Alter, &part.id), Some(own));
                        edge(self.step(Deed::Late, &part.id), Some(own));
                    }
                }
            }
            if let Some(late) = self.step(Deed::Late, &object.id) {
                edge(self.step(Deed::Create, &object.id), Some(late));
                edge(altered, Some(late));
                for part in self.to.objects.values() {
                    if part.parent.as_ref() == Some(&object.id) {
                        edge(self.made(&part.id), Some(late));
                        edge(self.step(Deed::Alter, &part.id), Some(late));
                        edge(self.step(Deed::Late, &part.id), Some(late));
                    }
                }
            }
        }
        for object in self.from.objects.values() {
            // A foreign key's share in a partition goes with the key, and not with its own table.
            let dropped = self.dropped_with(object, 5).or_else(|| self.dropped(&object.id));
            let altered = self.step(Deed::Alter, &object.id);
            // What a table has from its parents it can only drop when it has left them.
            if let Some(parent) = object.parent.as_ref().filter(|_| object.id.kind == Kind::Column)
                && self.from.get(parent).is_some_and(|table| table.has("parents"))
                && self.to.get(parent).is_some_and(|table| self.joins(table))
            {
                edge(self.step(Deed::Alter, parent), dropped);
            }
            for other in &object.depends {
                edge(dropped, self.dropped(other));
                // Made before it is gone, a foreign key would rest on the old key, and a call might
                // mean the old function.
                let again = matches!(self.fates.get(&object.id), Some(Fate::Recreate));
                if again && matches!(other.kind, Kind::Constraint | Kind::Index | Kind::Function) {
                    edge(self.dropped(other), self.step(Deed::Create, &object.id));
                }
                if self.in_the_way(object, other) {
                    edge(dropped, self.step(Deed::Alter, other));
                }
                for above in self.through(other, self.from) {
                    edge(dropped, self.step(Deed::Alter, &above));
                }
                // Changed so that it no longer needs what goes.
                let gone = self.dropped(other);
                let still = self.to.get(&object.id).is_some_and(|new| new.depends.contains(other));
                if !still {
                    edge(altered, gone);
                    if matches!(self.fates.get(other), Some(Fate::Alter { breaks: true, .. })) {
                        edge(altered, self.step(Deed::Alter, other));
                    }
                }
            }
        }
        for (first, then) in &self.handed {
            edge(Some(*first), Some(*then));
        }
        // A foreign key under another name must not rest on the old key either.
        for (old, new) in &self.successors {
            let rests = self.from.get(old).filter(|old| old.get("type") == "f");
            for other in rests.into_iter().flat_map(|old| &old.depends) {
                if matches!(other.kind, Kind::Constraint | Kind::Index) {
                    edge(self.dropped(other), self.step(Deed::Create, new));
                }
            }
        }
        // So is what a partition takes.
        for new in parts(self.to) {
            let made = self.step(Deed::Create, &new.id);
            let attached = made.or_else(|| self.step(Deed::Alter, &new.id));
            for old in parts(self.from).filter(|old| old.get("parents") == new.get("parents")) {
                edge(self.dropped(&old.id), attached);
                let moved =
                    self.to.get(&old.id).is_some_and(|now| now.get("bound") != old.get("bound"));
                if moved {
                    edge(self.step(Deed::Alter, &old.id), made);
                }
            }
        }
        // A name is free only when who had it is gone.
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for object in self.from.objects.values() {
            if let (Some(step), Some(name)) = (self.dropped(&object.id), taken(object)) {
                names.entry(name).or_default().push(step);
            }
        }
        for object in self.from.objects.values() {
            let stays = self.to.get(&object.id).is_some_and(|new| new.has("identity"));
            if let Some(name) = counter(object).filter(|_| !stays)
                && let Some(step) =
                    self.dropped(&object.id).or_else(|| self.step(Deed::Alter, &object.id))
            {
                names.entry(name).or_default().push(step);
            }
        }
        for object in self.to.objects.values() {
            let counts = self.made(&object.id).or_else(|| self.step(Deed::Alter, &object.id));
            let Some(name) = counter(object).filter(|_| counts.is_some()) else { continue };
            for gone in names.get(&name).into_iter().flatten() {
                edge(Some(*gone), counts);
            }
        }
        for object in self.to.objects.values() {
            let made = self.step(Deed::Create, &object.id);
            let Some(name) = taken(object).filter(|_| made.is_some()) else { continue };
            for gone in names.get(&name).into_iter().flatten() {
                edge(Some(*gone), made);
            }
        }
        let bonds = self.bonds();
        let mut graph = Graph { steps: std::mem::take(&mut self.steps), before, bonds };
        fold(&mut graph, self.to);
        graph
    }
}
