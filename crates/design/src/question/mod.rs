//! A question with every name in it found in the model, and where a structure keeps what it asks
//! about.

mod finder;
mod first;
mod places;
mod resolve;
mod start;
mod tally;

use marula_core::Json;
use marula_core::model::{AggregateFunction, Operator};

pub use first::Held;
pub(crate) use first::{cannot_be_kept, firsts};
pub use places::{Container, Element, Join, Place, Places, Spot};
pub(crate) use resolve::compares;
pub use resolve::resolve;
pub use start::start;
pub(crate) use start::{found, indexed};
pub use tally::tallied;

/// An access path whose names are found.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Members that make up a row of the answer; the first is where the path begins.
    pub nodes: Vec<Node>,
    /// What must hold.
    pub conditions: Vec<Demand>,
    /// Of each of these, at least one must hold.
    pub any: Vec<Vec<Demand>>,
    /// The wanted attributes; empty when groups are made.
    pub select: Vec<At>,
    /// The attributes whose values make groups.
    pub group: Vec<At>,
    /// What is computed over each group, or over all.
    pub aggregates: Vec<Computation>,
    /// What must hold of a group.
    pub having: Vec<GroupDemand>,
    /// The order of the answer.
    pub sort: Vec<(Key, Direction)>,
    /// The most rows.
    pub limit: Option<u64>,
    /// Where it is answered from a subset that the structure keeps: which.
    pub held: Option<Held>,
}

/// One of the members that make up a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its entity's name.
    pub entity: String,
    /// How it is reached: from which node, by which relationship, and whether from one of the many
    /// to the one. `None` for the first.
    pub step: Option<(usize, usize, bool)>,
    /// Whether it need not be there. Of such a node all that are reached from it are such, too.
    pub optional: bool,
}

/// An attribute of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct At {
    /// The node's index.
    pub node: usize,
    /// The attribute's name.
    pub attribute: String,
}

/// Something that must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// Of which attribute.
    pub at: At,
    /// How it is compared.
    pub is: Operator,
    /// With what; nothing for [`Operator::Missing`] and [`Operator::Present`].
    pub operand: Option<Operand>,
}

/// Something that must hold of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupDemand {
    /// Of which aggregate, by its index.
    pub aggregate: usize,
    /// How it is compared: by order or equality.
    pub is: Operator,
    /// With what.
    pub value: Json,
}

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A parameter, from 1.
    Parameter(u32),
    /// A value.
    Value(Json),
}

/// A value computed over a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Computation {
    /// What is computed.
    pub function: AggregateFunction,
    /// Over what; `None` counts rows.
    pub of: Option<At>,
    /// What each value is multiplied with first.
    pub times: Option<At>,
    /// What it is called.
    pub name: String,
}

/// What an answer is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// An attribute.
    At(At),
    /// The aggregate with this index.
    Aggregate(usize),
}

/// Which end of an order comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The least.
    Ascending,
    /// The greatest.
    Descending,
}

impl Question {
    /// Whether rows are put into groups, or all into one.
    pub fn groups(&self) -> bool {
        !self.group.is_empty() || !self.aggregates.is_empty()
    }

    /// Everything that is asked of single attributes, alternatives among it.
    pub fn demands(&self) -> impl Iterator<Item = &Demand> {
        self.conditions.iter().chain(self.any.iter().flatten())
    }

    /// Whether it asks nothing but conditions that must all hold of members that must all be there.
    pub fn is_plain(&self) -> bool {
        self.any.is_empty() && self.having.is_empty() && self.nodes.iter().all(|n| !n.optional)
    }

    /// Every attribute the question names, of one node.
    pub fn needs(&self, node: usize) -> Vec<&str> {
        let computed = self.aggregates.iter().flat_map(|a| a.of.iter().chain(&a.times));
        let sorted = self.sort.iter().filter_map(|(key, _)| match key {
            Key::At(at) => Some(at),
            Key::Aggregate(_) => None,
        });
        let named = self.demands().map(|demand| &demand.at);
        let mut needs: Vec<&str> = named
            .chain(&self.select)
            .chain(&self.group)
            .chain(computed)
            .chain(sorted)
            .filter(|at| at.node == node)
            .map(|at| at.attribute.as_str())
            .collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    /// How many parameters there are.
    pub fn parameters(&self) -> u32 {
        let numbers = self.demands().filter_map(|demand| match demand.operand {
            Some(Operand::Parameter(number)) => Some(number),
            _ => None,
        });
        numbers.max().unwrap_or_default()
    }

    /// The same question with an answer that is the same whoever gives it: where only the first
    /// rows are wanted, ties are told apart by the keys of all that makes up a row.
    pub fn decided(&self, model: &marula_core::model::Model) -> Question {
        let mut decided = self.clone();
        if self.limit.is_none() {
            return decided;
        }
        let mut add = |at: At| {
            let key = Key::At(at);
            if !decided.sort.iter().any(|(other, _)| *other == key) {
                decided.sort.push((key, Direction::Ascending));
            }
        };
        if self.groups() {
            self.group.iter().cloned().for_each(add);
        } else {
            for (node, Node { entity, .. }) in self.nodes.iter().enumerate() {
                let key = model.entity(entity).map(|entity| entity.key()).unwrap_or_default();
                key.into_iter().for_each(|attribute| add(At { node, attribute: attribute.into() }));
            }
        }
        decided
    }
}
