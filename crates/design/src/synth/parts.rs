//! Parts of what tells members apart that refer to nothing: the number among those of one owner.

use marula_core::Timestamp;
use marula_core::model::{Attribute, AttributeType, Entity};

use super::draw::Dice;
use super::single::{is_short, short};
use super::text::{cut, word};
use super::values::{NOW, SPAN, scale};
use super::{Member, Value, World, within, words};

impl World<'_> {
    /// The first relationship that is in a set no two members share.
    pub(super) fn sharer(&self, entity: usize) -> Option<usize> {
        let mut sets = self.model.entities[entity].unique.iter().flatten();
        sets.find_map(|name| self.shares(entity, name))
    }

    /// The first relationship that is in a set no two members share together with an attribute.
    pub(super) fn shares(&self, entity: usize, name: &str) -> Option<usize> {
        let entity = &self.model.entities[entity];
        let sets = entity.unique.iter().filter(|set| set.iter().any(|one| one == name));
        sets.filter_map(|set| within(self.model, entity, &words(set)).first().copied()).min()
    }

    /// The first relationship by which an entity's members have a part of their key.
    pub(crate) fn owner(&self, entity: usize) -> Option<usize> {
        let entity = &self.model.entities[entity];
        within(self.model, entity, &entity.key()).first().copied()
    }

    /// A part of a key of several attributes that refers to nothing: the number among those of the
    /// same owner, or a digit of it where all such parts have few values.
    pub(super) fn part(
        &self,
        attribute: &Attribute,
        member: &Member,
        owner: Option<usize>,
        dice: &mut Dice,
    ) -> Value {
        // Those added come after those that their owner has.
        let had = |owner: usize| {
            let one = member.parents.get(&owner).copied().unwrap_or(u64::MAX);
            self.belonging[owner].children(one).count() as u64
        };
        let before = owner.map_or(0, had);
        let ordinal = match (member.ordinal, owner) {
            (Some(ordinal), Some(_)) => before + ordinal,
            (Some(ordinal), None) => self.rows(member.entity) + ordinal,
            (None, Some(owner)) => self.belonging[owner].ordinal(member.row),
            (None, None) => member.row,
        };
        let number = self.digit(self.entity(member), attribute, ordinal, before);
        match attribute.kind {
            AttributeType::Id | AttributeType::Integer => {
                let least = attribute.min.map_or(1, |least| least.ceil() as i64);
                Value::Integer(least.saturating_add(number as i64))
            }
            AttributeType::Timestamp => {
                let of_owner = owner.and_then(|owner| self.belonging[owner].parent(member.row));
                let most = match owner {
                    Some(owner) => self.belonging[owner].most().max(1),
                    None => self.rows(member.entity).max(1),
                };
                let step = SPAN / most as f64;
                if member.ordinal.is_some() {
                    let since = member.row.saturating_sub(self.rows(member.entity));
                    return Value::Timestamp(Timestamp(NOW + since as i64));
                }
                let offset = of_owner.unwrap_or_default() % 1_000;
                Value::Timestamp(Timestamp(
                    NOW - SPAN as i64 + (ordinal as f64 * step) as i64 + offset as i64,
                ))
            }
            AttributeType::Date => Value::Date(18_000 + number as i32),
            // One behind the other.
            AttributeType::DateRange
            | AttributeType::TimestampRange
            | AttributeType::NumberRange => {
                let at = |number: u64| match attribute.kind {
                    AttributeType::DateRange => Value::Date(18_000 + number as i32 * 7),
                    AttributeType::TimestampRange => {
                        Value::Timestamp(Timestamp(NOW - SPAN as i64 + number as i64 * 3_600_000))
                    }
                    _ => Value::Integer(number as i64 * 100),
                };
                Value::Range(Box::new(at(number)), Box::new(at(number + 1)))
            }
            AttributeType::Time => Value::Time(number as u32),
            AttributeType::Duration => Value::Duration(number as i64),
            AttributeType::Decimal | AttributeType::Money => {
                let scale = scale(attribute);
                let least = attribute.min.unwrap_or(0.0) * 10f64.powi(i32::from(scale));
                Value::Decimal { units: least.ceil() as i64 + number as i64, scale }
            }
            AttributeType::Float => Value::Float(attribute.min.unwrap_or(0.0) + number as f64),
            AttributeType::Enumeration if !attribute.values.is_empty() => {
                Value::Text(attribute.values[number as usize].clone())
            }
            AttributeType::Boolean => Value::Boolean(number == 1),
            AttributeType::Text if is_short(attribute) => Value::Text(short(number)),
            AttributeType::Text => {
                Value::Text(cut(format!("{number}-{}", word(number)), attribute.max_length))
            }
            kind => self.any(attribute, kind, member, dice),
        }
    }

    /// Which value of an attribute a member has by its number among those of its owner. Where all
    /// parts that refer to nothing have few values these are the digits of the number, the one with
    /// the fewest first. Beyond all that there are they come again, but for the first `before`.
    fn digit(&self, entity: &Entity, attribute: &Attribute, ordinal: u64, before: u64) -> u64 {
        let name = attribute.name.as_str();
        let sets = std::iter::once(entity.key()).chain(entity.unique.iter().map(|set| words(set)));
        let set = sets.into_iter().find(|set| set.contains(&name)).unwrap_or_default();
        let refers = |name: &str| {
            let mut relations = self.model.relations.iter();
            relations.any(|r| r.from == entity.name && r.attributes.iter().any(|own| own == name))
        };
        let free = set.iter().filter(|name| !refers(name));
        let free: Vec<&Attribute> = free.filter_map(|name| entity.attribute(name)).collect();
        let few: Option<Vec<(u64, &str)>> =
            free.iter().map(|one| Some((values_of(one)?, one.name.as_str()))).collect();
        let Some(mut few) = few.filter(|few| !few.is_empty()) else {
            // Another part is different in each.
            return values_of(attribute).map_or(ordinal, |count| ordinal % count);
        };
        few.sort_by_key(|(count, _)| *count);
        let all = few.iter().fold(1u64, |product, (count, _)| product.saturating_mul(*count));
        let first = before.min(all - 1);
        let number = match ordinal < all {
            true => ordinal,
            false => first + (ordinal - first) % (all - first),
        };
        let lower = few.iter().take_while(|(_, other)| *other != name);
        let below = lower.fold(1u64, |product, (count, _)| product.saturating_mul(*count));
        number / below % values_of(attribute).unwrap_or(u64::MAX)
    }
}

/// How many different values an attribute can have; none where there is no end of them.
pub(super) fn values_of(attribute: &Attribute) -> Option<u64> {
    match attribute.kind {
        AttributeType::Enumeration if !attribute.values.is_empty() => {
            Some(attribute.values.len() as u64)
        }
        AttributeType::Boolean => Some(2),
        AttributeType::Integer | AttributeType::Id => {
            let (least, most) = (attribute.min.map_or(1.0, f64::ceil), attribute.max?.floor());
            Some((most - least + 1.0).max(1.0) as u64)
        }
        AttributeType::Time => Some(86_400),
        AttributeType::Text if is_short(attribute) => {
            Some(36u64.pow(attribute.max_length.unwrap_or_default()).max(1))
        }
        _ => None,
    }
}
