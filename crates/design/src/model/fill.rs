//! What follows from the rest of a model and need not be said.

use std::collections::HashSet;

use marula_core::model::{Attribute, Count, Fanout, Model, Step};

use super::mistake::{Mistake, Way};
use super::sql::name_of;

/// Attributes whose type is not said: the index of the entity, and of the attribute in it.
pub(super) type Unsaid = HashSet<(usize, usize)>;

/// The most relationships whose names are looked for.
const MOST_NAMED: usize = 2000;

/// Fills in what follows from the rest: the attributes that refer and their types, fan-outs and
/// volumes from each other, and names where several relationships lead to the same entity.
pub fn fill(model: &mut Model) {
    fill_unsaid(model, &Unsaid::new());
}

/// [`fill`], with the types that a file does not say; tells what it had to guess.
pub(super) fn fill_unsaid(model: &mut Model, unsaid: &Unsaid) -> Vec<Mistake> {
    let mut told = Vec::new();
    let mut known = unsaid.clone();
    for at in 0..model.relations.len() {
        references(model, at, &mut known, &mut told);
    }
    let mut rest: Vec<_> = known.into_iter().collect();
    rest.sort_unstable();
    for (entity, attribute) in rest {
        let way = Way::root().to("entities").item(entity).to("attributes").item(attribute);
        let name = &model.entities[entity].attributes[attribute].name;
        let what = format!("the type of {name} is not said; taken as text");
        told.push(Mistake::new(way, what).hint("write type: text, or what it is").low());
    }
    for relation in 0..model.relations.len() {
        amounts(model, relation);
    }
    if model.relations.len() <= MOST_NAMED {
        for relation in 0..model.relations.len() {
            names(model, relation);
        }
    }
    told
}

/// The attributes of the many that hold the one's key.
fn references(model: &mut Model, at: usize, unsaid: &mut Unsaid, told: &mut Vec<Mistake>) {
    let relation = &model.relations[at];
    let Some(one) = model.entity(&relation.to) else { return };
    let Some(many) = model.entities.iter().position(|e| e.name == relation.from) else { return };
    let keys: Vec<(String, marula_core::model::AttributeType)> = one
        .key()
        .iter()
        .filter_map(|name| one.attribute(name))
        .map(|key| (key.name.clone(), key.kind))
        .collect();
    let way = Way::root().to("relations").item(at);
    if relation.attributes.is_empty() {
        let guessed: Vec<String> = guess(model, at, &keys);
        if guessed.is_empty() {
            return;
        }
        model.relations[at].attributes = guessed;
    }
    let relation = &model.relations[at];
    if relation.attributes.len() != keys.len() {
        return;
    }
    let (owned, names) = (relation.owned, relation.attributes.clone());
    for (name, (_, kind)) in names.iter().zip(&keys) {
        let entity = &mut model.entities[many];
        match entity.attributes.iter().position(|attribute| attribute.name == *name) {
            Some(found) => {
                if unsaid.remove(&(many, found)) {
                    entity.attributes[found].kind = *kind;
                }
            }
            None => {
                let required = owned || entity.key.contains(name);
                entity.attributes.push(Attribute {
                    name: name.clone(),
                    kind: *kind,
                    required,
                    ..Attribute::default()
                });
                let what = format!("{} has no attribute {name}; it was added", entity.name);
                let hint = "add it, with required: true where it must be there";
                told.push(Mistake::new(way.to("attributes"), what).hint(hint).low());
            }
        }
    }
}

/// The attributes that a relationship most likely means: `customer_id` to `customers`.
fn guess(
    model: &Model,
    at: usize,
    keys: &[(String, marula_core::model::AttributeType)],
) -> Vec<String> {
    let relation = &model.relations[at];
    let Some(many) = model.entity(&relation.from) else { return Vec::new() };
    let called = relation.name.clone().unwrap_or_else(|| crate::names::singular(&relation.to));
    let mut found = Vec::new();
    for (key, _) in keys {
        let candidates = [format!("{called}_{key}"), called.clone(), key.clone()];
        let there = candidates.iter().find(|name| {
            // A key of one attribute called id is the many's own.
            many.attribute(name).is_some() && !(many.key() == [name.as_str()] && *name == key)
        });
        found.push(there.unwrap_or(&candidates[0]).clone());
    }
    found
}

/// The fan-out from the volumes, or a volume from the fan-out.
fn amounts(model: &mut Model, at: usize) {
    let relation = &model.relations[at];
    let rows = |name: &str| model.entity(name).map_or(0, |entity| entity.rows.0);
    let (many, one) = (rows(&relation.from), rows(&relation.to));
    let average = relation.fanout.map_or(0.0, |fanout| fanout.average);
    if many == 0 && average > 0.0 && one > 0 {
        let most = (average * one as f64).round().min(9e15) as u64;
        let from = relation.from.clone();
        if let Some(entity) = model.entities.iter_mut().find(|entity| entity.name == from) {
            entity.rows = Count(most);
        }
    } else if average == 0.0 && many > 0 && one > 0 {
        let missing: f64 = model.entity(&relation.from).map_or(0.0, |many| {
            let shares = relation.attributes.iter().filter_map(|name| many.attribute(name));
            shares.filter_map(|attribute| attribute.missing).fold(0.0, f64::max)
        });
        let average = many as f64 * (1.0 - missing.clamp(0.0, 1.0)) / one as f64;
        let average = (average * 1000.0).round() / 1000.0;
        let fanout = model.relations[at].fanout.unwrap_or_default();
        model.relations[at].fanout = Some(Fanout { average, ..fanout });
    }
}

/// Names for the two directions where they could be mistaken for others.
fn names(model: &mut Model, at: usize) {
    for to_one in [true, false] {
        let step = Step { index: at, relation: &model.relations[at], to_one };
        if step.name().is_some() || name_of(model, &step).is_some() {
            continue;
        }
        let relation = &model.relations[at];
        let stem = match relation.attributes.as_slice() {
            [one] => crate::names::refers_to(one).unwrap_or_else(|| one.clone()),
            _ => crate::names::singular(&relation.to),
        };
        let wanted = match to_one {
            true => stem,
            false => format!("{}_as_{stem}", relation.from),
        };
        let entity = step.from().to_string();
        let mut name = wanted.clone();
        let mut number = 2;
        while model.step(&entity, &name).is_some() || model.entity(&name).is_some() {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        match to_one {
            true => model.relations[at].name = Some(name),
            false => model.relations[at].inverse = Some(name),
        }
    }
}
