//! What is done in one transaction, so that nobody finds an object missing that is there before and
//! behind the way.

use std::collections::BTreeMap;

use super::edges::parts;
use super::fate::Fate;
use super::model::{Id, Kind, Object};
use super::steps::{Builder, Deed};

impl Builder<'_> {
    /// The pairs of steps between which no transaction ends.
    pub(super) fn bonds(&self) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        let mut bond = |one: Option<usize>, other: Option<usize>| {
            if let (Some(one), Some(other)) = (one, other)
                && one != other
            {
                all.push((one, other));
            }
        };
        for (id, fate) in self.fates {
            let again = matches!(fate, Fate::Recreate);
            if again {
                bond(self.dropped(id), self.made(id));
            }
            // A domain that gets another base is made with its constraints.
            if id.kind == Kind::DomainConstraint
                && let Some(domain) = self.from.get(id).and_then(|own| own.parent.as_ref())
                && self.breaks(domain)
            {
                bond(self.step(Deed::Drop, id), self.step(Deed::Alter, domain));
            }
            // Filled under another name in the transaction in which it takes its place.
            if again && id.kind == Kind::MaterializedView {
                bond(self.step(Deed::Build, id), self.made(id));
            }
            // What belongs to something made anew is made with it.
            let parent = self.to.get(id).and_then(|own| own.parent.as_ref());
            let with = parent.filter(|id| matches!(self.fates.get(id), Some(Fate::Recreate)));
            if let Some(parent) = with.filter(|_| again || matches!(fate, Fate::Create)) {
                bond(self.made(parent), self.step(Deed::Create, id));
            }
        }
        for (old, new) in &self.successors {
            bond(self.dropped(old), self.step(Deed::Create, new));
        }
        for (first, then) in &self.handed {
            bond(Some(*first), Some(*then));
        }
        // What fires or judges on a table, and functions of one name, take each other's place.
        let mut gone: BTreeMap<(Kind, String), Vec<usize>> = BTreeMap::new();
        for object in self.from.objects.values() {
            let step = self.step(Deed::Drop, &object.id);
            if let (Some(place), Some(step)) = (place(object), step) {
                gone.entry(place).or_default().push(step);
            }
        }
        for object in self.to.objects.values() {
            let step = self.step(Deed::Create, &object.id);
            for old in place(object).and_then(|place| gone.get(&place)).into_iter().flatten() {
                bond(Some(*old), step);
            }
        }
        // Policies judge from when row security is switched.
        for object in self.to.objects.values().filter(|own| own.id.kind == Kind::Policy) {
            let Some(parent) = &object.parent else { continue };
            let (Some(old), Some(new)) = (self.from.get(parent), self.to.get(parent)) else {
                continue;
            };
            if old.get("row_security") != new.get("row_security") {
                bond(self.step(Deed::Create, &object.id), self.step(Deed::Alter, parent));
            }
        }
        // Rows that one partition leaves to another have a place at all times.
        for new in parts(self.to) {
            let made = self.step(Deed::Create, &new.id);
            for old in parts(self.from).filter(|old| old.get("parents") == new.get("parents")) {
                let now = self.to.get(&old.id).map(|now| now.get("bound"));
                if now.is_some_and(|bound| bound != old.get("bound")) {
                    bond(self.step(Deed::Alter, &old.id), made);
                }
            }
        }
        all
    }
}

/// Where an object takes the place of others of its kind.
fn place(object: &Object) -> Option<(Kind, String)> {
    let Id { kind, name } = &object.id;
    match kind {
        Kind::Trigger | Kind::Rule | Kind::Policy => {
            Some((*kind, object.parent.as_ref()?.name.clone()))
        }
        Kind::Function => Some((*kind, name.split('(').next()?.to_string())),
        _ => None,
    }
}
