use std::collections::BTreeMap;

use marula_core::model::{AggregateFunction, Deed, Write};

use super::effect::Effect;
use super::held;
use super::record::{Tree, add};
use super::turns;
use crate::structure::{Placement, Structure};
use crate::synth::{Dice, Member, Turn, Value, World};

/// Which time of a write it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// The how-manieth, from 0.
    pub serial: u64,
    /// The transaction it is part of, by its index in the model.
    pub within: Option<usize>,
}

/// Numbers of members above those of all that are added.
const UNSEEN: u64 = 1_000_000_000;

/// What a time of a write does to the stores of a structure; `None` where it cannot be done, since
/// all have one that may have one only.
///
/// What is added belongs to what was added `beside` it in the same transaction.
pub fn effects(
    world: &World<'_>,
    structure: &Structure,
    write: &Write,
    time: Time,
    beside: &mut Vec<Member>,
) -> Option<Vec<Effect>> {
    let Some(entity) = world.index(&write.entity) else { return Some(Vec::new()) };
    let within = time.within.map_or(0, |at| at as u64 + 1);
    let mut dice = Dice::of(&[0x776f_726b, hash(&write.name), time.serial, within]);
    match write.does {
        Deed::Insert => inserts(world, structure, write, entity, time, beside, &mut dice),
        Deed::Update => Some(updates(world, structure, write, entity, time, &mut dice)),
        Deed::Delete => {
            let member = world.member(entity, dice.pick(world.rows(entity), write.skew));
            let mut effects = vec![Effect::Remove { entity, by: found_by(world, write, &member) }];
            effects.extend(tallies(world, structure, &Tree::alone(member.clone()), -1));
            effects.extend(held::refills(world, structure, &member));
            Some(effects)
        }
    }
}

fn inserts(
    world: &World<'_>,
    structure: &Structure,
    write: &Write,
    entity: usize,
    time: Time,
    beside: &mut Vec<Member>,
    dice: &mut Dice,
) -> Option<Vec<Effect>> {
    let name = &world.model.entities[entity].name;
    let mut given = BTreeMap::new();
    for (at, relation) in world.model.relations.iter().enumerate().filter(|(_, r)| r.from == *name)
    {
        let to = beside.iter().find(|one| world.entity(one).name == relation.to);
        // A key of several parts is not told by a number.
        let Some(one) = to.filter(|one| world.entity(one).key().len() == 1) else { continue };
        if relation.from != relation.to && !given.values().any(|row| *row == one.row) {
            given.insert(at, one.row);
        }
    }
    let turn = turns::alone(world.model, write, time);
    let member = world.added(entity, turn, write.skew, &given, dice)?;
    beside.push(member.clone());
    let along = turns::Along::new(world.model, write, time);
    let tree = grown(world, write, member, &along, time.serial, dice)?;
    let mut effects = Vec::new();
    place(world, structure, tree, &mut effects);
    Some(effects)
}

/// The member with those of its own that a write brings along.
fn grown(
    world: &World<'_>,
    write: &Write,
    member: Member,
    along: &turns::Along,
    serial: u64,
    dice: &mut Dice,
) -> Option<Tree> {
    let mut tree = Tree::alone(member);
    let name = world.entity(&tree.member).name.clone();
    for (at, relation) in world.model.relations.iter().enumerate() {
        let brought =
            relation.to == name && write.with.contains(&relation.from) && relation.from != name;
        let (true, Some(many)) = (brought, world.index(&relation.from)) else { continue };
        let count = world.some_fanout(at, dice).min(turns::MOST_ALONG);
        let given = BTreeMap::from([(at, tree.member.row)]);
        let mut members = Vec::new();
        for place in 0..count {
            let number = serial * turns::MOST_ALONG + place;
            let turn = Turn { number: along.number(number), place };
            let child = world.added(many, turn, write.skew, &given, dice)?;
            members.push(grown(world, write, child, along, number, dice)?);
        }
        tree.with.insert(at, members);
    }
    // Nobody who is new has anybody else of whom nothing is known.
    for at in 0..world.model.relations.len() {
        if world.model.relations[at].to == name {
            tree.with.entry(at).or_default();
        }
    }
    Some(tree)
}

/// Puts a member, and those that come along and have stores of their own, where they belong.
fn place(world: &World<'_>, structure: &Structure, tree: Tree, effects: &mut Vec<Effect>) {
    let entity = &world.entity(&tree.member).name;
    let tallied = tallies(world, structure, &tree, 1);
    let held = held::holds(world, structure, &tree);
    let along: Vec<(usize, Vec<Tree>)> = tree
        .with
        .iter()
        .filter(|(relation, many)| {
            structure.placements[**relation] != Placement::Embed && !many.is_empty()
        })
        .map(|(relation, many)| (*relation, many.clone()))
        .collect();
    match structure.home(world.model, entity) {
        Some(relation) => {
            let one = world.parent(&tree.member, relation);
            let one = one.map(|one| world.key(&one)).unwrap_or_default();
            effects.push(Effect::Push { relation, one, tree });
        }
        None => effects.push(match structure.bucket(world.model, entity) {
            Some((bucket, _)) => Effect::Append { bucket, tree },
            None => Effect::Insert { trees: vec![tree] },
        }),
    }
    effects.extend(tallied);
    effects.extend(held);
    for (by, many) in along {
        // The one that is new has its tally and the first of its many from the start; so have those
        // within these.
        let mut placed = Vec::new();
        many.into_iter().for_each(|tree| place(world, structure, tree, &mut placed));
        placed.retain(|effect| match effect {
            Effect::Tally { computed, .. } => structure.computed[*computed].relation != by,
            Effect::Hold { subset, .. } => structure.subsets[*subset].relation != by,
            _ => true,
        });
        placed.sort_by_key(|effect| matches!(effect, Effect::Tally { .. } | Effect::Hold { .. }));
        effects.extend(joined(placed));
    }
}

