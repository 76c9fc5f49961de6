use std::collections::BTreeMap;

use marula_core::Timestamp;
use marula_core::model::{Attribute, AttributeType, Entity, Model};

use super::draw::Dice;
use super::text::{cut, word, words};
use super::{Member, Value, World};

/// Two years, in milliseconds: what the members there from the start came about in.
const SPAN: f64 = 730.0 * 86_400_000.0;
/// The moment up to which they did.
const NOW: i64 = 1_767_225_600_000;

/// An attribute that comes after another: `ends_at > starts_at`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    /// The attribute that is less, by its index.
    pub(super) less: usize,
}

/// Which attribute must be more than which other, from checks that say so.
pub(super) fn orders(model: &Model) -> BTreeMap<(usize, usize), Order> {
    let mut found = BTreeMap::new();
    for (at, entity) in model.entities.iter().enumerate() {
        for check in &entity.checks {
            let index = |name: &str| entity.attributes.iter().position(|a| a.name == name.trim());
            let sides = |sign: char| {
                let (left, right) = check.split_once(sign)?;
                Some((index(left)?, index(right.trim_start_matches('='))?))
            };
            let pair = sides('<').or_else(|| sides('>').map(|(more, less)| (less, more)));
            if let Some((less, more)) = pair
                && !found.contains_key(&(at, less))
            {
                found.insert((at, more), Order { less });
            }
        }
    }
    found
}

impl World<'_> {
    /// The value of a member's attribute.
    pub fn value(&self, member: &Member, name: &str) -> Value {
        let entity = self.entity(member);
        let Some(at) = entity.attributes.iter().position(|a| a.name == name) else {
            return Value::Null;
        };
        if let Some(value) = self.reference(member, entity, name) {
            return value;
        }
        let attribute = &entity.attributes[at];
        let mut dice = Dice::of(&[self.seed, member.entity as u64, at as u64, member.row]);
        let key = entity.key();
        if key.contains(&name) {
            return match key.len() {
                1 => self.single(attribute, member, &mut dice),
                _ => self.part(attribute, member, entity, &mut dice),
            };
        }
        if !attribute.required && dice.share() < attribute.missing.unwrap_or(0.1) {
            return Value::Null;
        }
        let in_unique = entity.unique.iter().any(|set| set.iter().any(|a| a == name));
        if attribute.unique || in_unique && !self.refers(entity, &entity.unique, name) {
            return self.single(attribute, member, &mut dice);
        }
        if let Some(order) = self.orders.get(&(member.entity, at)) {
            let less = self.value(member, &entity.attributes[order.less].name);
            // More than what is not there is anything.
            if less != Value::Null {
                return after(less, &mut dice);
            }
        }
        self.any(attribute, attribute.kind, member, &mut dice)
    }

    /// The key of the one, when the attribute refers to one.
    fn reference(&self, member: &Member, entity: &Entity, name: &str) -> Option<Value> {
        let relations = self.model.relations.iter().enumerate();
        let (at, place) = relations
            .filter(|(_, relation)| relation.from == entity.name)
            .find_map(|(at, r)| Some((at, r.attributes.iter().position(|a| a == name)?)))?;
        let Some(parent) = self.parent(member, at) else { return Some(Value::Null) };
        Some(self.key(&parent).into_iter().nth(place).unwrap_or(Value::Null))
    }

    /// Whether a set with this attribute has a reference in it, which makes its members differ
    /// already by whom they belong to and their number there.
    fn refers(&self, entity: &Entity, sets: &[Vec<String>], name: &str) -> bool {
        let references = |attribute: &String| {
            self.model
                .relations
                .iter()
                .any(|r| r.from == entity.name && r.attributes.contains(attribute))
        };
        sets.iter()
            .filter(|set| set.iter().any(|a| a == name))
            .all(|set| set.iter().all(references))
    }

    /// A value no other member has.
    fn single(&self, attribute: &Attribute, member: &Member, dice: &mut Dice) -> Value {
        let row = member.row;
        let number = row as i64 + 1;
        match attribute.kind {
            AttributeType::Uuid => Value::Uuid(uuid(dice, None)),
            AttributeType::UuidV7 => Value::Uuid(uuid(dice, Some(self.moment(member, 0.5)))),
            AttributeType::Id | AttributeType::Integer => Value::Integer(number),
            AttributeType::Decimal | AttributeType::Money => {
                Value::Decimal { units: number, scale: scale(attribute) }
            }
            AttributeType::Float => Value::Float(number as f64),
            AttributeType::Date => Value::Date((row % 2_900_000) as i32),
            AttributeType::Timestamp => Value::Timestamp(Timestamp(NOW - SPAN as i64 + number)),
            AttributeType::Text if attribute.name.contains("email") => {
                Value::Text(format!("{}.{number}@example.com", word(dice.below(4_096))))
            }
            // The number comes first, so that cutting to the greatest length keeps it.
            AttributeType::Text => {
                let filler = attribute.average_length.unwrap_or(12) as usize;
                let text = format!("{number}-{}", words(dice, filler.saturating_sub(7).max(1)));
                Value::Text(cut(text.replace(' ', "-"), attribute.max_length))
            }
            kind => self.any(attribute, kind, member, dice),
        }
    }

    /// A part of a key of several attributes that refers to nothing: the number among those of the
    /// same owner.
    fn part(
        &self,
        attribute: &Attribute,
        member: &Member,
        entity: &Entity,
        dice: &mut Dice,
    ) -> Value {
        let owner = self.model.relations.iter().position(|relation| {
            relation.from == entity.name
                && relation.attributes.iter().all(|a| entity.key().contains(&a.as_str()))
        });
        // Those added come after those that their owner has.
        let had = |owner: usize| {
            let one = member.parents.get(&owner).copied().unwrap_or(u64::MAX);
            self.belonging[owner].children(one).count() as u64
        };
        let ordinal = match (member.ordinal, owner) {
            (Some(ordinal), Some(owner)) => had(owner) + ordinal,
            (Some(ordinal), None) => self.rows(member.entity) + ordinal,
            (None, Some(owner)) => self.belonging[owner].ordinal(member.row),
            (None, None) => member.row,
        };
        match attribute.kind {
            AttributeType::Id | AttributeType::Integer => Value::Integer(ordinal as i64 + 1),
            AttributeType::Timestamp => {
                let of_owner = owner.and_then(|owner| self.belonging[owner].parent(member.row));
                let most =
                    self.belonging.get(owner.unwrap_or_default()).map_or(1, |b| b.most().max(1));
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
            AttributeType::Date => Value::Date(18_000 + ordinal as i32),
            AttributeType::Enumeration if !attribute.values.is_empty() => {
                let at = ordinal as usize % attribute.values.len();
                Value::Text(attribute.values[at].clone())
            }
            AttributeType::Text => {
                Value::Text(cut(format!("{ordinal}-{}", word(ordinal)), attribute.max_length))
            }
            kind => self.any(attribute, kind, member, dice),
        }
    }

    /// When a member came about: in the order of their numbers, those added after all others.
    pub(super) fn moment(&self, member: &Member, within: f64) -> i64 {
        let rows = self.rows(member.entity).max(1);
        if member.row >= rows {
            // Within some days, however many are added.
            return NOW + ((member.row - rows) % 1_000_000) as i64 * 1_000;
        }
        let share = (member.row as f64 + within) / rows as f64;
        NOW - SPAN as i64 + (share * SPAN) as i64
    }
}

