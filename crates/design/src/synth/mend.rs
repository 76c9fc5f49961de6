//! Giving attributes values with which a check holds.

use marula_core::Timestamp;
use marula_core::model::{Attribute, AttributeType, Entity};

use super::Dice;
use super::checks::Row;
use super::holds::{fits, holds, sides, units};
use super::value::Value;
use super::values::after;
use crate::schema::condition::{Comparison, Condition, Term};

/// Gives free attributes values with which a condition holds, where it says which.
pub(super) fn mend(
    entity: &Entity,
    condition: &Condition,
    row: &mut Row,
    free: &dyn Fn(usize) -> bool,
    dice: &mut Dice,
) {
    if holds(entity, condition, row) != Some(false) {
        return;
    }
    match condition {
        Condition::All(parts) => {
            parts.iter().for_each(|part| mend(entity, part, row, free, dice));
        }
        Condition::Any(parts) => {
            // What follows from something is said last: NOT this OR that.
            for part in parts.iter().rev() {
                let mut tried = row.clone();
                mend(entity, part, &mut tried, free, dice);
                if holds(entity, part, &tried) == Some(true) {
                    *row = tried;
                    return;
                }
            }
        }
        Condition::Missing(Term::Attribute(name), true) => {
            let at = entity.attributes.iter().position(|a| a.name == *name);
            if let Some(at) = at.filter(|at| free(*at) && !entity.attributes[*at].required) {
                row.insert(at, Value::Null);
            }
        }
        // What is not there is drawn anew.
        Condition::Missing(..) => {}
        Condition::Compare(comparison, left, right) => {
            let Some((of_left, of_right)) = sides(entity, left, right, row) else { return };
            let ways = [(left, *comparison, &of_right), (right, comparison.turned(), &of_left)];
            for (side, comparison, other) in ways {
                let Term::Attribute(name) = side else { continue };
                let Some(at) = entity.attributes.iter().position(|a| a.name == *name) else {
                    continue;
                };
                let mut tried = row.clone();
                let attribute = &entity.attributes[at];
                let value = near(attribute, comparison, other, dice);
                let Some(value) = value.filter(|value| free(at) && fits(attribute, value)) else {
                    continue;
                };
                tried.insert(at, value);
                if holds(entity, condition, &tried) == Some(true) {
                    *row = tried;
                    return;
                }
            }
        }
    }
}

/// A value of an attribute that compares to another as it should.
fn near(
    attribute: &Attribute,
    comparison: Comparison,
    other: &Value,
    dice: &mut Dice,
) -> Option<Value> {
    let same = alike(attribute, other)?;
    match comparison {
        Comparison::Equal | Comparison::AtMost | Comparison::AtLeast => Some(same),
        Comparison::Greater => Some(after(same, dice)),
        Comparison::Less => Some(before(same, dice)),
        Comparison::NotEqual if attribute.kind == AttributeType::Enumeration => {
            let others = attribute.values.iter().filter(|text| **text != text_of(&same));
            let others: Vec<&String> = others.collect();
            let at = dice.below(others.len() as u64) as usize;
            others.get(at).map(|text| Value::Text((*text).clone()))
        }
        Comparison::NotEqual => match same {
            Value::Boolean(yes) => Some(Value::Boolean(!yes)),
            other => Some(after(other, dice)),
        },
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => other.to_text().unwrap_or_default(),
    }
}

/// The value as one of the attribute's kind.
fn alike(attribute: &Attribute, value: &Value) -> Option<Value> {
    match (attribute.kind, value) {
        (_, Value::Null) => None,
        (AttributeType::Id | AttributeType::Integer, number) => {
            let (units, scale) = units(number)?;
            i64::try_from(units / 10i128.pow(u32::from(scale))).ok().map(Value::Integer)
        }
        (AttributeType::Decimal | AttributeType::Money, number) => {
            let ((units, had), scale) = (units(number)?, super::values::scale(attribute));
            let units = match scale >= had {
                true => units.checked_mul(10i128.pow(u32::from(scale - had)))?,
                false => units / 10i128.pow(u32::from(had - scale)),
            };
            i64::try_from(units).ok().map(|units| Value::Decimal { units, scale })
        }
        (AttributeType::Float, number) => {
            let (units, scale) = units(number)?;
            Some(Value::Float(units as f64 / 10f64.powi(i32::from(scale))))
        }
        (AttributeType::Timestamp, Value::Date(day)) => {
            Some(Value::Timestamp(Timestamp(i64::from(*day) * 86_400_000)))
        }
        (AttributeType::Date, Value::Timestamp(Timestamp(at))) => {
            i32::try_from(at.div_euclid(86_400_000)).ok().map(Value::Date)
        }
        (_, other) => Some(other.clone()),
    }
}

/// A value a little less than another.
fn before(value: Value, dice: &mut Dice) -> Value {
    match value {
        Value::Timestamp(Timestamp(at)) => {
            Value::Timestamp(Timestamp(at - 60_000 * (1 + dice.below(10_000) as i64)))
        }
        Value::Date(days) => Value::Date(days - 1 - dice.below(14) as i32),
        Value::Integer(number) => Value::Integer(number - 1 - dice.below(100) as i64),
        Value::Decimal { units, scale } => {
            Value::Decimal { units: units - 1 - dice.below(10_000) as i64, scale }
        }
        Value::Float(number) => Value::Float(number - 0.001 - dice.share()),
        Value::Time(seconds) => Value::Time(seconds.saturating_sub(1)),
        other => other,
    }
}
