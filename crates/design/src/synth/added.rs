//! Members that are added to those there from the start.

use std::collections::{BTreeMap, HashSet};

use marula_core::model::Skew;

use super::distinct::PLANNED;
use super::{Dice, Member, World, at_most_one, belonging, most, within, words};
use crate::schema::is_required;

/// Which of all that are added a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// A number that no other added member of the entity has.
    pub number: u64,
    /// The how-manieth it is of those added in the same manner, from 0: of those that come by
    /// themselves, or of those that come along with the same one.
    pub place: u64,
    /// The how-manieth it is that others come along with; `None` for those that come by themselves.
    pub group: Option<u64>,
}

impl Turn {
    /// The turn of a member that comes by itself: even numbers are theirs.
    pub(crate) fn alone(place: u64) -> Self {
        Turn { number: place * 2, place, group: None }
    }

    /// The turn of one that comes along with another: odd numbers are theirs.
    pub(crate) fn along(number: u64, group: u64, place: u64) -> Self {
        Turn { number: number * 2 + 1, place, group: Some(group) }
    }

    fn is_along(self) -> bool {
        self.group.is_some()
    }
}

/// How many are drawn for one that stays and has room.
const PASSED: usize = 50;
/// Who can have so many more has room for all that are added by chance.
const MUCH: u64 = 1_000;

/// Where there is room for more.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// For a relationship of which each has one at most: those that have none.
    vacant: BTreeMap<usize, Vec<u64>>,
    /// For one of which each has no more than some: those that have fewer, each with how many more
    /// it can have.
    spare: BTreeMap<usize, Vec<(u64, u64)>>,
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
                let stays = |one: &u64| world.stays_at(&relation.to, *one);
                room.vacant.insert(at, (0..dealt.ones()).filter(none).filter(stays).collect());
            } else if let Some(most) = most(world.model, relation) {
                room.spare.insert(at, spare(world, at, most));
            }
        }
        for pair in (0..world.model.entities.len()).filter_map(|entity| world.pair(entity)) {
            let partners = world.partners(pair.0, pair.1);
            let mut ones = belonging::with_room(&world.belonging[pair.0], &partners);
            ones.retain(|one| world.stays_at(&world.model.relations[pair.0].to, *one));
            room.pairs.insert(pair, ones);
        }
        room
    }
}

/// Those that can have more than they have, and stay: half of all that can at most, those with the
/// most room, since an addition to a full one is refused.
fn spare(world: &World<'_>, relation: usize, most: u64) -> Vec<(u64, u64)> {
    let dealt = &world.belonging[relation];
    let to = &world.model.relations[relation].to;
    let mut ones: Vec<(u64, u64)> = (0..dealt.ones())
        .map(|one| (one, most.saturating_sub(dealt.children(one).count() as u64)))
        .filter(|(one, room)| *room > 0 && world.stays_at(to, *one))
        .collect();
    let mut rooms: Vec<u64> = ones.iter().map(|(_, room)| *room).collect();
    rooms.sort_unstable();
    if let Some(middle) = rooms.get(rooms.len() / 2) {
        ones.retain(|(_, room)| room >= middle);
    }
    ones
}

impl Room {
    /// Whether the ones of a relationship are given out in turns.
    pub(super) fn in_turns(&self, relation: usize) -> bool {
        self.vacant.contains_key(&relation) || self.spare.contains_key(&relation)
    }
}

