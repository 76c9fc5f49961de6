use std::collections::BTreeMap;

use marula_core::model::{AggregateFunction, Deed, Write};

use super::effect::Effect;
use super::record::{Tree, add};
use super::turns;
use super::{held, leaves};
use crate::structure::{Placement, Structure};
use crate::synth::{Dice, Member, UNSEEN, Value, World};

/// Which time of a write it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// The how-manieth, from 0.
    pub serial: u64,
    /// The transaction it is part of, by its index in the model.
    pub within: Option<usize>,
}

/// What was added before in the same transaction.
#[derive(Debug, Default)]
pub struct Beside {
    /// By itself.
    alone: Vec<Member>,
    /// Along with others.
    along: Vec<Member>,
}

/// How many are looked at for one that a write can change.
const PASSED: usize = 50;
/// How often there is room for what is added, if that is found, and at least.
const ROOM: i64 = 100;
const FEW: i64 = 4;

/// What a time of a write does to the stores of a structure; `None` where it cannot be done, since
/// all have as many as they may have, or nobody is left who may go.
///
/// What is added belongs to what was added `beside` it in the same transaction.
pub fn effects(
    world: &World<'_>,
    structure: &Structure,
    write: &Write,
    time: Time,
    beside: &mut Beside,
) -> Option<Vec<Effect>> {
    let Some(entity) = world.index(&write.entity) else { return Some(Vec::new()) };
    let within = time.within.map_or(0, |at| at as u64 + 1);
    let mut dice = Dice::of(&[0x776f_726b, hash(&write.name), time.serial, within]);
    match write.does {
        Deed::Insert => inserts(world, structure, write, entity, time, beside, &mut dice),
        Deed::Update => Some(updates(world, structure, write, entity, time, &mut dice)),
        Deed::Delete => {
            // Everybody goes once.
            let place = turns::alone(world.model, write, time).place;
            let member = world.leaver(entity, place)?;
            let mut effects = vec![Effect::Remove { entity, by: found_by(world, write, &member) }];
            effects.extend(leaves::follows(world, structure, &member));
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
    beside: &mut Beside,
    dice: &mut Dice,
) -> Option<Vec<Effect>> {
    let name = &world.model.entities[entity].name;
    let mut given = BTreeMap::new();
    for (at, relation) in world.model.relations.iter().enumerate().filter(|(_, r)| r.from == *name)
    {
        let to = beside.alone.iter().find(|one| world.entity(one).name == relation.to);
        let Some(one) = to else { continue };
        if relation.from != relation.to && !given.values().any(|known| known == one) {
            given.insert(at, one.clone());
        }
    }
    let turn = turns::alone(world.model, write, time);
    let mut member = world.added(entity, turn, write.skew, &given, dice)?;
    if let Some((at, one)) = world.owner(entity).and_then(|at| Some((at, given.get(&at)?))) {
        let of_it = |other: &&Member| {
            other.entity == entity && world.parent(other, at).as_ref() == Some(one)
        };
        let before = beside.alone.iter().chain(&beside.along).filter(of_it).count();
        member.ordinal = Some(before as u64);
    }
    beside.alone.push(member.clone());
    let along = turns::Along::new(world.model, write, time);
    let tree = grown(world, write, member, &along, time.serial, dice)?;
    tree.with.values().flatten().for_each(|tree| tree.members(&mut beside.along));
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
        let given = BTreeMap::from([(at, tree.member.clone())]);
        let mut members = Vec::new();
        for place in 0..count {
            let number = serial * turns::MOST_ALONG + place;
            let turn = along.turn(number, place);
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
    let own = [tallies(world, structure, &tree, 1), held::holds(world, structure, &tree)].concat();
    let brought = tree.with.iter().filter(|(_, many)| !many.is_empty());
    let brought: Vec<(usize, Vec<Tree>)> =
        brought.map(|(relation, many)| (*relation, many.clone())).collect();
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
    effects.extend(own);
    for (by, many) in brought {
        let within = structure.placements[by] == Placement::Embed;
        let mut placed = Vec::new();
        many.into_iter().for_each(|tree| place(world, structure, tree, &mut placed));
        // What lives within it came with it; others than it keep what they keep of it.
        placed.retain(|effect| !within || is_kept(effect));
        // The one that is new has its tally and the first of its many from the start; so have those
        // within these.
        placed.retain(|effect| match effect {
            Effect::Tally { computed, .. } => structure.computed[*computed].relation != by,
            Effect::Hold { subset, .. } => structure.subsets[*subset].relation != by,
            _ => true,
        });
        placed.sort_by_key(is_kept);
        effects.extend(joined(placed));
    }
}

/// Whether it brings in step what is kept with others.
fn is_kept(effect: &Effect) -> bool {
    matches!(effect, Effect::Tally { .. } | Effect::Hold { .. })
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
    let Some(member) = chosen(world, write, entity, dice) else { return Vec::new() };
    // A new value is that of a member nobody has seen.
    let within = time.within.map_or(0, |at| at as u64 + 1);
    let seen = world.rows(entity) + UNSEEN;
    let mut other = world.member(entity, seen + within * 1_000_000 + time.serial);
    other.ordinal = Some(time.serial);
    let set = world.changed(&member, &other, &write.set);
    let one = |name: &String| (name.clone(), grown_by(&world.value(&member, name), 1));
    let added: Vec<(String, Value)> = write.increment.iter().map(one).collect();
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

/// Somebody who is there and stays there, whose references do, and whose values can grow as the write
/// makes them; a few may be passed over before nobody is.
fn chosen(world: &World<'_>, write: &Write, entity: usize, dice: &mut Dice) -> Option<Member> {
    let refers = |at: &usize| {
        let relation = &world.model.relations[*at];
        relation.from == write.entity && relation.attributes.iter().any(|a| write.set.contains(a))
    };
    let kept: Vec<usize> = (0..world.model.relations.len()).filter(refers).collect();
    let good = |member: &Member, more: i64| {
        let stays = |at: &usize| world.parent(member, *at).is_none_or(|one| world.stays(&one));
        let grows = |name: &String| {
            let value = world.value(member, name);
            world.may_be(member, name, &sum(&value, &grown_by(&value, more)))
        };
        world.stays(member) && kept.iter().all(stays) && write.increment.iter().all(grows)
    };
    let rows = world.rows(entity);
    if rows == 0 {
        return None;
    }
    let first = world.member(entity, dice.pick(rows, write.skew));
    for more in [ROOM, FEW] {
        if good(&first, more) {
            return Some(first);
        }
        let mut drawn = (0..PASSED).map(|_| world.member(entity, dice.pick(rows, write.skew)));
        if let Some(found) = drawn.find(|member| good(member, more)) {
            return Some(found);
        }
    }
    Some(first)
}

/// So many of a value's kind.
fn grown_by(value: &Value, count: i64) -> Value {
    match value {
        Value::Decimal { scale, .. } => {
            Value::Decimal { units: count * 10i64.pow(u32::from(*scale)), scale: *scale }
        }
        Value::Float(_) => Value::Float(count as f64),
        _ => Value::Integer(count),
    }
}

fn sum(value: &Value, more: &Value) -> Value {
    if value.is_null() { Value::Null } else { add(value.clone(), more.clone()) }
}

fn found_by(world: &World<'_>, write: &Write, member: &Member) -> Vec<(String, Value)> {
    let key = || world.entity(member).key().into_iter().map(str::to_owned).collect();
    let names: Vec<String> = if write.by.is_empty() { key() } else { write.by.clone() };
    names.into_iter().map(|name| (name.clone(), world.value(member, &name))).collect()
}

/// What adding (1) or taking away (-1) a member does to the values kept with those it belongs to.
pub(super) fn tallies(
    world: &World<'_>,
    structure: &Structure,
    tree: &Tree,
    sign: i64,
) -> Vec<Effect> {
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
