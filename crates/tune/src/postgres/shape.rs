//! What a statement asks of each relation: conditions, joins, order, columns. Candidates and
//! rules read this, not the parse tree.

mod key;
mod predicate;
mod read;
mod scope;

use std::collections::BTreeSet;

use marula_core::{Plan, PlanNode, RelationalCatalog};
use pg_query::Node;

pub use key::Key;
pub use predicate::{Operator, Predicate, Value};
pub(super) use read::{output, value as target_value};

/// A statement, taken apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    /// Its query blocks: the statement itself first, then subqueries as they are met.
    pub blocks: Vec<Block>,
}

/// One SELECT (or one side of a set operation).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// The block around it.
    pub parent: Option<usize>,
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
    /// The block's whole ORDER BY, when all of it is over this relation.
    pub sort: Vec<SortKey>,
    /// Its columns that the block's ORDER BY names, whatever else it names.
    pub ordered_by: BTreeSet<String>,
    /// The block's whole GROUP BY or DISTINCT, when all of it is plain columns of this relation.
    pub group: Vec<String>,
    /// The columns that are needed at all; `None` when all are (`*`).
    pub columns: Option<BTreeSet<String>>,
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
        let same = |use_: &Use| {
            use_.relation == relation
                || use_.relation.rsplit('.').next() == relation.rsplit('.').next()
        };
        let bare = relation.rsplit('.').next().unwrap_or(relation);
        let alias = node.alias.as_deref().unwrap_or(bare);
        let exact: Vec<_> = self.uses().filter(|(_, u)| same(u) && u.alias == alias).collect();
        if let Some(found) = exact.first() {
            return Some(*found);
        }
        let (stem, number) = alias.rsplit_once('_')?;
        let number: usize = number.parse().ok()?;
        let alike: Vec<_> = self.uses().filter(|(_, u)| same(u) && u.alias == stem).collect();
        alike.get(number).or(alike.last()).copied()
    }
}
