//! Whether a check holds of values, as SQL has it.

use std::cmp::Ordering;

use marula_core::model::{Attribute, AttributeType, Entity};
use marula_core::{Json, Timestamp};

use super::checks::Row;
use super::value::Value;
use crate::schema::condition::{Comparison, Condition, Term};

/// Whether a condition holds; `None` where something is missing or cannot be told, which breaks no
/// check.
pub(super) fn holds(entity: &Entity, condition: &Condition, row: &Row) -> Option<bool> {
    match condition {
        Condition::All(parts) => {
            let each: Vec<_> = parts.iter().map(|part| holds(entity, part, row)).collect();
            match each.contains(&Some(false)) {
                true => Some(false),
                false => each.into_iter().collect::<Option<Vec<bool>>>().map(|_| true),
            }
        }
        Condition::Any(parts) => {
            let each: Vec<_> = parts.iter().map(|part| holds(entity, part, row)).collect();
            match each.contains(&Some(true)) {
                true => Some(true),
                false => each.into_iter().collect::<Option<Vec<bool>>>().map(|_| false),
            }
        }
        Condition::Missing(of, missing) => Some(term(entity, of, None, row)?.is_null() == *missing),
        Condition::Compare(comparison, left, right) => {
            let (left, right) = sides(entity, left, right, row)?;
            let order = compared(&left, &right)?;
            Some(comparison.is(order))
        }
    }
}

/// The two sides of a comparison; a constant is of the other side's kind.
pub(super) fn sides(
    entity: &Entity,
    left: &Term,
    right: &Term,
    row: &Row,
) -> Option<(Value, Value)> {
    let kind = |of: &Term| match of {
        Term::Attribute(name) => entity.attribute(name).map(|attribute| attribute.kind),
        _ => None,
    };
    Some((term(entity, left, kind(right), row)?, term(entity, right, kind(left), row)?))
}

fn term(entity: &Entity, of: &Term, kind: Option<AttributeType>, row: &Row) -> Option<Value> {
    match of {
        Term::Attribute(name) => {
            let at = entity.attributes.iter().position(|a| a.name == *name)?;
            row.get(&at).cloned()
        }
        Term::Number(text) => Value::exact(text),
        Term::Text(text) => match kind {
            Some(AttributeType::Text | AttributeType::Enumeration) | None => {
                Some(Value::Text(text.clone()))
            }
            Some(kind) => Value::typed(kind, &Json::String(text.clone())),
        },
        Term::Boolean(yes) => Some(Value::Boolean(*yes)),
        Term::Length(of) => match term(entity, of, None, row)? {
            Value::Text(text) => Some(Value::Integer(text.chars().count() as i64)),
            Value::Null => Some(Value::Null),
            _ => None,
        },
        Term::Calculated(sign, left, right) => {
            let (left, right) = sides(entity, left, right, row)?;
            if left.is_null() || right.is_null() {
                return Some(Value::Null);
            }
            calculated(*sign, &left, &right)
        }
    }
}

fn calculated(sign: char, left: &Value, right: &Value) -> Option<Value> {
    if let (Value::Date(left), '-', Value::Date(right)) = (left, sign, right) {
        return Some(Value::Integer(i64::from(left - right)));
    }
    if let (Value::Date(day), Value::Integer(days)) = (left, right) {
        let days = i32::try_from(*days).ok()?;
        return match sign {
            '+' => day.checked_add(days).map(Value::Date),
            '-' => day.checked_sub(days).map(Value::Date),
            _ => None,
        };
    }
    let ((left, one), (right, other)) = (units(left)?, units(right)?);
    match sign {
        '+' | '-' => {
            let scale = one.max(other);
            let left = left.checked_mul(10i128.pow(u32::from(scale - one)))?;
            let right = right.checked_mul(10i128.pow(u32::from(scale - other)))?;
            let sum = if sign == '+' { left + right } else { left - right };
            Some(Value::Decimal { units: i64::try_from(sum).ok()?, scale })
        }
        '*' => {
            let units = i64::try_from(left.checked_mul(right)?).ok()?;
            Some(Value::Decimal { units, scale: one.checked_add(other)? })
        }
        // How a division rounds depends on the columns' types.
        _ => None,
    }
}

/// A number as units of 10 to the minus so many.
pub(super) fn units(value: &Value) -> Option<(i128, u8)> {
    match value {
        Value::Integer(number) => Some((i128::from(*number), 0)),
        Value::Decimal { units, scale } if *scale <= 18 => Some((i128::from(*units), *scale)),
        Value::Float(number) if number.is_finite() && number.abs() < 1e12 => {
            Some(((number * 1e6).round() as i128, 6))
        }
        _ => None,
    }
}

/// Which of two values comes first; `None` where one is missing or their order is not known here:
/// that of texts depends on the database's locale.
fn compared(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some((left, one)), Some((right, other))) = (units(left), units(right)) {
        let scale = one.max(other);
        let left = left.checked_mul(10i128.pow(u32::from(scale - one)))?;
        let right = right.checked_mul(10i128.pow(u32::from(scale - other)))?;
        return Some(left.cmp(&right));
    }
    match (left, right) {
        (Value::Boolean(left), Value::Boolean(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
        (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.0.cmp(&right.0)),
        (Value::Date(day), Value::Timestamp(Timestamp(at))) => {
            Some((i64::from(*day) * 86_400_000).cmp(at))
        }
        (Value::Timestamp(Timestamp(at)), Value::Date(day)) => {
            Some(at.cmp(&(i64::from(*day) * 86_400_000)))
        }
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Uuid(left), Value::Uuid(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

impl Comparison {
    fn is(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
        }
    }

    /// The same with its sides changed.
    pub(super) fn turned(self) -> Self {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::AtMost => Comparison::AtLeast,
            Comparison::Greater => Comparison::Less,
            Comparison::AtLeast => Comparison::AtMost,
            same => same,
        }
    }
}

/// Whether a value keeps what the attribute itself says: its bounds, its length, its values.
pub(super) fn fits(attribute: &Attribute, value: &Value) -> bool {
    match value {
        Value::Null => !attribute.required,
        Value::Text(text) if attribute.kind == AttributeType::Enumeration => {
            attribute.values.is_empty() || attribute.values.contains(text)
        }
        Value::Text(text) => {
            attribute.max_length.is_none_or(|most| text.chars().count() <= most as usize)
        }
        Value::Integer(_) | Value::Decimal { .. } | Value::Float(_) => {
            let number = match value {
                Value::Integer(number) => *number as f64,
                Value::Decimal { units, scale } => *units as f64 / 10f64.powi(i32::from(*scale)),
                Value::Float(number) => *number,
                _ => 0.0,
            };
            let whole = attribute.precision.zip(attribute.scale.or(Some(0)));
            attribute.min.is_none_or(|least| number >= least)
                && attribute.max.is_none_or(|most| number <= most)
                && whole.is_none_or(|(digits, scale)| {
                    number.abs() < 10f64.powi(digits.saturating_sub(scale) as i32)
                })
        }
        _ => true,
    }
}
