//! Data made from a model: the same members for every structure and engine, so that what is
//! measured differs in nothing but the structure.
//!
//! Nothing is stored but who belongs to whom; every value follows from the seed, the entity, the
//! attribute and the member's number.

mod added;
mod agree;
mod belonging;
mod checks;
mod distinct;
mod draw;
mod holds;
mod kinds;
mod leaving;
mod mend;
mod parts;
mod redeal;
mod shared;
mod single;
mod text;
mod value;
mod values;

use std::collections::BTreeMap;

use marula_core::model::{Entity, Fanout, Model, Relationship, Skew};

use crate::schema::nullable;
pub use added::Turn;
pub use belonging::Belonging;
pub use draw::Dice;
pub use value::Value;
pub(crate) use value::array;

/// How often who shares attributes and who is told apart are dealt anew.
const ROUNDS: usize = 3;
/// Numbers of members above those of all that are added: whose values nobody has seen.
pub(crate) const UNSEEN: u64 = 1_000_000_000;

/// The members of every entity of a model.
#[derive(Debug)]
pub struct World<'m> {
    /// The model.
    pub model: &'m Model,
    seed: u64,
    rows: Vec<u64>,
    belonging: Vec<Belonging>,
    orders: BTreeMap<(usize, usize), values::Order>,
    groups: checks::Groups,
    agreement: shared::Agreement,
    leaving: leaving::Leaving,
    room: added::Room,
    rules: BTreeMap<usize, distinct::Rules<'m>>,
    plans: BTreeMap<usize, Vec<BTreeMap<usize, u64>>>,
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
    /// Those of them that are added themselves, which their number alone does not tell.
    pub added: BTreeMap<usize, Member>,
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
                let (many, ones) = (count(&relation.from), count(&relation.to));
                if let Some(most) = most(model, &relation) {
                    let average = many as f64 / ones.max(1) as f64;
                    let usual = Fanout { average, ..Fanout::default() };
                    let fanout = relation.fanout.unwrap_or(usual);
                    relation.fanout = Some(Fanout { max: Some(most), ..fanout });
                }
                Belonging::deal(&relation, many, ones, optional, seed ^ at as u64)
            })
            .collect();
        let orders = values::orders(model);
        let groups = checks::Groups::of(model);
        let mut world = World {
            model,
            seed,
            rows: counts,
            belonging,
            orders,
            groups,
            agreement: shared::Agreement::default(),
            leaving: leaving::Leaving::default(),
            room: added::Room::default(),
            rules: distinct::Rules::of(model),
            plans: BTreeMap::new(),
        };
        world.agree();
        // Who is told apart may no longer agree, and the other way round.
        for _ in 0..ROUNDS {
            if !world.tell_pairs_apart() {
                break;
            }
            world.agree();
        }
        world.set_right();
        world.groups.give_up(&checks::hopeless(&world));
        world.leaving = leaving::Leaving::of(&world);
        world.room = added::Room::of(&world);
        world.plan();
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
        Member { entity, row, parents: BTreeMap::new(), added: BTreeMap::new(), ordinal: None }
    }

    /// The one that `member` belongs to by the relationship.
    pub fn parent(&self, member: &Member, relation: usize) -> Option<Member> {
        let to = self.index(&self.model.relations[relation].to)?;
        if let Some(one) = member.added.get(&relation) {
            return Some(one.clone());
        }
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
    /// twice are dealt anew. Whether there were any.
    fn tell_pairs_apart(&mut self) -> bool {
        let mut any = false;
        for (at, entity) in self.model.entities.iter().enumerate() {
            let sets = entity.unique.iter().map(|set| words(set));
            for set in std::iter::once(entity.key()).chain(sets) {
                let parts = within(self.model, entity, &set);
                let refers = |name: &&str| {
                    let mut parts = parts.iter().map(|&r| &self.model.relations[r]);
                    parts.any(|relation| relation.attributes.iter().any(|own| own == name))
                };
                let rest: Vec<&str> = set.iter().copied().filter(|name| !refers(name)).collect();
                // What has few values does not tell them apart.
                let alike = rest.is_empty() || values(self.model, entity, &rest).is_some();
                if let ([first, .., last], true) = (parts.as_slice(), alike) {
                    let (pair, rows) = ((*first, *last), self.rows[at]);
                    let partners = self.partners(*first, *last);
                    let all = &mut self.belonging;
                    any |= belonging::tell_apart(all, pair, &partners, rows, self.seed);
                }
            }
        }
        any
    }
}

