//! Parts of what tells members apart that refer to nothing: the number among those of one owner.

use marula_core::Timestamp;
use marula_core::model::{Attribute, AttributeType};

use super::draw::Dice;
use super::text::{cut, word};
use super::values::{NOW, SPAN};
use super::{Member, Value, World, within, words};

impl World<'_> {
    /// How many turns the few values of the key's parts before this one take, until it is this one's.
    fn turns_before(&self, member: &Member, attribute: &Attribute) -> u64 {
        let entity = self.entity(member);
        let key = entity.key();
        if !key.contains(&attribute.name.as_str()) {
            return 1;
        }
        let before = key.into_iter().take_while(|name| *name != attribute.name);
        let turns = before.filter_map(|name| match entity.attribute(name)? {
            one if one.kind == AttributeType::Boolean => Some(2),
            one => Some(one.values.len() as u64).filter(|count| *count > 0),
        });
        turns.product()
    }

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
    /// same owner.
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
        match attribute.kind {
            AttributeType::Id | AttributeType::Integer => {
                let least = attribute.min.map_or(1, |least| least.ceil() as i64);
                let number = least.saturating_add(ordinal as i64);
                match attribute.max.map(|most| most.floor() as i64) {
                    // Within the bounds, but not among those that were there.
                    Some(most) if number > most => {
                        let first = least.saturating_add(before as i64).min(most);
                        Value::Integer(first + (number - first) % (most - first + 1))
                    }
                    _ => Value::Integer(number),
                }
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
            AttributeType::Date => Value::Date(18_000 + ordinal as i32),
            AttributeType::Enumeration if !attribute.values.is_empty() => {
                let at = (ordinal / self.turns_before(member, attribute)) as usize;
                Value::Text(attribute.values[at % attribute.values.len()].clone())
            }
            AttributeType::Boolean => {
                Value::Boolean(ordinal / self.turns_before(member, attribute) % 2 == 1)
            }
            AttributeType::Text => {
                Value::Text(cut(format!("{ordinal}-{}", word(ordinal)), attribute.max_length))
            }
            kind => self.any(attribute, kind, member, dice),
        }
    }
}