/// A value a little more than another.
pub(super) fn after(less: Value, dice: &mut Dice) -> Value {
    match less {
        Value::Timestamp(Timestamp(at)) => {
            Value::Timestamp(Timestamp(at + 60_000 * (1 + dice.below(10_000) as i64)))
        }
        Value::Date(days) => Value::Date(days + 1 + dice.below(14) as i32),
        Value::Integer(number) => Value::Integer(number + 1 + dice.below(100) as i64),
        Value::Decimal { units, scale } => {
            Value::Decimal { units: units + 1 + dice.below(10_000) as i64, scale }
        }
        Value::Float(number) => Value::Float(number + 0.001 + dice.share()),
        Value::Time(seconds) => Value::Time((seconds + 1).min(86_399)),
        other => other,
    }
}

pub(super) fn scale(attribute: &Attribute) -> u8 {
    let usual = if attribute.kind == AttributeType::Money { 2 } else { 3 };
    attribute.scale.unwrap_or(usual).min(9) as u8
}

/// A random name (version 4), or one that begins with a moment (version 7).
pub(super) fn uuid(dice: &mut Dice, moment: Option<i64>) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&dice.next().to_be_bytes());
    bytes[8..].copy_from_slice(&dice.next().to_be_bytes());
    if let Some(ms) = moment {
        bytes[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    }
    bytes[6] = bytes[6] & 0x0f | if moment.is_some() { 0x70 } else { 0x40 };
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}
