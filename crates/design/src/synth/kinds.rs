use marula_core::model::{Attribute, AttributeType, Search, Skew};
use marula_core::{Json, Timestamp};

use super::draw::Dice;
use super::text::{cut, word, words};
use super::values::{after, scale, uuid};
use super::{Member, Value, World};

impl World<'_> {
    /// A value of a type, as often as the attribute says.
    pub(super) fn any(
        &self,
        attribute: &Attribute,
        kind: AttributeType,
        member: &Member,
        dice: &mut Dice,
    ) -> Value {
        let distinct = attribute.distinct.map(|count| count.0.max(1));
        let rank = distinct.map(|count| dice.pick(count, attribute.skew));
        // A value that repeats follows from its number alone.
        let mut dice = match rank {
            Some(rank) => Dice::of(&[self.seed, member.entity as u64, kind as u64, rank]),
            None => dice.clone(),
        };
        let dice = &mut dice;
        let within = |dice: &mut Dice, least: f64, most: f64| {
            let usual = attribute.usual;
            let least = usual.map(|usual| usual.min).or(attribute.min).unwrap_or(least);
            // As many digits as there may be.
            let whole = attribute.precision.map(|digits| {
                10f64.powi(digits.saturating_sub(attribute.scale.unwrap_or(0)) as i32) - 1.0
            });
            let most = whole.map_or(most, |whole| most.min(whole));
            let most =
                usual.map(|usual| usual.max).or(attribute.max).unwrap_or(most.max(least + 1.0));
            match attribute.skew {
                Skew::Zipf => least + dice.rank((most - least).max(1.0) as u64) as f64,
                _ => least + dice.share() * (most - least),
            }
        };
        match kind {
            AttributeType::Id => Value::Integer(1 + dice.below(1_000_000) as i64),
            AttributeType::Integer => Value::Integer(match rank {
                Some(rank) => {
                    let usual = attribute.usual.map(|usual| usual.min);
                    usual.or(attribute.min).unwrap_or(0.0) as i64 + rank as i64
                }
                None => within(dice, 0.0, 1_000.0).round() as i64,
            }),
            AttributeType::Decimal | AttributeType::Money => {
                let scale = scale(attribute);
                let units = within(dice, 1.0, 500.0) * 10f64.powi(i32::from(scale));
                Value::Decimal { units: units as i64, scale }
            }
            AttributeType::Float => {
                Value::Float((within(dice, 0.0, 100.0) * 1_000.0).round() / 1_000.0)
            }
            AttributeType::Boolean => Value::Boolean(dice.below(2) == 1),
            AttributeType::Enumeration => match attribute.values.len() as u64 {
                0 => Value::Text(word(dice.rank(8))),
                many => {
                    let at = if attribute.skew == Skew::Zipf {
                        dice.rank(many)
                    } else {
                        dice.below(many)
                    };
                    Value::Text(attribute.values[at as usize].clone())
                }
            },
            AttributeType::Text => {
                let length = attribute
                    .average_length
                    .unwrap_or(attribute.max_length.map_or(20, |m| m / 2).min(40));
                let text = match attribute.search {
                    Some(Search::Words) => words(dice, length as usize),
                    _ => {
                        let first = word(dice.below(65_536));
                        format!(
                            "{first} {}",
                            words(dice, (length as usize).saturating_sub(first.len() + 1))
                        )
                    }
                };
                Value::Text(cut(text.trim_end().to_owned(), attribute.max_length))
            }
            AttributeType::Uuid => Value::Uuid(uuid(dice, None)),
            AttributeType::UuidV7 => {
                let moment = self.moment(member, dice.share());
                Value::Uuid(uuid(dice, Some(moment)))
            }
            AttributeType::Timestamp => {
                Value::Timestamp(Timestamp(self.moment(member, dice.share())))
            }
            AttributeType::Date => {
                Value::Date((self.moment(member, dice.share()) / 86_400_000) as i32)
            }
            AttributeType::Time => Value::Time(dice.below(86_400) as u32),
            AttributeType::Duration => Value::Duration(within(dice, 1.0, 86_400.0) as i64),
            AttributeType::Binary => {
                let length = attribute.average_length.unwrap_or(64);
                Value::Binary((0..length).map(|_| dice.next() as u8).collect())
            }
            AttributeType::Json => Value::Json(open(dice, attribute.average_length.unwrap_or(80))),
            AttributeType::Point => {
                let degree = |dice: &mut Dice, most: f64| {
                    ((dice.share() * 2.0 - 1.0) * most * 1e5).round() / 1e5
                };
                Value::Point(degree(dice, 180.0), degree(dice, 85.0))
            }
            AttributeType::DateRange => {
                let first = (self.moment(member, dice.share()) / 86_400_000) as i32;
                Value::Range(
                    Box::new(Value::Date(first)),
                    Box::new(Value::Date(first + 1 + dice.below(14) as i32)),
                )
            }
            AttributeType::TimestampRange => {
                let first = Value::Timestamp(Timestamp(self.moment(member, dice.share())));
                let last = after(first.clone(), dice);
                Value::Range(Box::new(first), Box::new(last))
            }
            AttributeType::NumberRange => {
                let first = dice.below(1_000) as i64;
                let last = first + 1 + dice.below(100) as i64;
                Value::Range(Box::new(Value::Integer(first)), Box::new(Value::Integer(last)))
            }
            AttributeType::List => {
                let length = attribute.length.unwrap_or_default();
                let most = length.max.unwrap_or(length.average.max(3.0) as u64 * 2).max(1);
                let count =
                    ((length.average.max(1.0) * 2.0 * dice.share()).round() as u64).min(most);
                let of = attribute.of.unwrap_or(AttributeType::Text);
                let mut values: Vec<Value> = Vec::new();
                for _ in 0..count {
                    let value = match of {
                        AttributeType::Text => Value::Text(word(dice.rank(500))),
                        // Its values and its scale are those of the list.
                        kind => self.any(
                            &Attribute { kind, of: None, ..attribute.clone() },
                            kind,
                            member,
                            dice,
                        ),
                    };
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                Value::List(values)
            }
        }
    }
}

/// An open document of about `length` bytes with a few of many possible fields.
fn open(dice: &mut Dice, length: u32) -> Json {
    let mut fields = serde_json::Map::new();
    let mut size = 2;
    while size < length as usize && fields.len() < 200 {
        let name = word(dice.rank(64));
        let value = words(dice, 8);
        size += name.len() + value.len() + 6;
        fields.insert(name, Json::String(value));
    }
    Json::Object(fields)
}
