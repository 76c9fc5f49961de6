//! Questions for the first of one's many in an order: what a subset kept with the one can answer.

use marula_core::model::{AttributeType, Deed, Entity, Model, Operator};

use super::{Direction, Key, Node, Question};
use crate::schema::is_required;
use crate::structure::Structure;

/// From so many on it is a list to go through rather than the first of one.
const MOST: u64 = 100;

/// A question that is answered from a subset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The node of the question that is the many.
    pub node: usize,
    /// The subset's index in the structure.
    pub subset: usize,
}

/// What a question asks for that a subset could answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct First {
    pub relation: usize,
    /// The node that is the many.
    pub node: usize,
    pub order: Vec<(String, bool)>,
    pub count: u64,
    /// What it needs of the many.
    pub attributes: Vec<String>,
    /// What it needs of those that the many refer to.
    pub shown: Vec<(usize, String)>,
}

/// The subset of a structure that answers the question, exactly: in the same order, ties included.
pub(super) fn held(model: &Model, structure: &Structure, question: &Question) -> Option<Held> {
    if structure.subsets.is_empty() {
        return None;
    }
    firsts(model, question).into_iter().find_map(|first| {
        let answers = structure.subsets.iter().position(|subset| {
            subset.relation == first.relation
                && subset.order == first.order
                && subset.count >= first.count
                && first.attributes.iter().all(|name| subset.attributes.contains(name))
        });
        answers.map(|subset| Held { node: first.node, subset })
    })
}

/// What a question asks for that a subset could answer.
pub(crate) fn firsts(model: &Model, question: &Question) -> Vec<First> {
    let Some(count) = question.limit.filter(|count| (1..=MOST).contains(count)) else {
        return Vec::new();
    };
    if question.groups() || !question.is_plain() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (node, Node { entity, .. }) in question.nodes.iter().enumerate() {
        for (relation, r) in model.relations.iter().enumerate() {
            if r.from == *entity && r.from != r.to {
                found.extend(Asker { model, question, node, relation }.first(count));
            }
        }
    }
    found
}

struct Asker<'a> {
    model: &'a Model,
    question: &'a Question,
    node: usize,
    relation: usize,
}

