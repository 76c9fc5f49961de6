use marula_core::Json;
use marula_core::model::{AggregateFunction, Model, Operator};

use super::first::held;
use super::{At, Demand, Direction, Key, Node, Operand, Question};
use crate::structure::{Computed, Structure};

/// When a question does nothing but count or add up the many per one: by which relationship, and
/// which node the many are.
pub fn tallied(model: &Model, question: &Question) -> Option<(usize, usize)> {
    if question.group.is_empty() || question.aggregates.is_empty() {
        return None;
    }
    (0..question.nodes.len()).find_map(|many| {
        let (one, relation) = end(question, many)?;
        // Where there need be none, their number is that of one of their attributes, and their sum
        // is none and not zero.
        let optional = question.nodes[many].optional;
        let sums = question.aggregates.iter().all(|aggregate| match &aggregate.of {
            None => aggregate.function == AggregateFunction::Count && !optional,
            Some(of) => {
                let counts = aggregate.function == AggregateFunction::Count;
                let sums = aggregate.function == AggregateFunction::Sum && !optional;
                (counts || sums)
                    && of.node == many
                    && aggregate.times.is_none()
                    && is_required(model, question, of)
            }
        });
        let counted = question.having.iter().all(|demand| {
            let aggregate = &question.aggregates[demand.aggregate];
            aggregate.function == AggregateFunction::Count && demand.value.is_i64()
        });
        let only_counted = counted
            && question.demands().all(|demand| demand.at.node != many)
            && question.group.iter().all(|at| at.node != many);
        // One group for each one, and one row of the rest for it.
        let key = model.entity(&question.nodes[one].entity)?.key();
        let per_one = key
            .iter()
            .all(|part| question.group.iter().any(|at| at.node == one && at.attribute == *part));
        let others_are_one = question.nodes.iter().enumerate().all(|(at, node)| {
            at == many
                || match node.step {
                    Some((from, _, to_one)) => to_one || from == many,
                    None => true,
                }
        });
        (sums && only_counted && per_one && others_are_one).then_some((relation, many))
    })
}

/// The only neighbour of a node that is the many of the relationship between them.
fn end(question: &Question, many: usize) -> Option<(usize, usize)> {
    let mut beside = Vec::new();
    if let Some((from, relation, to_one)) = question.nodes[many].step {
        beside.push((from, relation, !to_one));
    }
    for (at, node) in question.nodes.iter().enumerate() {
        if let Some((from, relation, to_one)) = node.step
            && from == many
        {
            beside.push((at, relation, to_one));
        }
    }
    match beside.as_slice() {
        [(one, relation, true)] => Some((*one, *relation)),
        _ => None,
    }
}

fn is_required(model: &Model, question: &Question, at: &At) -> bool {
    let entity = model.entity(&question.nodes[at.node].entity);
    entity.is_some_and(|entity| {
        entity.key().contains(&at.attribute.as_str())
            || entity.attribute(&at.attribute).is_some_and(|attribute| attribute.required)
    })
}

impl Question {
    /// The question as it is asked of a structure that keeps what it counts, or the first of what
    /// it asks for; the same question where it does not.
    pub fn of(&self, model: &Model, structure: &Structure) -> Question {
        if let Some(held) = held(model, structure, self) {
            return Question { held: Some(held), ..self.clone() };
        }
        let Some((relation, many)) = tallied(model, self) else { return self.clone() };
        let kept = |function, attribute: Option<&str>| {
            structure.computed.iter().find(|computed: &&Computed| {
                computed.relation == relation
                    && computed.function == function
                    && computed.attribute.as_deref() == attribute
            })
        };
        let Some(count) = kept(AggregateFunction::Count, None) else { return self.clone() };
        let fields: Option<Vec<&Computed>> = self
            .aggregates
            .iter()
            .map(|aggregate| {
                let of = aggregate
                    .of
                    .as_ref()
                    .filter(|_| aggregate.function != AggregateFunction::Count);
                kept(aggregate.function, of.map(|of| of.attribute.as_str()))
            })
            .collect();
        let (Some(fields), Some((one, _))) = (fields, end(self, many)) else { return self.clone() };
        // The many are taken out; the nodes behind them move up by one.
        let moved = |at: usize| if at > many { at - 1 } else { at };
        let place = |at: &At| At { node: moved(at.node), attribute: at.attribute.clone() };
        let nodes = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != many)
            .map(|(_, node)| Node {
                entity: node.entity.clone(),
                step: node
                    .step
                    .filter(|(from, ..)| *from != many)
                    .map(|(from, by, to_one)| (moved(from), by, to_one)),
                optional: node.optional,
            })
            .collect();
        let at_one = |name: &str| At { node: moved(one), attribute: name.to_owned() };
        let demand = |demand: &Demand| Demand { at: place(&demand.at), ..demand.clone() };
        let mut conditions: Vec<Demand> = self.conditions.iter().map(demand).collect();
        let value = |number: &Json| Some(Operand::Value(number.clone()));
        if !self.nodes[many].optional {
            let (at, none) = (at_one(&count.name), Json::from(0));
            conditions.push(Demand { at, is: Operator::Greater, operand: value(&none) });
        }
        conditions.extend(self.having.iter().map(|demand| {
            let at = at_one(&fields[demand.aggregate].name);
            Demand { at, is: demand.is, operand: value(&demand.value) }
        }));
        let any = self.any.iter().map(|one| one.iter().map(demand).collect()).collect();
        let mut select: Vec<At> = self.group.iter().map(place).collect();
        select.extend(fields.iter().map(|computed| at_one(&computed.name)));
        let sort = self
            .sort
            .iter()
            .map(|(key, direction): &(Key, Direction)| {
                let key = match key {
                    Key::At(at) => Key::At(place(at)),
                    Key::Aggregate(at) => Key::At(at_one(&fields[*at].name)),
                };
                (key, *direction)
            })
            .collect();
        Question {
            nodes,
            conditions,
            any,
            select,
            group: Vec::new(),
            aggregates: Vec::new(),
            having: Vec::new(),
            sort,
            limit: self.limit,
            held: None,
        }
    }
}
