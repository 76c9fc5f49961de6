//! Who is taken away by the model's writes: told beforehand, so that no other write names them.

use std::collections::{BTreeMap, HashMap, HashSet};

use marula_core::model::{Deed, Model, OnDelete, Skew, Write};

use super::{Dice, Member, World};
use crate::schema::fate;

/// One of so many may go.
const SHARE: u64 = 4;
/// With fewer members than this it is every second.
const FEW: u64 = 400;
/// So many go at most where what finds them finds others, too.
const MOST_BY: usize = 100;

/// Who goes, and with whom.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// Those that writes take away, in the order in which they do, by the entity.
    order: BTreeMap<usize, Vec<u64>>,
    /// All that are gone then.
    gone: BTreeMap<usize, HashSet<u64>>,
}

impl Leaving {
    pub(super) fn of(world: &World<'_>) -> Self {
        let mut leaving = Leaving::default();
        let deletes = || world.model.writes.iter().filter(|write| write.does == Deed::Delete);
        for entity in owners_first(world.model) {
            let name = &world.model.entities[entity].name;
            let Some(first) = deletes().find(|write| write.entity == *name) else { continue };
            let rows = world.rows(entity);
            let share = if rows < FEW { 2 } else { SHARE };
            // Which of them go has nothing to do with their age.
            let mut order: Vec<u64> = (0..rows)
                .filter(|row| Dice::of(&[0x6c65_6176, entity as u64, *row]).below(share) == 0)
                .filter(|row| leaving.may_go(world, &world.member(entity, *row), 0))
                .collect();
            match first.skew {
                Skew::Latest => order.reverse(),
                _ => order.sort_by_key(|row| Dice::of(&[0x6f72_6465, *row]).next()),
            }
            let by = deletes().filter(|write| write.entity == *name && !write.by.is_empty());
            let by: Vec<&Write> = by.collect();
            let most = if by.is_empty() { usize::MAX } else { MOST_BY };
            // Nobody goes twice: neither alone and with an owner, nor with two.
            let mut chosen = Vec::new();
            for row in order {
                let going = going(world, &world.member(entity, row));
                if chosen.len() < most && !going.iter().any(|member| leaving.has(member)) {
                    leaving.take(going);
                    chosen.push(row);
                }
            }
            for write in by {
                for one in alike(world, entity, write, &chosen) {
                    leaving.take(going(world, &one));
                }
            }
            leaving.order.insert(entity, chosen);
        }
        leaving
    }

    /// Whether members of an entity are taken away.
    pub(super) fn takes(&self, entity: usize) -> bool {
        self.gone.get(&entity).is_some_and(|gone| !gone.is_empty())
    }

    /// Whether nobody keeps a member from being deleted.
    fn may_go(&self, world: &World<'_>, member: &Member, depth: usize) -> bool {
        let name = &world.entity(member).name;
        let each = world.model.relations.iter().enumerate().filter(|(_, r)| r.to == *name);
        each.into_iter().all(|(at, relation)| match fate(world.model, relation) {
            OnDelete::SetNull => true,
            OnDelete::Restrict => world.children(member, at).is_empty(),
            OnDelete::Cascade if depth > world.model.entities.len() => false,
            OnDelete::Cascade => {
                let many = world.children(member, at);
                many.iter().all(|one| self.may_go(world, one, depth + 1))
            }
        })
    }

    /// Takes a member away with those that live and die with it.
    fn take(&mut self, going: Vec<Member>) {
        for member in going {
            self.gone.entry(member.entity).or_default().insert(member.row);
        }
    }

    fn has(&self, member: &Member) -> bool {
        self.gone.get(&member.entity).is_some_and(|gone| gone.contains(&member.row))
    }
}

/// The entities, those that take others along before these: of the others enough are left then.
fn owners_first(model: &Model) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    let owned = |entity: &str, order: &[usize]| {
        model.relations.iter().any(|relation| {
            let waits = |at: &usize| model.entities[*at].name == relation.to;
            relation.from == entity
                && relation.to != entity
                && fate(model, relation) == OnDelete::Cascade
                && !order.iter().any(waits)
        })
    };
    while order.len() < model.entities.len() {
        let left = || (0..model.entities.len()).filter(|at| !order.contains(at));
        let free = left().find(|at| !owned(&model.entities[*at].name, &order));
        // In a circle it is the first.
        let Some(next) = free.or_else(|| left().next()) else { break };
        order.push(next);
    }
    order
}

/// Those that have the same as some of `order` in what finds them.
fn alike(world: &World<'_>, entity: usize, write: &Write, order: &[u64]) -> Vec<Member> {
    let values = |member: &Member| -> String {
        let each = write.by.iter().map(|name| world.value(member, name).to_text());
        format!("{:?}", each.collect::<Vec<_>>())
    };
    let mut found: HashMap<String, Vec<Member>> = HashMap::new();
    for row in 0..world.rows(entity) {
        let member = world.member(entity, row);
        found.entry(values(&member)).or_default().push(member);
    }
    let each = order.iter().map(|row| values(&world.member(entity, *row)));
    let each = each.collect::<HashSet<_>>();
    each.into_iter().flat_map(|values| found.remove(&values).unwrap_or_default()).collect()
}

/// A member and those that live and die with it, the owners first.
fn going(world: &World<'_>, member: &Member) -> Vec<Member> {
    let mut going = vec![member.clone()];
    let mut known: HashSet<(usize, u64)> = HashSet::from([(member.entity, member.row)]);
    let mut next = 0;
    while let Some(one) = going.get(next).cloned() {
        let name = &world.entity(&one).name;
        for (at, relation) in world.model.relations.iter().enumerate() {
            if relation.to == *name && fate(world.model, relation) == OnDelete::Cascade {
                let many = world.children(&one, at).into_iter();
                going.extend(many.filter(|child| known.insert((child.entity, child.row))));
            }
        }
        next += 1;
    }
    going
}

impl World<'_> {
    /// The member that goes in its turn; nobody when all who may go have gone.
    pub(crate) fn leaver(&self, entity: usize, place: u64) -> Option<Member> {
        let order = self.leaving.order.get(&entity)?;
        order.get(usize::try_from(place).ok()?).map(|row| self.member(entity, *row))
    }

    /// A member and those that live and die with it, the owners first.
    pub(crate) fn going(&self, member: &Member) -> Vec<Member> {
        going(self, member)
    }

    /// Whether no write takes a member away, nor one it belongs to.
    pub(crate) fn stays(&self, member: &Member) -> bool {
        self.leaving.gone.get(&member.entity).is_none_or(|gone| !gone.contains(&member.row))
    }
}