impl Asker<'_> {
    fn first(&self, count: u64) -> Option<First> {
        let r = &self.model.relations[self.relation];
        let many = self.model.entity(&r.from)?;
        let one = self.one();
        // Every member of the many that is kept makes one row, and no other does.
        if !self.is_of_one(one) || !self.others_are_surely_one(self.node, None) {
            return None;
        }
        let elsewhere = self.question.conditions.iter().any(|demand| {
            demand.at.node != self.node && Some(demand.at.node) != one
                || demand.at.node == self.node
                    && !(demand.is == Operator::Equal
                        && r.attributes.contains(&demand.at.attribute))
        });
        if elsewhere || !self.question.select.iter().any(|at| at.node == self.node) {
            return None;
        }
        let order = self.order(many)?;
        let mut attributes: Vec<String> =
            self.question.needs(self.node).into_iter().map(str::to_owned).collect();
        attributes.extend(order.iter().map(|(name, _)| name.clone()));
        let mut shown = Vec::new();
        for (next, relation) in self.beside(self.node) {
            if Some(next) == one {
                continue;
            }
            let beside = &self.model.relations[relation];
            if beside.attributes.iter().any(|name| r.attributes.contains(name)) {
                return None;
            }
            attributes.extend(beside.attributes.iter().cloned());
            let key = self.model.entity(&beside.to)?.key();
            let needs = self.question.needs(next).into_iter().filter(|need| !key.contains(need));
            shown.extend(needs.map(|need| (relation, need.to_owned())));
        }
        attributes.extend(many.key().into_iter().map(str::to_owned));
        attributes.retain(|name| !r.attributes.contains(name));
        attributes.sort_unstable();
        attributes.dedup();
        shown.sort_unstable();
        Some(First { relation: self.relation, node: self.node, order, count, attributes, shown })
    }

    /// The node that is the one, where the question has it.
    fn one(&self) -> Option<usize> {
        let beside = self.beside(self.node);
        beside.into_iter().find(|(_, by)| *by == self.relation).map(|(node, _)| node)
    }

    /// The nodes beside a node, and by which relationship.
    fn beside(&self, node: usize) -> Vec<(usize, usize)> {
        let own = self.question.nodes[node].step.map(|(from, by, _)| (from, by));
        let others = self.question.nodes.iter().enumerate().filter_map(|(at, other)| {
            other.step.filter(|(from, ..)| *from == node).map(|(_, by, _)| (at, by))
        });
        own.into_iter().chain(others).collect()
    }

    /// Whether the question is about the many of a single one.
    fn is_of_one(&self, one: Option<usize>) -> bool {
        let r = &self.model.relations[self.relation];
        let key = self.model.entity(&r.to).map(Entity::key).unwrap_or_default();
        let equal = |node: usize, name: &str| {
            self.question.conditions.iter().any(|demand| {
                demand.is == Operator::Equal
                    && demand.at.node == node
                    && demand.at.attribute == name
            })
        };
        key.len() == r.attributes.len()
            && !key.is_empty()
            && r.attributes.iter().zip(key).all(|(name, part)| {
                equal(self.node, name) || one.is_some_and(|one| equal(one, part))
            })
    }

    /// Whether every other node is the one of the node it is reached from, and always there.
    fn others_are_surely_one(&self, node: usize, from: Option<usize>) -> bool {
        self.beside(node).into_iter().filter(|(next, _)| Some(*next) != from).all(|(next, by)| {
            let r = &self.model.relations[by];
            let to_one = match self.question.nodes[next].step {
                Some((before, _, to_one)) if before == node => to_one,
                _ => self.question.nodes[node].step.is_some_and(|(_, _, to_one)| !to_one),
            };
            to_one && is_required(self.model, r) && self.others_are_surely_one(next, Some(node))
        })
    }

    /// The order by attributes of the many, as far as it tells all of them apart.
    fn order(&self, many: &Entity) -> Option<Vec<(String, bool)>> {
        let r = &self.model.relations[self.relation];
        let constant = self.of_the_one();
        let mut order: Vec<(String, bool)> = Vec::new();
        for (key, direction) in self.question.decided(self.model).sort {
            let Key::At(at) = key else { return None };
            if constant.contains(&at.node) {
                continue;
            }
            if at.node != self.node {
                return None;
            }
            let known = order.iter().any(|(name, _)| *name == at.attribute);
            if !known && !r.attributes.contains(&at.attribute) {
                let attribute = many.attribute(&at.attribute)?;
                let there = attribute.required || many.key().contains(&at.attribute.as_str());
                if !there || !is_ordered_alike(attribute.kind) {
                    return None;
                }
                order.push((at.attribute, direction == Direction::Descending));
            }
            let told = |part: &&str| {
                order.iter().any(|(name, _)| name == part)
                    || r.attributes.iter().any(|name| name == part)
            };
            if many.key().iter().all(told) {
                return (!order.is_empty()).then_some(order);
            }
        }
        None
    }

    /// The nodes that are the same for all of the many: the one, and what hangs on it.
    fn of_the_one(&self) -> Vec<usize> {
        let Some(one) = self.one() else { return Vec::new() };
        let (mut found, mut next) = (vec![one], 0);
        while let Some(&here) = found.get(next) {
            for (node, _) in self.beside(here) {
                if node != self.node && !found.contains(&node) {
                    found.push(node);
                }
            }
            next += 1;
        }
        found
    }
}

/// Whether every engine, and this program, puts values of a kind in the same order.
fn is_ordered_alike(kind: AttributeType) -> bool {
    matches!(
        kind,
        AttributeType::Id
            | AttributeType::Integer
            | AttributeType::Decimal
            | AttributeType::Money
            | AttributeType::Float
            | AttributeType::Date
            | AttributeType::Timestamp
            | AttributeType::Uuid
            | AttributeType::UuidV7
    )
}

/// Why the first of the many cannot be kept in step by the model's writes; `None` where they can.
pub(crate) fn cannot_be_kept(model: &Model, relation: usize) -> Option<&'static str> {
    let r = &model.relations[relation];
    let many = model.entity(&r.from)?;
    let key = many.key();
    let expires = |name: &str| model.entity(name).is_some_and(|e| e.keep_days.is_some());
    let names = |name: &String| key.contains(&name.as_str()) || r.attributes.contains(name);
    let one_key = model.entity(&r.to).map(Entity::key).unwrap_or_default();
    if expires(&r.from) || expires(&r.to) {
        return Some("what is old goes without a write");
    }
    if !is_required(model, r)
        || key.is_empty()
        || key.iter().all(|part| r.attributes.iter().any(|a| a == part))
    {
        return Some("they are not told apart");
    }
    for write in &model.writes {
        let set = || write.set.iter().chain(&write.increment);
        let by_key =
            write.by.is_empty() || key.iter().all(|part| write.by.iter().any(|by| by == part));
        if write.entity == r.from && write.does != Deed::Insert && (set().any(names) || !by_key) {
            return Some("a write moves them, or finds them by other than their key");
        }
        let unnames =
            write.does == Deed::Delete || set().any(|name| one_key.contains(&name.as_str()));
        if write.entity == r.to && unnames && write.does != Deed::Insert {
            return Some("a write takes the one away");
        }
    }
    None
}
