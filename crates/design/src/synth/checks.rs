//! The model's checks, which the values of every member keep.

use std::collections::BTreeMap;

use marula_core::model::{Entity, Model};

use super::holds::{fits, holds};
use super::mend::mend;
use super::value::Value;
use super::{Dice, Member, World};
use crate::schema::condition::{Condition, Term, read};

/// How often the values of a member are drawn anew before a check is given up.
const TRIES: u64 = 200;
/// The same where a check is about a reference, too: whom a member belongs to is drawn often.
const TRIES_BESIDE: u64 = 4;
/// Of how many members more than half must keep a check for others to be drawn so often.
const LOOKED_AT: u64 = 20;

/// What must hold of some attributes of one entity, all of it at once.
#[derive(Debug)]
pub(super) struct Group {
    /// The attributes, by their index.
    pub(super) attributes: Vec<usize>,
    conditions: Vec<Condition>,
    entity: usize,
    /// How often values are drawn.
    tries: u64,
}

/// The checks that can be read, put together where they are about the same attributes; by the entity
/// and each of its attributes.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    of: BTreeMap<(usize, usize), usize>,
}

/// Values of a member, by the attribute's index.
pub(super) type Row = BTreeMap<usize, Value>;

impl Groups {
    /// What cannot be read is left to the server, which says so when a row breaks it.
    pub(super) fn of(model: &Model) -> Self {
        let mut all = Groups::default();
        for (at, entity) in model.entities.iter().enumerate() {
            let mut groups: Vec<Group> = Vec::new();
            for condition in entity.checks.iter().filter_map(|text| read(text).ok()) {
                let mut names = Vec::new();
                attributes(&condition, &mut names);
                let index = |name: &String| entity.attributes.iter().position(|a| a.name == *name);
                let Some(indexes) = names.iter().map(index).collect::<Option<Vec<usize>>>() else {
                    continue;
                };
                let refers = model.relations.iter().any(|r| {
                    r.from == entity.name && r.attributes.iter().any(|name| names.contains(name))
                });
                let mut group = Group {
                    attributes: indexes,
                    conditions: vec![condition],
                    entity: at,
                    tries: if refers { TRIES_BESIDE } else { TRIES },
                };
                let meets = |other: &Group| {
                    other.attributes.iter().any(|one| group.attributes.contains(one))
                };
                let (met, rest) = groups.into_iter().partition(meets);
                groups = rest;
                for other in met {
                    group.attributes.extend(other.attributes);
                    group.conditions.extend(other.conditions);
                    group.tries = group.tries.min(other.tries);
                }
                group.attributes.sort_unstable();
                group.attributes.dedup();
                groups.push(group);
            }
            for group in groups {
                let number = all.groups.len();
                all.of.extend(group.attributes.iter().map(|one| ((at, *one), number)));
                all.groups.push(group);
            }
        }
        all
    }

    /// Those that cannot be kept are not tried.
    pub(super) fn give_up(&mut self, hopeless: &[usize]) {
        hopeless.iter().for_each(|at| self.groups[*at].tries = 1);
    }

    pub(super) fn get(&self, entity: usize, attribute: usize) -> Option<&Group> {
        self.groups.get(*self.of.get(&(entity, attribute))?)
    }
}

/// The groups that most members cannot keep, however often they are drawn.
pub(super) fn hopeless(world: &World<'_>) -> Vec<usize> {
    let each = world.groups.groups.iter().enumerate().filter(|(_, group)| {
        let rows = world.rows(group.entity);
        let step = (rows / LOOKED_AT).max(1) as usize;
        let looked: Vec<u64> = (0..rows).step_by(step).collect();
        let entity = &world.model.entities[group.entity];
        let broken = looked.iter().filter(|row| {
            let row = world.kept(group, &world.member(group.entity, **row), &Changed::No);
            let fails = |condition| holds(entity, condition, &row) == Some(false);
            group.conditions.iter().any(fails)
        });
        broken.count() * 2 > looked.len()
    });
    each.map(|(at, _)| at).collect()
}

