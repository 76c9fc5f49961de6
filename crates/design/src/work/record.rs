use std::cmp::Ordering;
use std::collections::BTreeMap;

use marula_core::model::AggregateFunction;

use crate::structure::{Bucket, Source, Span, Store, Structure, Subset};
use crate::synth::{Member, Value, World};

/// A member with those that live within it or come along with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// The member.
    pub member: Member,
    /// The many of each relationship that come along, for one that is added.
    pub with: BTreeMap<usize, Vec<Tree>>,
}

/// What a store keeps of a member.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Each field with its value, in the store's order.
    pub fields: Vec<(String, FieldValue)>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// A single one.
    Value(Value),
    /// A copy of what the one of a relationship has. Whoever writes it has to read it first: it
    /// may have changed since the members were made.
    Copied {
        /// The entity of the one.
        entity: String,
        /// Its key.
        key: Vec<Value>,
        /// Its attribute.
        attribute: String,
        /// What it was when the members were made.
        value: Value,
    },
    /// The many that are embedded.
    Records(Vec<Record>),
}

impl Tree {
    /// A member that comes alone.
    pub fn alone(member: Member) -> Self {
        Tree { member, with: BTreeMap::new() }
    }

    /// All that are added with it, and itself.
    pub(super) fn members(&self, all: &mut Vec<Member>) {
        all.push(self.member.clone());
        self.with.values().flatten().for_each(|tree| tree.members(all));
    }

    /// The many of a relationship: those that come along, or those that are there.
    fn many(&self, world: &World<'_>, relation: usize) -> Vec<Tree> {
        match self.with.get(&relation) {
            Some(many) => many.clone(),
            None => world.children(&self.member, relation).into_iter().map(Tree::alone).collect(),
        }
    }
}

impl Record {
    /// Whether it has a copy, or something embedded in it has one.
    pub fn copies(&self) -> bool {
        self.fields.iter().any(|(_, value)| match value {
            FieldValue::Value(_) => false,
            FieldValue::Copied { .. } => true,
            FieldValue::Records(records) => records.iter().any(Record::copies),
        })
    }

    /// A bucket of members of one, of which there is at least one, in the order of their moments.
    pub fn bucket(
        world: &World<'_>,
        structure: &Structure,
        store: &Store,
        bucket: &Bucket,
        members: &[Tree],
    ) -> Self {
        let moment = |tree: Option<&Tree>| {
            tree.map_or(Value::Null, |tree| world.value(&tree.member, &bucket.time))
        };
        let fields = store.fields.iter().map(|field| {
            let value = match &field.source {
                Source::Span(Span::First) => FieldValue::Value(moment(members.first())),
                Source::Span(Span::Last) => FieldValue::Value(moment(members.last())),
                Source::Span(Span::Count) => {
                    FieldValue::Value(Value::Integer(members.len() as i64))
                }
                Source::Rows { store, .. } => {
                    let each = members.iter();
                    let rows = each.map(|tree| Record::new(world, structure, store, tree));
                    FieldValue::Records(rows.collect())
                }
                Source::Attribute(name) => FieldValue::Value(
                    members.first().map_or(Value::Null, |tree| world.value(&tree.member, name)),
                ),
                _ => FieldValue::Value(Value::Null),
            };
            (field.name.clone(), value)
        });
        Record { fields: fields.collect() }
    }

    /// What `store` keeps of a member.
    pub fn new(world: &World<'_>, structure: &Structure, store: &Store, tree: &Tree) -> Self {
        let member = &tree.member;
        let fields = store.fields.iter().map(|field| {
            let value = match &field.source {
                Source::Attribute(name) => FieldValue::Value(world.value(member, name)),
                Source::Copy { relation, attribute } => match world.parent(member, *relation) {
                    None => FieldValue::Value(Value::Null),
                    Some(one) => FieldValue::Copied {
                        entity: world.entity(&one).name.clone(),
                        key: world.key(&one),
                        attribute: attribute.clone(),
                        value: world.value(&one, attribute),
                    },
                },
                Source::Computed(at) => FieldValue::Value(computed(world, structure, *at, tree)),
                Source::Span(_) | Source::Rows { .. } => FieldValue::Value(Value::Null),
                Source::Turn(_) => FieldValue::Value(Value::Integer(0)),
                Source::Embedded { relation, store } => {
                    let many = tree.many(world, *relation);
                    FieldValue::Records(
                        many.iter()
                            .map(|tree| Record::new(world, structure, store, tree))
                            .collect(),
                    )
                }
                Source::Subset { subset, store, .. } => {
                    let first = first(world, &structure.subsets[*subset], tree);
                    let records =
                        first.iter().map(|tree| Record::new(world, structure, store, tree));
                    FieldValue::Records(records.collect())
                }
            };
            (field.name.clone(), value)
        });
        Record { fields: fields.collect() }
    }
}

/// The first of the many, in their order.
fn first(world: &World<'_>, subset: &Subset, tree: &Tree) -> Vec<Tree> {
    let keyed = tree.many(world, subset.relation).into_iter().map(|tree| {
        let by = subset.order.iter().map(|(name, _)| world.value(&tree.member, name));
        (by.collect::<Vec<Value>>(), tree)
    });
    let mut keyed: Vec<(Vec<Value>, Tree)> = keyed.collect();
    keyed.sort_by(|(left, _), (right, _)| {
        let each = left.iter().zip(right).zip(&subset.order);
        each.map(|((left, right), (_, descending))| match descending {
            true => right.order(left),
            false => left.order(right),
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
    });
    keyed.truncate(subset.count as usize);
    keyed.into_iter().map(|(_, tree)| tree).collect()
}

/// The value over the many that is kept with the one.
fn computed(world: &World<'_>, structure: &Structure, at: usize, tree: &Tree) -> Value {
    let computed = &structure.computed[at];
    let many = tree.many(world, computed.relation);
    match (&computed.function, &computed.attribute) {
        (AggregateFunction::Sum, Some(attribute)) => many
            .iter()
            .map(|tree| world.value(&tree.member, attribute))
            .fold(Value::Integer(0), add),
        _ => Value::Integer(many.len() as i64),
    }
}

/// The sum of two values; nothing adds nothing.
pub(super) fn add(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Integer(0), right) if !right.is_null() => right,
        (Value::Integer(left), Value::Integer(right)) => Value::Integer(left + right),
        (Value::Decimal { units: left, scale }, Value::Decimal { units: right, .. }) => {
            Value::Decimal { units: left + right, scale }
        }
        (Value::Float(left), Value::Float(right)) => Value::Float(left + right),
        (left, _) => left,
    }
}