impl World<'_> {
    fn all_stay(&self, entity: &str) -> bool {
        self.index(entity).is_none_or(|entity| !self.leaving.takes(entity))
    }

    fn stays_at(&self, entity: &str, row: u64) -> bool {
        self.index(entity).is_none_or(|entity| self.stays(&self.member(entity, row)))
    }

    /// One to belong to, by `skew`: one that stays, and that has room for all that will be added to it.
    fn one(&self, at: usize, to: usize, turn: Turn, skew: Skew, dice: &mut Dice) -> Option<u64> {
        let count = self.rows(to);
        let spare = self.room.spare.get(&at);
        let of_all = most(self.model, &self.model.relations[at]);
        for _ in 0..PASSED {
            let one = dice.pick(count, skew);
            let had = || self.belonging[at].children(one).count() as u64;
            if self.stays(&self.member(to, one))
                && of_all.is_none_or(|most| most.saturating_sub(had()) > MUCH)
            {
                return Some(one);
            }
            if spare.is_some() && of_all.is_some_and(|most| most <= MUCH) {
                break;
            }
        }
        match spare {
            Some(spare) if spare.is_empty() => None,
            // Those that come along have no turns of their own.
            Some(spare) if turn.is_along() => {
                let at = Dice::of(&[0x616c_6f6e, turn.number]).below(spare.len() as u64);
                Some(spare[at as usize].0)
            }
            // Each in its turn, for as long as it has room.
            Some(spare) => {
                let (one, room) = spare[(turn.place % spare.len() as u64) as usize];
                (turn.place / (spare.len() as u64) < room).then_some(one)
            }
            None => Some(dice.pick(count, skew)),
        }
    }

    /// A member that is added. It belongs to those that are `given`, by the relationship's index,
    /// else to members drawn by `skew`; `None` where all have one that may have one only.
    pub fn added(
        &self,
        entity: usize,
        turn: Turn,
        skew: Skew,
        given: &BTreeMap<usize, Member>,
        dice: &mut Dice,
    ) -> Option<Member> {
        if let Some(planned) = self.planned(entity, turn, given) {
            return planned;
        }
        let mut parents: BTreeMap<usize, u64> =
            given.iter().map(|(at, one)| (*at, one.row)).collect();
        let pair = self.pair(entity);
        let paired = |at: usize| pair.is_some_and(|(first, last)| at == first || at == last);
        for (at, relation) in self.model.relations.iter().enumerate() {
            let of_it = relation.from == self.model.entities[entity].name;
            let Some(to) = self.index(&relation.to).filter(|_| of_it) else { continue };
            let count = self.rows(to);
            if given.contains_key(&at) || count == 0 {
                continue;
            }
            match self.room.vacant.get(&at).map(|vacant| self.vacancy(vacant, turn, given)) {
                Some(Some(one)) => parents.insert(at, *one),
                Some(None) if self.is_optional(at) => None,
                Some(None) => return None,
                None if paired(at) => parents.insert(at, dice.pick(count, skew)),
                None => match self.one(at, to, turn, skew, dice) {
                    Some(one) => parents.insert(at, one),
                    None if self.is_optional(at) => None,
                    None => return None,
                },
            };
        }
        if let Some(pair) = pair {
            self.tell_apart_from_all(turn, pair, given, &mut parents);
        }
        let stays = |at: usize| self.room.in_turns(at) || paired(at);
        if !self.agreed(entity, given, stays, skew, &mut parents, dice) {
            return None;
        }
        let row = self.rows(entity) + turn.number;
        let ordinal = Some(self.place_of(entity, turn, given));
        let mut member = Member { entity, row, parents, added: given.clone(), ordinal };
        self.set_added_right(&mut member, turn, skew, dice);
        Some(member)
    }

    /// One that has none, in the member's turn: for those that come along from the end, for as many
    /// as can come along with each.
    fn vacancy<'v>(
        &self,
        vacant: &'v [u64],
        turn: Turn,
        given: &BTreeMap<usize, Member>,
    ) -> Option<&'v u64> {
        let Some(group) = turn.group else { return vacant.get(turn.place as usize) };
        let most = given.keys().map(|at| self.belonging[*at].most().max(1)).max().unwrap_or(1);
        let place = usize::try_from(group.saturating_mul(most) + turn.place).ok()?;
        vacant.get(vacant.len().checked_sub(place + 1)?)
    }

    /// A member of those that were planned, as long as there are any; `None` inside where no more
    /// than those that were planned can be added, and outside where nothing was planned.
    fn planned(
        &self,
        entity: usize,
        turn: Turn,
        given: &BTreeMap<usize, Member>,
    ) -> Option<Option<Member>> {
        let plans = self.plans.get(&entity)?;
        if turn.is_along() || !given.is_empty() {
            return None;
        }
        let Some(parents) = plans.get(turn.place as usize).cloned() else {
            return (plans.len() < PLANNED).then_some(None);
        };
        let row = self.rows(entity) + turn.number;
        let ordinal = Some(self.place_of(entity, turn, given));
        Some(Some(Member { entity, row, parents, added: BTreeMap::new(), ordinal }))
    }

    /// The how-manieth of those added to its owner a member is: where they are added to each in its
    /// turn, it is one for every round.
    fn place_of(&self, entity: usize, turn: Turn, given: &BTreeMap<usize, Member>) -> u64 {
        let owner = self.owner(entity).or_else(|| self.sharer(entity));
        let owner = owner.filter(|owner| !given.contains_key(owner));
        let spare = owner.and_then(|owner| self.room.spare.get(&owner));
        let most = owner.and_then(|owner| most(self.model, &self.model.relations[owner]));
        let in_turn = most.is_some_and(|most| most <= MUCH) && !turn.is_along();
        match spare.filter(|_| in_turn && self.pair(entity).is_none()) {
            Some(spare) if !spare.is_empty() => turn.place / spare.len() as u64,
            _ => turn.place,
        }
    }

    fn is_optional(&self, relation: usize) -> bool {
        !is_required(self.model, &self.model.relations[relation])
    }

    /// The first and last relationship of an entity no two members of which may share all they
    /// belong to.
    pub(super) fn pair(&self, entity: usize) -> Option<(usize, usize)> {
        let entity = &self.model.entities[entity];
        let sets = std::iter::once(entity.key()).chain(entity.unique.iter().map(|set| words(set)));
        sets.map(|set| within(self.model, entity, &set)).find_map(|parts| match parts.as_slice() {
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
        given: &BTreeMap<usize, Member>,
        parents: &mut BTreeMap<usize, u64>,
    ) {
        let (first, last) = pair;
        let start = |one: u64, of: u64| Dice::of(&[self.seed, one]).below(of);
        // To one that is new itself nobody belongs yet.
        for (new, other) in [(first, last), (last, first)] {
            if let Some(one) = given.get(&new) {
                let ones = self.that_go_with(other, new, one);
                let to = &self.model.relations[other].to;
                let count = ones.count();
                if !given.contains_key(&other) && count > 0 {
                    let start = start(one.row, count);
                    // Without those that go, the next is the one behind the last.
                    let next = match self.all_stay(to) {
                        true => ones.around((start + turn.place) % count).next(),
                        false => {
                            let staying = ones.around(start).filter(|one| self.stays_at(to, *one));
                            let most = PASSED * count as usize;
                            staying.cycle().take(most).nth((turn.place % count) as usize)
                        }
                    };
                    parents.extend(next.map(|next| (other, next)));
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
        let Some(to) = self.index(&self.model.relations[first].to) else { return };
        let lasts = self.that_go_with(last, first, &self.member(to, one));
        let start = start(one, lasts.count());
        let to = &self.model.relations[last].to;
        let free =
            lasts.around(start).filter(|one| !taken.contains(one) && self.stays_at(to, *one));
        if let Some(other) = free.cycle().nth(round as usize) {
            parents.insert(first, one);
            parents.insert(last, other);
        }
    }
}
