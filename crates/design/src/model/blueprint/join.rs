//! Parts of blueprints put together.

use std::collections::{BTreeMap, BTreeSet};

use marula_core::model::{Attribute, AttributeType, Count, Entity, Model};

use super::catalogue::{ALL, models};
use super::sentence::Named;
use crate::model::{Comments, Made, Way, read, write};

/// Why an entity is there.
struct Reason {
    blueprint: usize,
    text: String,
}

/// Puts together what was named.
pub fn join(sentence: &str, named: &Named) -> Made {
    let order = ranked(named);
    let first = order.first().copied();
    let mut chosen: BTreeMap<&'static str, Reason> = BTreeMap::new();
    for part in &named.parts {
        // Of several blueprints that know the word, the one that the sentence is most about.
        let place = order.iter().find_map(|at| part.places.iter().find(|(b, _)| b == at));
        let Some((blueprint, entity)) = place.or(part.places.first()).copied() else { continue };
        let meant = match &part.meant {
            Some(meant) => format!(" (read as {meant})"),
            None => String::new(),
        };
        let text = format!("\"{}\"{meant} in the sentence", part.word);
        chosen.entry(entity).or_insert(Reason { blueprint, text });
    }
    // A whole without parts of its own is taken whole, else what it cannot be without.
    for whole in order.iter().filter(|whole| named.wholes.contains(whole)) {
        let own = chosen.values().any(|reason| reason.blueprint == *whole);
        let (name, heart) = (ALL[*whole].name, ALL[*whole].heart);
        for entity in &models()[*whole].entities {
            let text = match own {
                false => format!("part of {name}"),
                true if heart.contains(&entity.name.as_str()) => format!("the heart of {name}"),
                true => continue,
            };
            chosen.entry(entity.name.as_str()).or_insert(Reason { blueprint: *whole, text });
        }
    }
    close(&mut chosen);
    let mut model = Model { name: name_of(first, named), ..Model::default() };
    model.description = Some(sentence.trim().chars().take(300).collect());
    for at in 0..ALL.len() {
        add(&mut model, at, &chosen);
    }
    for thing in &named.unknown {
        guess(&mut model, thing);
    }
    // What is asked of what is not there is left out by the same reader that reads files.
    if let Ok(read) = read(&write(&model, &Comments::new()), "model.yaml") {
        model = read.model;
    }
    model.transactions.retain(|transaction| transaction.writes.len() > 1);
    comment(model, sentence, named, &chosen)
}

/// The blueprints by how much the sentence is about them.
fn ranked(named: &Named) -> Vec<usize> {
    let mut points = vec![0usize; ALL.len()];
    for whole in &named.wholes {
        points[*whole] += 5;
    }
    for part in &named.parts {
        for (at, _) in &part.places {
            points[*at] += if part.places.len() == 1 { 2 } else { 1 };
        }
    }
    let mut order: Vec<usize> = (0..ALL.len()).filter(|at| points[*at] > 0).collect();
    order.sort_by_key(|at| std::cmp::Reverse(points[*at]));
    order
}

