//! Data made from a model: the same members for every structure and engine, so that what is
//! measured differs in nothing but the structure.
//!
//! Nothing is stored but who belongs to whom; every value follows from the seed, the entity, the
//! attribute and the member's number.

mod belonging;
mod draw;
mod kinds;
mod text;
mod value;
mod values;

use std::collections::{BTreeMap, HashSet};

use marula_core::model::{Entity, Model, Skew};

pub use belonging::Belonging;
pub use draw::Dice;
pub use value::Value;

/// The members of every entity of a model.
#[derive(Debug)]
pub struct World<'m> {
    /// The model.
    pub model: &'m Model,
    seed: u64,
    rows: Vec<u64>,
    belonging: Vec<Belonging>,
    orders: BTreeMap<(usize, usize), values::Order>,
    /// For each pair of relationships that no two members share: which of the first have room for
    /// more of the second.
    room: BTreeMap<(usize, usize), Vec<u64>>,
}

/// A member of an entity: one that was there from the start, or one that is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The entity's index in the model.
    pub entity: usize,
    /// Its number: from 0 for those there from the start, on from there for those added.
    pub row: u64,
    /// Whom it belongs to, by the relationship's index; only for those added.
    pub parents: BTreeMap<usize, u64>,
    /// Its number among those of its owner; only for those added.
    pub ordinal: Option<u64>,
}

impl<'m> World<'m> {
    /// A world of at most about `rows` members in all. Entities of no more than 1,000 members keep
    /// them; the others are scaled by one factor, so that fan-outs between them stay.
    pub fn new(model: &'m Model, rows: u64, seed: u64) -> Self {
        let counts = scaled(model, rows);
        let belonging = model
            .relations
            .iter()
            .enumerate()
            .map(|(at, relation)| {
                let count = |name: &str| {
                    model.entities.iter().position(|e| e.name == name).map_or(0, |at| counts[at])
                };
                let optional = optional_share(model, relation);
                Belonging::deal(
                    relation,
                    count(&relation.from),
                    count(&relation.to),
                    optional,
                    seed ^ at as u64,
                )
            })
            .collect();
        let orders = values::orders(model);
        let room = BTreeMap::new();
        let mut world = World { model, seed, rows: counts, belonging, orders, room };
        world.tell_pairs_apart();
        let pairs: Vec<_> = (0..model.entities.len()).filter_map(|at| world.pair(at)).collect();
        for (first, last) in pairs {
            let room = belonging::with_room(&world.belonging[first], &world.belonging[last]);
            world.room.insert((first, last), room);
        }
        world
    }

    /// How many members of the entity there are from the start.
    pub fn rows(&self, entity: usize) -> u64 {
        self.rows.get(entity).copied().unwrap_or_default()
    }

    /// All members together.
    pub fn total(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// The share of the model's rows that are here.
    pub fn share(&self) -> f64 {
        let all: u64 = self.model.entities.iter().map(crate::figures::rows).sum();
        if all == 0 { 1.0 } else { self.total() as f64 / all as f64 }
    }

    /// The entity's index.
    pub fn index(&self, entity: &str) -> Option<usize> {
        self.model.entities.iter().position(|e| e.name == entity)
    }

    /// The entity of a member.
    pub fn entity(&self, member: &Member) -> &'m Entity {
        &self.model.entities[member.entity]
    }

    /// A member that was there from the start.
    pub fn member(&self, entity: usize, row: u64) -> Member {
        Member { entity, row, parents: BTreeMap::new(), ordinal: None }
    }

