//! Values that no other member has.

use marula_core::Timestamp;
use marula_core::model::{Attribute, AttributeType};

use super::draw::Dice;
use super::text::{cut, word, words};
use super::values::{NOW, SPAN, scale, uuid};
use super::{Member, UNSEEN, Value, World};

impl World<'_> {
    /// A value no other member has.
    pub(super) fn single(&self, attribute: &Attribute, member: &Member, dice: &mut Dice) -> Value {
        let row = member.row;
        let number = row as i64 + 1;
        match attribute.kind {
            AttributeType::Uuid => Value::Uuid(uuid(dice, None)),
            AttributeType::UuidV7 => Value::Uuid(uuid(dice, Some(self.moment(member, 0.5)))),
            AttributeType::Id | AttributeType::Integer => Value::Integer(counted(attribute, row)),
            AttributeType::Decimal | AttributeType::Money => {
                let scale = scale(attribute);
                let least = attribute.min.unwrap_or(0.0) * 10f64.powi(i32::from(scale));
                Value::Decimal { units: least.ceil() as i64 + number, scale }
            }
            AttributeType::Float => Value::Float(attribute.min.unwrap_or(0.0) + number as f64),
            AttributeType::DateRange
            | AttributeType::TimestampRange
            | AttributeType::NumberRange => self.slot(attribute, member, dice),
            AttributeType::Date => Value::Date((row % 2_900_000) as i32),
            AttributeType::Time => Value::Time((row % 86_400) as u32),
            AttributeType::Duration => Value::Duration(number),
            AttributeType::Binary => Value::Binary(row.to_be_bytes().to_vec()),
            AttributeType::Boolean => Value::Boolean(row % 2 == 1),
            AttributeType::Enumeration if !attribute.values.is_empty() => {
                Value::Text(attribute.values[row as usize % attribute.values.len()].clone())
            }
            AttributeType::Timestamp => Value::Timestamp(Timestamp(NOW - SPAN as i64 + number)),
            AttributeType::Text if attribute.name.contains("email") => {
                Value::Text(format!("{}.{number}@example.com", word(dice.below(4_096))))
            }
            // The number comes first, so that cutting to the greatest length keeps it.
            AttributeType::Text => {
                let filler = attribute.average_length.unwrap_or(12) as usize;
                if is_short(attribute) {
                    return Value::Text(short(row));
                }
                let text = format!("{number}-{}", words(dice, filler.saturating_sub(7).max(1)));
                Value::Text(cut(text.replace(' ', "-"), attribute.max_length))
            }
            kind => self.any(attribute, kind, member, dice),
        }
    }

    /// A range that meets no other: members lie one behind the other, those of one owner within all
    /// the time there was, those added after it.
    fn slot(&self, attribute: &Attribute, member: &Member, dice: &mut Dice) -> Value {
        let owner = self.shares(member.entity, &attribute.name);
        let rows = self.rows(member.entity);
        let (place, of) = match owner {
            Some(owner) => {
                (self.belonging[owner].ordinal(member.row), self.belonging[owner].most())
            }
            None => (member.row, rows),
        };
        // Beyond those there from the start: so many hours, days, or hundreds.
        let later = (member.row >= rows).then(|| {
            let since = member.row - rows;
            (since % 1_000_000 + if since >= UNSEEN { 1_000_000 } else { 0 }) as i64
        });
        let range = |from: Value, to: Value| Value::Range(Box::new(from), Box::new(to));
        match attribute.kind {
            AttributeType::TimestampRange => {
                let step = (SPAN / of.max(1) as f64).max(2.0) as i64;
                let (from, step) = match later {
                    Some(later) => (NOW + later * 3_600_000, 3_600_000),
                    None => (NOW - SPAN as i64 + place as i64 * step, step),
                };
                let length = 1 + dice.below(step.min(600_000_000) as u64 - 1) as i64;
                let at = |ms: i64| Value::Timestamp(Timestamp(ms));
                range(at(from), at(from + length))
            }
            AttributeType::DateRange => {
                let step = (730 / of.max(1)).max(1) as i64;
                let first = NOW / 86_400_000;
                let (from, step) = match later {
                    Some(later) => (first + later, 1),
                    None => (first - of as i64 * step + place as i64 * step, step),
                };
                let day = |day: i64| Value::Date(i32::try_from(day).unwrap_or_default());
                range(day(from), day(from + 1 + dice.below(step.min(14) as u64) as i64))
            }
            _ => {
                let from = match later {
                    Some(later) => of as i64 * 100 + later * 100,
                    None => place as i64 * 100,
                };
                range(Value::Integer(from), Value::Integer(from + 1 + dice.below(100) as i64))
            }
        }
    }
}

/// A whole number that no other row has, within the bounds where they leave room. Rows that nobody
/// has seen count down from the greatest.
fn counted(attribute: &Attribute, row: u64) -> i64 {
    let least = attribute.min.map_or(1, |least| least.ceil() as i64);
    let Some(most) = attribute.max.map(|most| most.floor() as i64) else {
        return least.saturating_add(row as i64);
    };
    let room = most.saturating_sub(least).saturating_add(1).max(1);
    match row {
        UNSEEN.. => most - (row % 1_000_000) as i64 % room,
        _ => least + row as i64 % room,
    }
}

/// Texts that may have as many letters begin with their number.
const DIGITS: u32 = 8;

/// Whether a text has no room for a number and a word.
pub(super) fn is_short(attribute: &Attribute) -> bool {
    attribute.max_length.is_some_and(|most| most < DIGITS)
}

/// A row's number in as few letters as it goes.
pub(super) fn short(mut row: u64) -> String {
    let mut text = Vec::new();
    loop {
        text.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(row % 36) as usize]);
        row /= 36;
        if row == 0 {
            return text.into_iter().rev().map(char::from).collect();
        }
    }
}
