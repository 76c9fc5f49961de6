use marula_core::model::{Model, Operator, Skew};

use crate::question::{Demand, Operand, Question};
use crate::synth::{Dice, Member, Value, World};

/// How often a value that is there is looked for before none is taken.
const TRIES: usize = 20;

/// The parameters of a question for its `serial`-th time: values that are there.
///
/// Parameters that are equal to attributes of one node come from one member, so that there is an
/// answer; of two that bound one attribute the lesser is the lower bound.
pub(super) fn draw(
    world: &World<'_>,
    query: usize,
    question: &Question,
    serial: u64,
) -> Vec<Value> {
    let said = &world.model.queries[query].parameters;
    let mut dice = Dice::of(&[0x6472_6177, query as u64, serial]);
    let mut members: Vec<Option<Member>> = vec![None; question.nodes.len()];
    let mut values: Vec<Value> = Vec::new();
    for number in 1..=question.parameters() {
        let from = said.get(number as usize - 1);
        if let Some(fixed) = from.and_then(|from| from.value.as_ref()) {
            let kind = kind(world.model, question, number);
            values.push(Value::typed(kind, fixed).unwrap_or(Value::Null));
            continue;
        }
        let skew = from.map_or(Skew::Uniform, |from| from.skew);
        let named = from.and_then(|from| from.of.as_deref()).and_then(|of| of.rsplit_once('.'));
        values.push(match (named, demand(question, number)) {
            (Some((entity, attribute)), _) => some(world, entity, attribute, skew, &mut dice),
            (None, Some(demand)) => {
                let (node, attribute) = (demand.at.node, demand.at.attribute.as_str());
                let entity = &question.nodes[node].entity;
                match demand.is {
                    Operator::Equal => {
                        let member = members[node].get_or_insert_with(|| {
                            member(world, entity, attribute, skew, &mut dice)
                        });
                        world.value(member, attribute)
                    }
                    Operator::In => Value::List(
                        (0..5).map(|_| some(world, entity, attribute, skew, &mut dice)).collect(),
                    ),
                    Operator::Contains => held(world, entity, attribute, skew, &mut dice),
                    Operator::StartsWith => match some(world, entity, attribute, skew, &mut dice) {
                        Value::Text(text) => Value::Text(text.chars().take(4).collect()),
                        other => other,
                    },
                    Operator::Matches => match some(world, entity, attribute, skew, &mut dice) {
                        Value::Text(text) => {
                            Value::Text(text.split(' ').next().unwrap_or_default().to_owned())
                        }
                        other => other,
                    },
                    _ => some(world, entity, attribute, skew, &mut dice),
                }
            }
            (None, None) => Value::Null,
        });
    }
    put_in_order(question, &mut values);
    values
}

/// The condition that compares with a parameter.
fn demand(question: &Question, number: u32) -> Option<&Demand> {
    question.demands().find(|demand| demand.operand == Some(Operand::Parameter(number)))
}

fn kind(model: &Model, question: &Question, number: u32) -> marula_core::model::AttributeType {
    demand(question, number)
        .map(|demand| &demand.at)
        .and_then(|at| model.entity(&question.nodes[at.node].entity)?.attribute(&at.attribute))
        .map(|attribute| attribute.kind)
        .unwrap_or_default()
}

/// A member that has the attribute.
fn member(world: &World<'_>, entity: &str, attribute: &str, skew: Skew, dice: &mut Dice) -> Member {
    let at = world.index(entity).unwrap_or_default();
    let rows = world.rows(at).max(1);
    let mut member = world.member(at, dice.pick(rows, skew));
    for _ in 0..TRIES {
        if !world.value(&member, attribute).is_null() {
            break;
        }
        member = world.member(at, dice.pick(rows, skew));
    }
    member
}

fn some(world: &World<'_>, entity: &str, attribute: &str, skew: Skew, dice: &mut Dice) -> Value {
    let member = member(world, entity, attribute, skew, dice);
    world.value(&member, attribute)
}

/// A value that a list holds: of one that is not empty, where one is found.
fn held(world: &World<'_>, entity: &str, attribute: &str, skew: Skew, dice: &mut Dice) -> Value {
    let mut lists = (0..TRIES).map(|_| some(world, entity, attribute, skew, dice));
    let found = lists.find_map(|value| match value {
        Value::List(values) => values.into_iter().next(),
        other => Some(other),
    });
    found.unwrap_or(Value::Null)
}

/// Puts the lower bound of an attribute below its upper bound.
fn put_in_order(question: &Question, values: &mut [Value]) {
    let bound = |ops: [Operator; 2]| {
        question.demands().filter_map(move |demand| match demand.operand {
            Some(Operand::Parameter(number)) if ops.contains(&demand.is) => {
                Some((&demand.at, number as usize - 1))
            }
            _ => None,
        })
    };
    for (at, lower) in bound([Operator::Greater, Operator::AtLeast]) {
        for (other, upper) in bound([Operator::Less, Operator::AtMost]) {
            if at == other && lower != upper && more(&values[lower], &values[upper]) {
                values.swap(lower, upper);
            }
        }
    }
}

fn more(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => left > right,
        (Value::Decimal { units: left, .. }, Value::Decimal { units: right, .. }) => left > right,
        (Value::Float(left), Value::Float(right)) => left > right,
        (Value::Date(left), Value::Date(right)) => left > right,
        (Value::Timestamp(left), Value::Timestamp(right)) => left > right,
        _ => false,
    }
}