    /// The `serial`-th member that is added, belonging to members drawn by `skew`.
    pub fn added(&self, entity: usize, serial: u64, skew: Skew, dice: &mut Dice) -> Member {
        let mut parents = BTreeMap::new();
        for (at, relation) in self.model.relations.iter().enumerate() {
            let of_it = relation.from == self.model.entities[entity].name;
            if let (true, Some(to)) = (of_it, self.index(&relation.to)) {
                let count = self.rows(to);
                if count > 0 {
                    parents.insert(at, dice.pick(count, skew));
                }
            }
        }
        if let Some(pair) = self.pair(entity) {
            self.tell_apart_from_all(serial, pair, &mut parents);
        }
        Member {
            entity,
            row: self.rows(entity) + serial,
            parents,
            ordinal: Some(1_000_000 + serial),
        }
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
    /// another for every serial number.
    fn tell_apart_from_all(
        &self,
        serial: u64,
        pair: (usize, usize),
        parents: &mut BTreeMap<usize, u64>,
    ) {
        let (first, last) = pair;
        let Some(room) = self.room.get(&pair).filter(|room| !room.is_empty()) else { return };
        let one = room[(serial % room.len() as u64) as usize];
        let round = serial / room.len() as u64;
        let taken: HashSet<u64> = self.belonging[first]
            .children(one)
            .filter_map(|row| self.belonging[last].parent(row))
            .collect();
        let lasts = self.belonging[last].ones();
        let start = Dice::of(&[self.seed, one]).below(lasts);
        let free = (0..lasts).map(|at| (start + at) % lasts).filter(|one| !taken.contains(one));
        if let Some(other) = free.cycle().nth(round as usize) {
            parents.insert(first, one);
            parents.insert(last, other);
        }
    }

    /// The one that `member` belongs to by the relationship.
    pub fn parent(&self, member: &Member, relation: usize) -> Option<Member> {
        let to = self.index(&self.model.relations[relation].to)?;
        let row = match member.ordinal {
            Some(_) => *member.parents.get(&relation)?,
            None => self.belonging[relation].parent(member.row)?,
        };
        Some(self.member(to, row))
    }

    /// The many that belong to `member` by the relationship.
    pub fn children(&self, member: &Member, relation: usize) -> Vec<Member> {
        let Some(from) = self.index(&self.model.relations[relation].from) else {
            return Vec::new();
        };
        if member.ordinal.is_some() || member.row >= self.rows(member.entity) {
            return Vec::new();
        }
        self.belonging[relation].children(member.row).map(|row| self.member(from, row)).collect()
    }

    /// How many belong to a member by the relationship: those of a member drawn by chance.
    pub fn some_fanout(&self, relation: usize, dice: &mut Dice) -> u64 {
        let one = dice.pick(self.belonging[relation].ones(), Skew::Uniform);
        (self.belonging[relation].children(one).count() as u64).max(1)
    }

    /// The values of a member's key.
    pub fn key(&self, member: &Member) -> Vec<Value> {
        let entity = self.entity(member);
        entity.key().into_iter().map(|name| self.value(member, name)).collect()
    }

    /// Members of an entity whose key is who they belong to must be different pairs: those dealt
    /// twice are dealt anew.
    fn tell_pairs_apart(&mut self) {
        for (at, entity) in self.model.entities.iter().enumerate() {
            let sets = entity.unique.iter().map(|set| set.iter().map(String::as_str).collect());
            for set in std::iter::once(entity.key()).chain(sets) {
                let parts: Vec<usize> = (0..self.model.relations.len())
                    .filter(|&r| {
                        let relation = &self.model.relations[r];
                        relation.from == entity.name
                            && relation.attributes.iter().all(|a| set.contains(&a.as_str()))
                    })
                    .collect();
                let covered: usize =
                    parts.iter().map(|&r| self.model.relations[r].attributes.len()).sum();
                if let ([first, .., last], true) = (parts.as_slice(), covered == set.len()) {
                    let rows = self.rows[at];
                    belonging::tell_apart(&mut self.belonging, *first, *last, rows, self.seed);
                }
            }
        }
    }
}

/// How many members each entity gets.
fn scaled(model: &Model, rows: u64) -> Vec<u64> {
    let small = |count: u64| count <= 1_000;
    let counts = || model.entities.iter().map(crate::figures::rows);
    let kept: u64 = counts().filter(|&count| small(count)).sum();
    let large: u64 = counts().filter(|&count| !small(count)).sum();
    let factor = match large {
        0 => 1.0,
        _ => (rows.saturating_sub(kept).max(1) as f64 / large as f64).min(1.0),
    };
    counts()
        .map(|count| if small(count) { count } else { ((count as f64 * factor) as u64).max(100) })
        .collect()
}

/// The share of the many that belong to nobody.
fn optional_share(model: &Model, relation: &marula_core::model::Relationship) -> f64 {
    let attribute = model
        .entity(&relation.from)
        .and_then(|entity| entity.attribute(relation.attributes.first()?));
    match attribute {
        Some(attribute) if !attribute.required => attribute.missing.unwrap_or(0.1),
        _ => 0.0,
    }
}