/// The relationships of an entity whose attributes are all in a set, without those that another of
/// them says already: the tenant of a tenant's order.
fn within(model: &Model, entity: &Entity, set: &[&str]) -> Vec<usize> {
    let own = |at: &usize| {
        let r = &model.relations[*at];
        r.from == entity.name && r.attributes.iter().all(|name| set.contains(&name.as_str()))
    };
    let all: Vec<usize> = (0..model.relations.len()).filter(own).collect();
    let says_more = |at: usize, than: usize| {
        let (more, less) = (&model.relations[at].attributes, &model.relations[than].attributes);
        more.len() > less.len() && less.iter().all(|name| more.contains(name))
    };
    all.iter().copied().filter(|than| !all.iter().any(|at| says_more(*at, *than))).collect()
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
    // There are no more than are told apart by few values.
    for (at, entity) in model.entities.iter().enumerate() {
        let single = entity.attributes.iter().filter(|a| a.unique).map(|a| vec![a.name.as_str()]);
        let sets = single.chain(entity.unique.iter().map(|set| words(set))).chain([entity.key()]);
        let most = sets.filter_map(|set| values(model, entity, &set)).min();
        counts[at] = counts[at].min(most.unwrap_or(u64::MAX));
    }
    // Of what there are few at most for each there are no more than of what they belong to have room
    // for.
    for relation in &model.relations {
        let at = |name: &str| model.entities.iter().position(|entity| entity.name == name);
        if let (Some(from), Some(to), Some(most)) =
            (at(&relation.from), at(&relation.to), most(model, relation))
            && from != to
        {
            counts[from] = counts[from].min(counts[to].saturating_mul(most));
        }
    }
    counts
}

fn words(set: &[String]) -> Vec<&str> {
    set.iter().map(String::as_str).collect()
}

/// How many different values some attributes can have together, when each has few and refers to
/// nothing.
fn values(model: &Model, entity: &Entity, set: &[&str]) -> Option<u64> {
    if set.is_empty() {
        return None;
    }
    set.iter().try_fold(1u64, |product, name| {
        let attribute = entity.attribute(name)?;
        let refers =
            |r: &Relationship| r.from == entity.name && r.attributes.contains(&attribute.name);
        if model.relations.iter().any(refers) {
            return None;
        }
        let count = parts::values_of(attribute)?;
        Some(product.saturating_mul(count))
    })
}

/// How many of the many can belong to one at most: as the model says, or since what else tells them
/// apart has few values.
fn most(model: &Model, relation: &Relationship) -> Option<u64> {
    if at_most_one(model, relation) {
        return Some(1);
    }
    let said = relation.fanout.and_then(|fanout| fanout.max);
    let Some(entity) = model.entity(&relation.from) else { return said };
    let of_set = |set: Vec<&str>| {
        let own = |name: &&str| relation.attributes.iter().any(|own| own == name);
        let whole = relation.attributes.iter().all(|own| set.contains(&own.as_str()));
        let rest: Vec<&str> = set.into_iter().filter(|name| !own(name)).collect();
        values(model, entity, &rest).filter(|_| whole)
    };
    let sets = entity.unique.iter().map(|set| words(set)).chain([entity.key()]);
    sets.filter_map(of_set).chain(said).min()
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

/// The share of the many that belong to nobody: that of the attribute that is there least often.
fn optional_share(model: &Model, relation: &Relationship) -> f64 {
    let shares = nullable(model, relation).into_iter().map(|name| {
        let attribute = model.entity(&relation.from).and_then(|entity| entity.attribute(name));
        attribute.and_then(|attribute| attribute.missing).unwrap_or(0.1)
    });
    shares.fold(0.0, f64::max)
}