/// Members added one by one to the same store, added at once.
fn joined(placed: Vec<Effect>) -> Vec<Effect> {
    let mut joined: Vec<Effect> = Vec::new();
    for effect in placed {
        match (effect, joined.last_mut()) {
            (Effect::Insert { trees: more }, Some(Effect::Insert { trees }))
                if more.first().map(|tree| tree.member.entity)
                    == trees.first().map(|tree| tree.member.entity) =>
            {
                trees.extend(more);
            }
            (effect, _) => joined.push(effect),
        }
    }
    joined
}

fn updates(
    world: &World<'_>,
    structure: &Structure,
    write: &Write,
    entity: usize,
    time: Time,
    dice: &mut Dice,
) -> Vec<Effect> {
    let row = dice.pick(world.rows(entity), write.skew);
    let member = world.member(entity, row);
    // A new value is that of a member nobody has seen.
    let within = time.within.map_or(0, |at| at as u64 + 1);
    let seen = world.rows(entity) + UNSEEN;
    let mut other = world.member(entity, seen + within * 1_000_000 + time.serial);
    other.ordinal = Some(time.serial);
    let set: Vec<(String, Value)> =
        write.set.iter().map(|name| (name.clone(), fresh(world, &other, &member, name))).collect();
    let added: Vec<(String, Value)> = write
        .increment
        .iter()
        .map(|name| {
            let one = match world.value(&member, name) {
                Value::Decimal { scale, .. } => {
                    Value::Decimal { units: 10i64.pow(u32::from(scale)), scale }
                }
                Value::Float(_) => Value::Float(1.0),
                _ => Value::Integer(1),
            };
            (name.clone(), one)
        })
        .collect();
    if set.is_empty() && added.is_empty() {
        return Vec::new();
    }
    let by = found_by(world, write, &member);
    let held = held::reholds(world, structure, write, &member, [&set, &added]);
    let mut effects = vec![Effect::Change { entity, by, set: set.clone(), add: added }];
    effects.extend(held);
    for (at, relation) in world.model.relations.iter().enumerate() {
        if let Placement::Copy(copies) = &structure.placements[at]
            && relation.to == write.entity
        {
            let copied: Vec<_> =
                set.iter().filter(|(name, _)| copies.contains(name)).cloned().collect();
            if !copied.is_empty() {
                let held = held::recopies(structure, at, &world.key(&member), &copied);
                effects.push(Effect::Recopy { relation: at, one: world.key(&member), set: copied });
                effects.extend(held);
            }
        }
    }
    effects
}

/// A new value of an attribute; a reference keeps the one it had.
fn fresh(world: &World<'_>, other: &Member, member: &Member, name: &str) -> Value {
    let entity = world.entity(member);
    let refers = world
        .model
        .relations
        .iter()
        .any(|r| r.from == entity.name && r.attributes.iter().any(|a| a == name));
    if refers { world.value(member, name) } else { world.value(other, name) }
}

fn found_by(world: &World<'_>, write: &Write, member: &Member) -> Vec<(String, Value)> {
    let key = || world.entity(member).key().into_iter().map(str::to_owned).collect();
    let names: Vec<String> = if write.by.is_empty() { key() } else { write.by.clone() };
    names.into_iter().map(|name| (name.clone(), world.value(member, &name))).collect()
}

/// What adding (1) or taking away (-1) a member does to the values kept with those it belongs to.
fn tallies(world: &World<'_>, structure: &Structure, tree: &Tree, sign: i64) -> Vec<Effect> {
    let entity = &world.entity(&tree.member).name;
    let mut effects = Vec::new();
    for (at, computed) in structure.computed.iter().enumerate() {
        if world.model.relations[computed.relation].from != *entity {
            continue;
        }
        let Some(one) = world.parent(&tree.member, computed.relation) else { continue };
        let by = match (&computed.function, &computed.attribute) {
            (AggregateFunction::Sum, Some(attribute)) => {
                match add(Value::Integer(0), world.value(&tree.member, attribute)) {
                    Value::Decimal { units, scale } => {
                        Value::Decimal { units: sign * units, scale }
                    }
                    Value::Float(number) => Value::Float(sign as f64 * number),
                    Value::Integer(number) => Value::Integer(sign * number),
                    other => other,
                }
            }
            _ => Value::Integer(sign),
        };
        effects.push(Effect::Tally { computed: at, one: world.key(&one), by });
    }
    effects
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}
