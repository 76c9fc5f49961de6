//! Data made from a model: the same members for every structure and engine, so that what is
//! measured differs in nothing but the structure.
//!
//! Nothing is stored but who belongs to whom; every value follows from the seed, the entity, the
//! attribute and the member's number.

mod added;
mod belonging;
mod draw;
mod kinds;
mod text;
mod value;
mod values;

use std::collections::BTreeMap;

use marula_core::model::{Entity, Fanout, Model, Relationship, Skew};

pub use added::Turn;
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
    room: added::Room,
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
    /// Which of those it is that are added to what its owner has; only for those added.
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
                let mut relation = relation.clone();
                if at_most_one(model, &relation) {
                    let fanout = relation.fanout.unwrap_or_default();
                    relation.fanout = Some(Fanout { max: Some(1), ..fanout });
                }
                Belonging::deal(
                    &relation,
                    count(&relation.from),
                    count(&relation.to),
                    optional,
                    seed ^ at as u64,
                )
            })
            .collect();
        let orders = values::orders(model);
        let room = added::Room::default();
        let mut world = World { model, seed, rows: counts, belonging, orders, room };
        world.tell_pairs_apart();
        world.room = added::Room::of(&world);
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
    let scaled =
        |count| if small(count) { count } else { ((count as f64 * factor) as u64).max(100) };
    let mut counts: Vec<u64> = counts().map(scaled).collect();
    // Of what there is one at most there are no more than of what it belongs to.
    for relation in model.relations.iter().filter(|relation| at_most_one(model, relation)) {
        let at = |name: &str| model.entities.iter().position(|entity| entity.name == name);
        if let (Some(from), Some(to)) = (at(&relation.from), at(&relation.to)) {
            counts[from] = counts[from].min(counts[to]);
        }
    }
    counts
}

/// Whether no two of the many may belong to the same one.
fn at_most_one(model: &Model, relation: &Relationship) -> bool {
    let Some(entity) = model.entity(&relation.from) else { return false };
    let same = |set: &[&str]| {
        set.len() == relation.attributes.len()
            && set.iter().all(|name| relation.attributes.iter().any(|own| own == name))
    };
    let unique = |set: &Vec<String>| same(&set.iter().map(String::as_str).collect::<Vec<_>>());
    let own = |name: &String| entity.attribute(name).is_some_and(|attribute| attribute.unique);
    relation.fanout.is_some_and(|fanout| fanout.max == Some(1))
        || same(&entity.key())
        || entity.unique.iter().any(unique)
        || relation.attributes.iter().any(own)
}

/// The share of the many that belong to nobody.
fn optional_share(model: &Model, relation: &Relationship) -> f64 {
    let attribute = model
        .entity(&relation.from)
        .and_then(|entity| entity.attribute(relation.attributes.first()?));
    match attribute {
        Some(attribute) if !attribute.required => attribute.missing.unwrap_or(0.1),
        _ => 0.0,
    }
}
