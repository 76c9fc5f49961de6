//! What a statement asks of each relation: conditions, joins, order, columns. Candidates and
//! rules read this, not the parse tree.

mod compare;
mod either;
mod from;
mod key;
mod order;
mod plan;
mod predicate;
mod read;
mod scope;
mod side;
pub mod types;

use std::collections::{BTreeMap, BTreeSet};

use marula_core::{Plan, PlanNode, RelationalCatalog};
use pg_query::Node;

pub use key::Key;
pub use order::{output, value as target_value};
pub use predicate::{Operator, Predicate, Value};

/// A statement, taken apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    /// Its query blocks: the statement itself first, then subqueries as they are met.
    pub blocks: Vec<Block>,
    /// Partitions and heirs, with the tables above them, qualified.
    parents: BTreeMap<String, String>,
}

/// One SELECT (or one side of a set operation).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// The block around it.
    pub parent: Option<usize>,
    /// Whether it is the subquery of an IN or EXISTS that must hold.
    pub semi: bool,
    /// The relations it reads.
    pub uses: Vec<Use>,
    /// Whether it groups or aggregates.
    pub aggregates: bool,
    /// Whether it is DISTINCT.
    pub distinct: bool,
    /// Whether it has a LIMIT.
    pub limited: bool,
    /// Whether it has an ORDER BY.
    pub ordered: bool,
    /// Subqueries, CTEs and functions it reads besides relations.
    pub derived: usize,
}

/// One occurrence of a relation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Use {
    /// The relation, qualified where the catalogue knows it.
    pub relation: String,
    /// The name it goes by in its block.
    pub alias: String,
    /// Whether an outer join may fill its columns with NULL.
    pub nullable: bool,
    /// Conditions on it alone, and on it and another relation.
    pub predicates: Vec<Predicate>,
    /// For each OR of which every side asks something of this relation, what each side asks.
    pub either: Vec<Vec<Vec<Predicate>>>,
    /// Conditions between its own columns, as a partial index could have them.
    pub between: Vec<Between>,
    /// The block's whole ORDER BY, when all of it is over this relation.
    pub sort: Vec<SortKey>,
    /// Its columns that the block's ORDER BY names, whatever else it names.
    pub ordered_by: BTreeSet<String>,
    /// The block's whole GROUP BY or DISTINCT, when all of it is plain columns of this relation.
    pub group: Vec<String>,
    /// The columns that are needed at all; `None` when all are (`*`).
    pub columns: Option<BTreeSet<String>>,
}

/// A condition between two columns of one relation: `shipped < promised`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Between {
    /// The condition as SQL, without an alias.
    pub text: String,
    /// The two columns.
    pub columns: [String; 2],
}

/// One key of an ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// What is ordered by.
    pub key: Key,
    /// Whether it descends.
    pub descending: bool,
    /// Whether NULLs come first.
    pub nulls_first: bool,
}

impl Shape {
    fn new(catalog: Option<&RelationalCatalog>) -> Shape {
        let relations = catalog.into_iter().flat_map(|catalog| &catalog.relations);
        let parents = relations
            .filter_map(|relation| Some((relation.qualified(), relation.partition_of.clone()?)));
        Shape { blocks: Vec::new(), parents: parents.collect() }
    }

    /// Whether `block` stands somewhere inside the block `around`.
    pub fn is_inside(&self, block: usize, around: usize) -> bool {
        let mut at = self.blocks.get(block).and_then(|block| block.parent);
        while let Some(number) = at {
            if number == around {
                return true;
            }
            at = self.blocks.get(number).and_then(|block| block.parent).filter(|up| *up < number);
        }
        false
    }

    /// The shape of a parsed statement.
    pub fn read(statement: &Node, catalog: Option<&RelationalCatalog>) -> Shape {
        let mut reader = read::Reader::new(catalog);
        reader.statement(statement);
        reader.shape
    }

    /// What can be told from a plan alone: each scan with its conditions.
    pub fn of_plan(plan: &Plan, catalog: Option<&RelationalCatalog>) -> Shape {
        let mut reader = read::Reader::new(catalog);
        reader.plan(plan);
        reader.shape
    }

    /// Every use, with the number of its block.
    pub fn uses(&self) -> impl Iterator<Item = (usize, &Use)> {
        self.blocks.iter().enumerate().flat_map(|(n, block)| block.uses.iter().map(move |u| (n, u)))
    }

    /// The use a plan's scan is of. A relation that stands in several blocks under one name is
    /// told apart by the number PostgreSQL adds to the alias: `o`, `o_1`.
    pub fn of_scan(&self, node: &PlanNode) -> Option<(usize, &Use)> {
        let relation = node.relation.as_deref()?;
        let alias = node.alias.as_deref().unwrap_or_else(|| bare(relation));
        let named = |relation: &str, name: &str| {
            let same =
                |used: &Use| used.relation == relation || bare(&used.relation) == bare(relation);
            self.uses().filter(|(_, used)| used.alias == name && same(used)).collect::<Vec<_>>()
        };
        if let Some(found) = named(relation, alias).first() {
            return Some(*found);
        }
        let numbered = alias
            .rsplit_once('_')
            .and_then(|(stem, number)| Some((stem, number.parse::<usize>().ok()?)));
        if let Some((stem, number)) = numbered {
            let alike = named(relation, stem);
            if let Some(found) = alike.get(number).or(alike.last()) {
                return Some(*found);
            }
        }
        // A partition is read for the table it belongs to, under that table's name and a number.
        let mut above = self.parents.get(relation);
        for _ in 0..8 {
            let parent = above?;
            let stem = numbered.map_or(alias, |(stem, _)| stem);
            let found = named(parent, alias).first().copied();
            if let Some(found) = found.or_else(|| named(parent, stem).first().copied()) {
                return Some(found);
            }
            above = self.parents.get(parent);
        }
        None
    }
}

/// A relation's name without its schema.
fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