impl World<'_> {
    /// The values of a member's attributes that some checks are about. Those that are not free to be
    /// anything stay; the others are drawn and mended until the checks hold, and are what was drawn
    /// first where they never do.
    pub(super) fn kept(&self, group: &Group, member: &Member, changed: &Changed<'_>) -> Row {
        let entity = self.entity(member);
        let draw = |attempt: u64| -> Row {
            let each = group.attributes.iter();
            each.map(|&at| match changed {
                Changed::No => (at, self.drawn(member, at, attempt)),
                Changed::To { before, .. } if !changed.is_set(at) => {
                    (at, self.value(before, &entity.attributes[at].name))
                }
                Changed::To { .. } => (at, self.drawn(member, at, attempt)),
            })
            .collect()
        };
        let free = |at: usize| self.is_free(entity, at) && changed.is_set(at);
        let holds = |row: &Row| {
            group.conditions.iter().all(|condition| holds(entity, condition, row) != Some(false))
                && row.iter().all(|(at, value)| !free(*at) || fits(&entity.attributes[*at], value))
        };
        for attempt in 0..group.tries {
            let mut row = draw(attempt);
            if holds(&row) {
                return row;
            }
            let mut dice = Dice::of(&[0x6d65_6e64, member.entity as u64, member.row, attempt]);
            for condition in &group.conditions {
                mend(entity, condition, &mut row, &free, &mut dice);
            }
            if holds(&row) {
                return row;
            }
        }
        match changed {
            Changed::No => draw(0),
            // What was there keeps them.
            Changed::To { before, .. } => {
                let value = |at: usize| self.value(before, &entity.attributes[at].name);
                group.attributes.iter().map(|&at| (at, value(at))).collect()
            }
        }
    }

    /// Whether the checks about an attribute hold of a member's values with another for it.
    pub(crate) fn may_be(&self, member: &Member, name: &str, value: &Value) -> bool {
        let entity = self.entity(member);
        let Some(at) = entity.attributes.iter().position(|a| a.name == name) else { return true };
        if !fits(&entity.attributes[at], value) {
            return false;
        }
        let Some(group) = self.groups.get(member.entity, at) else { return true };
        let mut row = self.kept(group, member, &Changed::No);
        row.insert(at, value.clone());
        group.conditions.iter().all(|condition| holds(entity, condition, &row) != Some(false))
    }

    /// Whether an attribute's value may be any of its kind: no other member is told by it.
    pub(super) fn is_free(&self, entity: &Entity, at: usize) -> bool {
        let attribute = &entity.attributes[at];
        let name = &attribute.name;
        let refers = |r: &marula_core::model::Relationship| {
            r.from == entity.name && r.attributes.contains(name)
        };
        !attribute.unique
            && !entity.key().contains(&name.as_str())
            && !entity.unique.iter().any(|set| set.contains(name))
            && !self.model.relations.iter().any(refers)
    }
}

/// Which values of a member are being changed.
pub(super) enum Changed<'a> {
    /// None: it is a member as it was made.
    No,
    /// Some, of a member that is there.
    To {
        /// The member.
        before: &'a Member,
        /// The attributes that get other values.
        set: &'a [usize],
    },
}

impl Changed<'_> {
    fn is_set(&self, at: usize) -> bool {
        match self {
            Changed::No => true,
            Changed::To { set, .. } => set.contains(&at),
        }
    }
}

pub(super) fn attributes(condition: &Condition, names: &mut Vec<String>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| attributes(part, names));
        }
        Condition::Compare(_, left, right) => {
            named(left, names);
            named(right, names);
        }
        Condition::Missing(of, _) => named(of, names),
    }
}

fn named(term: &Term, names: &mut Vec<String>) {
    match term {
        Term::Attribute(name) => names.push(name.clone()),
        Term::Calculated(_, left, right) => {
            named(left, names);
            named(right, names);
        }
        Term::Length(of) => named(of, names),
        Term::Number(_) | Term::Text(_) | Term::Boolean(_) => {}
    }
}
