//! Everything that was inferred, before it is written as a model.

use marula_core::model::Fanout;
use rustc_hash::FxHashMap;

use super::column::Table;
use super::decompose::Decomposed;
use super::types::Typed;

/// The tables that were read, and what they were taken apart into.
#[derive(Debug, Default)]
pub struct World {
    /// The tables, with the columns that lead to the table above.
    pub tables: Vec<Table>,
    /// The types of each table's columns.
    pub typed: Vec<Vec<Typed>>,
    /// The parts of each table.
    pub decomposed: Vec<Decomposed>,
    /// What the parts became.
    pub entities: Vec<Entity>,
    /// For each table and each of its parts the entity.
    pub of_part: Vec<Vec<usize>>,
    /// Which entities refer to which.
    pub references: Vec<Reference>,
    /// What is to be said besides.
    pub notes: Vec<String>,
}

/// One entity that was found.
#[derive(Debug, Clone)]
pub struct Entity {
    /// What it is called.
    pub name: String,
    /// The table it comes from, and the part of it.
    pub table: usize,
    /// The part of it.
    pub part: usize,
    /// Its attributes.
    pub attributes: Vec<Attributed>,
    /// The places of the key's attributes among them.
    pub key: Vec<usize>,
    /// Whether nothing was unique, and numbers are given out.
    pub surrogate: bool,
    /// For each member a row of the table.
    pub rows: Vec<u32>,
}

/// An attribute that was found.
#[derive(Debug, Clone)]
pub struct Attributed {
    /// What it is called.
    pub name: String,
    /// Its column in the table; none for a number that is given out.
    pub column: Option<usize>,
}

/// How a reference was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The table was taken apart there.
    Split,
    /// The one is an element of an array in the other.
    Array,
    /// All values are among the other's keys, and the name says so.
    Inclusion,
}

/// A reference that was found.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The many.
    pub from: usize,
    /// The places of the attributes that refer.
    pub attributes: Vec<usize>,
    /// The one.
    pub to: usize,
    /// How it was found.
    pub origin: Origin,
    /// How many of the many belong to one.
    pub fanout: Fanout,
    /// Whether each of the one has one of the many.
    pub at_least_one: bool,
}

impl World {
    /// A value of a member.
    pub fn value(&self, entity: &Entity, attribute: usize, member: usize) -> Option<&str> {
        let column = entity.attributes.get(attribute)?.column?;
        self.tables[entity.table].columns[column].text(*entity.rows.get(member)? as usize)
    }

    /// How many members of the many belong to each one, also to those that have none.
    pub fn fanout(&self, from: usize, attributes: &[usize], to: usize) -> Fanout {
        let entity = &self.entities[from];
        let table = &self.tables[entity.table];
        let columns: Vec<&Vec<u32>> = attributes
            .iter()
            .filter_map(|at| entity.attributes[*at].column)
            .map(|column| &table.columns[column].codes)
            .collect();
        let mut counts: FxHashMap<Vec<u32>, u64> = FxHashMap::default();
        for row in &entity.rows {
            let key: Vec<u32> = columns.iter().map(|codes| codes[*row as usize]).collect();
            if !key.contains(&0) {
                *counts.entry(key).or_default() += 1;
            }
        }
        let mut counts: Vec<u64> = counts.into_values().collect();
        counts.resize(counts.len().max(self.entities[to].rows.len()), 0);
        spread(counts)
    }
}

/// The mean, the 99th of a hundred, and the most.
pub fn spread(mut counts: Vec<u64>) -> Fanout {
    counts.sort_unstable();
    let all: u64 = counts.iter().sum();
    let at = (counts.len() * 99).div_ceil(100).saturating_sub(1);
    let average = all as f64 / counts.len().max(1) as f64;
    Fanout {
        average: (average * 100.0).round() / 100.0,
        p99: counts.get(at).copied(),
        max: counts.last().copied(),
    }
}
