//! What ones have in the attributes that several relationships of an entity share.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use marula_core::model::Model;

use crate::schema::is_required;

/// What ones have in the attributes that several relationships of an entity share.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    /// The relationships of an entity that share attributes: those that others follow, first.
    pub order: BTreeMap<usize, Vec<usize>>,
    /// What the ones of each of them have.
    pub shared: BTreeMap<usize, Shared>,
    /// A number for each value.
    pub numbers: HashMap<String, u32>,
}

/// What the ones of a relationship have in the attributes that it shares with others.
#[derive(Debug)]
pub(super) struct Shared {
    /// The attributes, each with its place among those of the relationship.
    pub names: Vec<(String, usize)>,
    /// The numbers of their values, by the one.
    pub of: Vec<Vec<u32>>,
    /// The ones by those numbers.
    ones: HashMap<Vec<u32>, Vec<u64>>,
}

/// Some of the ones of a relationship.
pub(super) enum Ones<'w> {
    /// All of so many.
    All(u64),
    /// These.
    Some(Cow<'w, [u64]>),
}

impl Ones<'_> {
    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        match self {
            Ones::All(count) => *count,
            Ones::Some(ones) => ones.len() as u64,
        }
    }

    /// All of them, beginning with one of them and coming to it again.
    pub(super) fn around(&self, start: u64) -> impl Iterator<Item = u64> + Clone {
        let at = move |place: u64| match self {
            Ones::All(_) => Some(place),
            Ones::Some(ones) => ones.get(place as usize).copied(),
        };
        (start..self.count()).chain(0..start.min(self.count())).filter_map(at)
    }
}

/// What a member has in shared attributes: the values' numbers.
pub(super) type Settled = BTreeMap<String, u32>;

impl Shared {
    pub(super) fn new(names: Vec<(String, usize)>, of: Vec<Vec<u32>>) -> Self {
        let mut ones: HashMap<Vec<u32>, Vec<u64>> = HashMap::new();
        for (one, values) in of.iter().enumerate() {
            ones.entry(values.clone()).or_default().push(one as u64);
        }
        Shared { names, of, ones }
    }

    /// Whether these values are what is settled.
    pub(super) fn agree(&self, values: &[u32], settled: &Settled) -> bool {
        let same = |((name, _), value): (&(String, usize), &u32)| {
            settled.get(name).is_none_or(|settled| settled == value)
        };
        self.names.iter().zip(values).all(same)
    }

    /// The ones that have what is settled.
    pub(super) fn agreeing(&self, settled: &Settled) -> Cow<'_, [u64]> {
        let whole: Option<Vec<u32>> =
            self.names.iter().map(|(name, _)| settled.get(name).copied()).collect();
        if let Some(whole) = whole {
            return Cow::Borrowed(self.ones.get(&whole).map_or(&[], Vec::as_slice));
        }
        let agreeing = self.ones.iter().filter(|(values, _)| self.agree(values, settled));
        let mut ones: Vec<u64> = agreeing.flat_map(|(_, ones)| ones).copied().collect();
        ones.sort_unstable();
        Cow::Owned(ones)
    }

    /// Adds what one has to what is settled.
    pub(super) fn settle(&self, one: u64, settled: &mut Settled) {
        let values = self.of.get(one as usize).into_iter().flatten();
        settled.extend(self.names.iter().map(|(name, _)| name.clone()).zip(values.copied()));
    }

    /// What each one has in some of the attributes.
    pub(super) fn groups(&self, names: &[&str]) -> Vec<Vec<u32>> {
        let places: Vec<usize> = names
            .iter()
            .filter_map(|name| self.names.iter().position(|(known, _)| known == name))
            .collect();
        let each = self.of.iter();
        each.map(|values| places.iter().map(|at| values[*at]).collect()).collect()
    }
}

/// The relationships of an entity that share attributes with another of them: those that others
/// follow, first. `apart`: those of which no two members may have the same.
pub(super) fn sharing(model: &Model, entity: usize, apart: &[usize]) -> Vec<usize> {
    let name = &model.entities[entity].name;
    let whole = |to: &str, count: usize| model.entity(to).is_some_and(|e| e.key().len() == count);
    let own: Vec<usize> = (0..model.relations.len())
        .filter(|at| model.relations[*at].from == *name)
        .filter(|at| whole(&model.relations[*at].to, model.relations[*at].attributes.len()))
        .collect();
    let shares = |at: &usize| {
        let attributes = &model.relations[*at].attributes;
        let mut others = own.iter().filter(|other| *other != at);
        others
            .any(|other| model.relations[*other].attributes.iter().any(|a| attributes.contains(a)))
    };
    let mut order: Vec<usize> = own.iter().copied().filter(shares).collect();
    order.sort_by_key(|at| {
        let r = &model.relations[*at];
        let optional = !is_required(model, r);
        let fewer = Reverse(r.attributes.len());
        (r.to == r.from, !apart.contains(at), optional, fewer, !r.owned, *at)
    });
    order
}

/// The entities, those that others refer to before them.
pub(super) fn referred_first(model: &Model) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < model.entities.len() {
        let left = || (0..model.entities.len()).filter(|at| !order.contains(at));
        let waits = |at: &usize| {
            let name = &model.entities[*at].name;
            let mut others = left().map(|other| &model.entities[other].name);
            others.any(|to| {
                to != name && model.relations.iter().any(|r| r.from == *name && r.to == *to)
            })
        };
        // In a circle it is the first.
        let Some(next) = left().find(|at| !waits(at)).or_else(|| left().next()) else { break };
        order.push(next);
    }
    order
}
