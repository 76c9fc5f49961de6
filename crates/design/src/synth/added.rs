//! Members that are added to those there from the start.

use std::collections::{BTreeMap, HashSet};

use marula_core::model::Skew;

use super::{Dice, Member, World, at_most_one, belonging};

/// Which of all that are added a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// A number that no other added member of the entity has.
    pub number: u64,
    /// The how-manieth it is of those added in the same manner, from 0.
    pub place: u64,
}

/// Where there is room for more.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// For a relationship of which each has one at most: those that have none.
    vacant: BTreeMap<usize, Vec<u64>>,
    /// For each pair of relationships that no two members share: which of the first have room for
    /// more of the second.
    pairs: BTreeMap<(usize, usize), Vec<u64>>,
}

impl Room {
    pub(super) fn of(world: &World<'_>) -> Self {
        let mut room = Room::default();
        for (at, relation) in world.model.relations.iter().enumerate() {
            if at_most_one(world.model, relation) {
                let dealt = &world.belonging[at];
                let none = |one: &u64| dealt.children(*one).next().is_none();
                room.vacant.insert(at, (0..dealt.ones()).filter(none).collect());
            }
        }
        for pair in (0..world.model.entities.len()).filter_map(|entity| world.pair(entity)) {
            let (first, last) = (&world.belonging[pair.0], &world.belonging[pair.1]);
            room.pairs.insert(pair, belonging::with_room(first, last));
        }
        room
    }
}

impl World<'_> {
    /// A member that is added. It belongs to those that are `given`, by the relationship's index,
    /// else to members drawn by `skew`; `None` where all have one that may have one only.
    pub fn added(
        &self,
        entity: usize,
        turn: Turn,
        skew: Skew,
        given: &BTreeMap<usize, u64>,
        dice: &mut Dice,
    ) -> Option<Member> {
        let mut parents = given.clone();
        for (at, relation) in self.model.relations.iter().enumerate() {
            let of_it = relation.from == self.model.entities[entity].name;
            let Some(to) = self.index(&relation.to).filter(|_| of_it) else { continue };
            let count = self.rows(to);
            if given.contains_key(&at) || count == 0 {
                continue;
            }
            match self.room.vacant.get(&at).map(|vacant| vacant.get(turn.place as usize)) {
                Some(Some(one)) => parents.insert(at, *one),
                Some(None) if self.is_optional(at) => None,
                Some(None) => return None,
                None => parents.insert(at, dice.pick(count, skew)),
            };
        }
        if let Some(pair) = self.pair(entity) {
            self.tell_apart_from_all(turn, pair, given, &mut parents);
        }
        let row = self.rows(entity) + turn.number;
        Some(Member { entity, row, parents, ordinal: Some(turn.place) })
    }

    fn is_optional(&self, relation: usize) -> bool {
        let relation = &self.model.relations[relation];
        let entity = self.model.entity(&relation.from);
        entity.is_some_and(|entity| {
            relation.attributes.iter().all(|name| {
                !entity.key().contains(&name.as_str())
                    && entity.attribute(name).is_some_and(|attribute| !attribute.required)
            })
        })
    }

    /// The first and last relationship of an entity no two members of which may share all they
    /// belong to.
    fn pair(&self, entity: usize) -> Option<(usize, usize)> {
        let entity = &self.model.entities[entity];
        let key = entity.key().into_iter().map(str::to_owned).collect();
        let sets = std::iter::once(key).chain(entity.unique.iter().cloned());
        let within = |set: &Vec<String>| -> Vec<usize> {
            let relations = self.model.relations.iter().enumerate();
            relations
                .filter(|(_, r)| {
                    r.from == entity.name && r.attributes.iter().all(|a| set.contains(a))
                })
                .map(|(at, _)| at)
                .collect()
        };
        sets.map(|set| within(&set)).find_map(|relations| match relations.as_slice() {
            [first, .., last] => Some((*first, *last)),
            _ => None,
        })
    }

    /// Gives a member that is added a pair of its own: one that nobody has from the start, and
    /// another at every turn.
    fn tell_apart_from_all(
        &self,
        turn: Turn,
        pair: (usize, usize),
        given: &BTreeMap<usize, u64>,
        parents: &mut BTreeMap<usize, u64>,
    ) {
        let (first, last) = pair;
        let start = |one: u64, of: u64| Dice::of(&[self.seed, one]).below(of);
        // To one that is new itself nobody belongs yet.
        for (new, other) in [(first, last), (last, first)] {
            if let Some(one) = given.get(&new) {
                let ones = self.belonging[other].ones().max(1);
                if !given.contains_key(&other) {
                    parents.insert(other, (start(*one, ones) + turn.place) % ones);
                }
                return;
            }
        }
        let Some(room) = self.room.pairs.get(&pair).filter(|room| !room.is_empty()) else { return };
        let one = room[(turn.place % room.len() as u64) as usize];
        let round = turn.place / room.len() as u64;
        let taken: HashSet<u64> = self.belonging[first]
            .children(one)
            .filter_map(|row| self.belonging[last].parent(row))
            .collect();
        let lasts = self.belonging[last].ones();
        let start = start(one, lasts);
        let free = (0..lasts).map(|at| (start + at) % lasts).filter(|one| !taken.contains(one));
        if let Some(other) = free.cycle().nth(round as usize) {
            parents.insert(first, one);
            parents.insert(last, other);
        }
    }
}