/// Adds what the chosen cannot be without: what they must refer to, and what belongs to them of
/// which there is always one.
fn close(chosen: &mut BTreeMap<&'static str, Reason>) {
    loop {
        let mut more: Vec<(&'static str, Reason)> = Vec::new();
        for (name, reason) in chosen.iter() {
            let model = &models()[reason.blueprint];
            for relation in &model.relations {
                let needs =
                    relation.from == *name && must(model, &relation.from, &relation.attributes);
                if needs && !chosen.contains_key(relation.to.as_str()) {
                    let text = format!("{name} must refer to one");
                    more.push((&relation.to, Reason { blueprint: reason.blueprint, text }));
                }
                let has = relation.to == *name && relation.owned && relation.at_least_one;
                if has && !chosen.contains_key(relation.from.as_str()) {
                    let text = format!("each of {name} has at least one");
                    more.push((&relation.from, Reason { blueprint: reason.blueprint, text }));
                }
            }
        }
        if more.is_empty() {
            return;
        }
        for (name, reason) in more {
            chosen.entry(name).or_insert(reason);
        }
    }
}

fn must(model: &Model, entity: &str, attributes: &[String]) -> bool {
    model.entity(entity).is_some_and(|entity| {
        attributes.iter().any(|name| {
            entity.attribute(name).is_some_and(|attribute| attribute.required)
                || entity.key().contains(&name.as_str())
        })
    })
}

/// Adds what was chosen of one blueprint.
fn add(model: &mut Model, at: usize, chosen: &BTreeMap<&'static str, Reason>) {
    let source = &models()[at];
    let is = |name: &str| chosen.contains_key(name);
    let own = |name: &str| chosen.get(name).is_some_and(|reason| reason.blueprint == at);
    if !source.entities.iter().any(|entity| own(&entity.name)) {
        return;
    }
    let mut shared: Vec<String> = Vec::new();
    for entity in source.entities.iter().filter(|entity| is(&entity.name)) {
        let mut entity = entity.clone();
        // References to what is not there are left out.
        for relation in source.relations.iter().filter(|relation| relation.from == entity.name) {
            if !is(&relation.to) {
                let gone: BTreeSet<&String> = relation.attributes.iter().collect();
                entity.attributes.retain(|attribute| !gone.contains(&attribute.name));
                entity.unique.retain(|set| !set.iter().any(|name| gone.contains(name)));
            }
        }
        match model.entities.iter_mut().find(|known| known.name == entity.name) {
            None if own(&entity.name) => model.entities.push(entity),
            // The same thing in two blueprints has what either knows of it.
            Some(known) => {
                shared.push(entity.name.clone());
                share(known, entity);
            }
            None => match chosen.get(entity.name.as_str()) {
                Some(reason) if reason.blueprint > at => {
                    let mut first = entity;
                    first.guess = false;
                    model.entities.push(first);
                }
                _ => model.entities.push(entity),
            },
        }
    }
    let uses = |from: &str, to: &str| is(from) && is(to) && (own(from) || own(to));
    for relation in source.relations.iter().filter(|r| uses(&r.from, &r.to)) {
        let twice = model.relations.iter().any(|known| {
            known.from == relation.from
                && known.to == relation.to
                && known.attributes == relation.attributes
        });
        if !twice {
            model.relations.push(relation.clone());
        }
    }
    // Volumes that were put together give other fan-outs.
    for relation in &mut model.relations {
        if (shared.contains(&relation.from) || shared.contains(&relation.to))
            && let Some(known) = &mut relation.fanout
        {
            known.average = 0.0;
        }
    }
    if source.tenant.as_deref().is_some_and(is) {
        model.tenant = model.tenant.take().or_else(|| source.tenant.clone());
    }
    let fresh = |taken: Vec<String>, name: &str| match taken.iter().any(|known| known == name) {
        true => format!("{name}_{}", ALL[at].name.replace('-', "_")),
        false => name.to_string(),
    };
    let mut renamed: BTreeMap<&str, String> = BTreeMap::new();
    for query in &source.queries {
        let taken = model.queries.iter().map(|query| query.name.clone()).collect();
        let mut query = query.clone();
        query.name = fresh(taken, &query.name);
        model.queries.push(query);
    }
    for write in source.writes.iter().filter(|write| is(&write.entity)) {
        let taken = model.writes.iter().map(|write| write.name.clone()).collect();
        let name = fresh(taken, &write.name);
        renamed.insert(&write.name, name.clone());
        model.writes.push(marula_core::model::Write { name, ..write.clone() });
    }
    for transaction in &source.transactions {
        let mut transaction = transaction.clone();
        transaction.writes = transaction
            .writes
            .iter()
            .filter_map(|name| renamed.get(name.as_str()).cloned())
            .collect();
        let taken = model.transactions.iter().map(|one| one.name.clone()).collect();
        transaction.name = fresh(taken, &transaction.name);
        if !transaction.writes.is_empty() {
            model.transactions.push(transaction);
        }
    }
}

fn share(known: &mut Entity, other: Entity) {
    for attribute in other.attributes {
        if known.attribute(&attribute.name).is_none() {
            known.attributes.push(attribute);
        }
    }
    known.rows = known.rows.max(other.rows);
}

/// A thing that no blueprint knows.
fn guess(model: &mut Model, thing: &str) {
    let name = crate::names::plural_of(&thing.replace([' ', '-'], "_"));
    if model.entity(&name).is_some() {
        return;
    }
    let attribute = |name: &str, kind, required| Attribute {
        name: name.into(),
        kind,
        required,
        guess: true,
        ..Attribute::default()
    };
    model.entities.push(Entity {
        name,
        description: Some(format!("Guessed from \"{thing}\": say what is known of each.")),
        attributes: vec![
            attribute("id", AttributeType::Id, false),
            attribute("name", AttributeType::Text, true),
            attribute("details", AttributeType::Json, false),
            attribute("created_at", AttributeType::Timestamp, true),
        ],
        rows: Count(1000),
        guess: true,
        ..Entity::default()
    });
}

fn name_of(first: Option<usize>, named: &Named) -> String {
    match (first, named.whole.as_ref().or(named.unknown.first())) {
        (Some(at), _) => models()[at].name.clone(),
        (None, Some(thing)) => thing.replace([' ', '-'], "_"),
        (None, None) => "model".into(),
    }
}

fn comment(
    model: Model,
    sentence: &str,
    named: &Named,
    chosen: &BTreeMap<&'static str, Reason>,
) -> Made {
    let mut comments = Comments::new();
    let shown: String = sentence.chars().filter(|c| !c.is_control()).take(300).collect();
    let mut head = vec![
        format!("From: {}", shown.trim()),
        "Volumes, fan-outs and rates are the blueprints' own: change them to what is true.".into(),
    ];
    if !named.unknown.is_empty() {
        head.push(format!("No blueprint knows {}: see guess: true.", named.unknown.join(", ")));
    }
    if !named.unused.is_empty() {
        head.push(format!("Nothing was made of: {}.", named.unused.join(", ")));
    }
    comments.insert(Way::root(), head);
    let entities = Way::root().to("entities");
    for (at, entity) in model.entities.iter().enumerate() {
        let line = match chosen.get(entity.name.as_str()) {
            Some(reason) => {
                format!("{}: {}", ALL[reason.blueprint].name, reason.text)
            }
            None => "a guess: no blueprint knows it".into(),
        };
        comments.insert(entities.item(at), vec![line]);
    }
    let from = |name: &str| {
        let has = |source: &&Model| {
            source.queries.iter().any(|query| query.name == name)
                || source.writes.iter().any(|write| write.name == name)
        };
        let at = models().iter().position(|source| has(&source));
        at.map_or("", |at| ALL[at].name)
    };
    for (list, names) in [
        ("queries", model.queries.iter().map(|query| query.name.clone()).collect::<Vec<_>>()),
        ("writes", model.writes.iter().map(|write| write.name.clone()).collect()),
    ] {
        let mut before = "";
        for (at, name) in names.iter().enumerate() {
            let source = from(name);
            if source != before && !source.is_empty() {
                let way = Way::root().to(list).item(at);
                comments.insert(way, vec![format!("from {source}")]);
                before = source;
            }
        }
    }
    let mut notes = Vec::new();
    if model.entities.iter().any(|entity| entity.guess) {
        notes.push("entities marked guess: true are only a beginning: say more of them".into());
    }
    if !named.unused.is_empty() {
        notes.push(format!("nothing was made of these words: {}", named.unused.join(", ")));
    }
    Made { model, comments, notes }
}
