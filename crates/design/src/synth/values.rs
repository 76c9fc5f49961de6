use std::collections::BTreeMap;

use marula_core::Timestamp;
use marula_core::model::{Attribute, AttributeType, Entity, Model};

use super::checks::Changed;
use super::draw::Dice;
use super::{Member, Value, World};
use crate::schema::nullable;

/// Two years, in milliseconds: what the members there from the start came about in.
pub(super) const SPAN: f64 = 730.0 * 86_400_000.0;
/// The moment up to which they did.
pub(super) const NOW: i64 = 1_767_225_600_000;

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
        match self.groups.get(member.entity, at) {
            Some(group) if self.is_free(entity, at) => {
                self.kept(group, member, &Changed::No).remove(&at).unwrap_or(Value::Null)
            }
            _ => self.drawn(member, at, 0),
        }
    }

    /// New values for some attributes of a member that is there, with which the model's checks hold:
    /// those of `other`, whom nobody has seen. A reference stays.
    pub(crate) fn changed(
        &self,
        member: &Member,
        other: &Member,
        names: &[String],
    ) -> Vec<(String, Value)> {
        let entity = self.entity(member);
        let index = |name: &String| entity.attributes.iter().position(|a| a.name == *name);
        let set: Vec<usize> = names.iter().filter_map(index).collect();
        let refers = |name: &String| {
            self.model
                .relations
                .iter()
                .any(|r| r.from == entity.name && r.attributes.contains(name))
        };
        let new = |name: &String| {
            let at = index(name)?;
            if refers(name) {
                return Some(self.value(member, name));
            }
            let Some(group) = self.groups.get(member.entity, at) else {
                return Some(self.value(other, name));
            };
            self.kept(group, other, &Changed::To { before: member, set: &set }).remove(&at)
        };
        names.iter().map(|name| (name.clone(), new(name).unwrap_or(Value::Null))).collect()
    }

    /// The value of an attribute as it is drawn for the so-manieth time.
    pub(super) fn drawn(&self, member: &Member, at: usize, attempt: u64) -> Value {
        let entity = self.entity(member);
        let attribute = &entity.attributes[at];
        let name = attribute.name.as_str();
        if let Some(value) = self.reference(member, entity, name) {
            return value;
        }
        let mut dice = Dice::of(&[self.seed, member.entity as u64, at as u64, member.row]);
        // What others are told by is drawn once.
        let attempt = if attempt > 0 && self.is_free(entity, at) { attempt } else { 0 };
        if attempt > 0 {
            dice = Dice::of(&[dice.next(), attempt]);
        }
        let key = entity.key();
        if key.contains(&name) {
            return match key.len() {
                1 => self.single(attribute, member, &mut dice),
                _ => self.part(attribute, member, self.owner(member.entity), &mut dice),
            };
        }
        if !attribute.required && dice.share() < attribute.missing.unwrap_or(0.1) {
            return Value::Null;
        }
        let in_unique = entity.unique.iter().any(|set| set.iter().any(|a| a == name));
        if attribute.unique || in_unique && !self.refers(entity, &entity.unique, name) {
            let few = match attribute.kind {
                AttributeType::Enumeration | AttributeType::Boolean => true,
                AttributeType::Integer => attribute.max.is_some(),
                _ => false,
            };
            return match self.shares(member.entity, name).filter(|_| few && !attribute.unique) {
                Some(owner) => self.part(attribute, member, Some(owner), &mut dice),
                None => self.single(attribute, member, &mut dice),
            };
        }
        if let Some(order) = self.orders.get(&(member.entity, at)) {
            let less = self.drawn(member, order.less, attempt);
            // More than what is not there is anything.
            if less != Value::Null && attempt % 2 == 0 {
                return after(less, &mut dice);
            }
        }
        self.any(attribute, attribute.kind, member, &mut dice)
    }

    /// The key of the one, when the attribute refers to one: by the first relationship that has one,
    /// those to its own kind last. What must be there though nobody is referred to is that of anybody:
    /// the site of what is in none of its bins.
    fn reference(&self, member: &Member, entity: &Entity, name: &str) -> Option<Value> {
        let mut anybody = None;
        for own_kind in [false, true] {
            for (at, r) in self.model.relations.iter().enumerate() {
                if r.from != entity.name || (r.to == r.from) != own_kind {
                    continue;
                }
                let Some(place) = r.attributes.iter().position(|a| a == name) else { continue };
                let key = |one: Member| self.key(&one).into_iter().nth(place);
                if let Some(parent) = self.parent(member, at) {
                    return Some(key(parent).unwrap_or(Value::Null));
                }
                let may_be_null = nullable(self.model, r);
                if may_be_null.is_empty() || may_be_null.contains(&name) {
                    anybody = Some(Value::Null);
                }
                // Their own kind may not be settled yet, and no key is anybody's.
                let to = self.index(&r.to).filter(|to| !own_kind && self.rows(*to) > 0);
                if let (None, Some(to), false) = (&anybody, to, entity.key().contains(&name)) {
                    let mut dice = Dice::of(&[self.seed, 0x616e_7962, at as u64, member.row]);
                    anybody = key(self.member(to, dice.below(self.rows(to))));
                }
            }
        }
        anybody
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
