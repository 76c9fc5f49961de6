//! What a deletion does beside what it deletes: to those that belong to it, and to what is kept of them.

use std::collections::BTreeSet;

use marula_core::Engine;
use marula_core::model::{Deed, Model, OnDelete, Relationship, Write};

use super::is_required;
use crate::structure::{Placement, Structure};

/// What becomes of the many when the one goes.
pub(crate) fn fate(model: &Model, relation: &Relationship) -> OnDelete {
    let required = is_required(model, relation);
    match relation.on_delete {
        None if relation.owned => OnDelete::Cascade,
        None | Some(OnDelete::SetNull) if required => OnDelete::Restrict,
        Some(said) => said,
        None => OnDelete::SetNull,
    }
}

/// The attributes of a relationship that may be null: what a deletion of the one sets to null.
pub(crate) fn nullable<'m>(model: &'m Model, relation: &'m Relationship) -> Vec<&'m str> {
    let Some(from) = model.entity(&relation.from) else { return Vec::new() };
    let key = from.key();
    let names = relation.attributes.iter().map(String::as_str);
    names
        .filter(|name| !key.contains(name) && from.attribute(name).is_some_and(|a| !a.required))
        .collect()
}

/// Whether a write takes away some of the many of a relationship and leaves their one: by itself, or
/// along with another that owns them.
pub(crate) fn loses(model: &Model, write: &Write, relation: usize) -> bool {
    let r = &model.relations[relation];
    let gone = gone(model, write);
    let along = |(at, other): (usize, &Relationship)| {
        at != relation
            && other.from == r.from
            && gone.contains(other.to.as_str())
            && fate(model, other) == OnDelete::Cascade
    };
    write.does == Deed::Delete
        && (write.entity == r.from || model.relations.iter().enumerate().any(along))
}

/// What a write sets to null in the many of a relationship since another that they refer to goes.
pub(crate) fn nulled<'m>(model: &'m Model, write: &Write, relation: usize) -> Vec<&'m str> {
    let gone = gone(model, write);
    let others = model.relations.iter().enumerate().filter(|(at, other)| {
        *at != relation
            && other.from == model.relations[relation].from
            && gone.contains(other.to.as_str())
            && fate(model, other) == OnDelete::SetNull
    });
    others.flat_map(|(_, other)| nullable(model, other)).collect()
}

/// The relationships whose many no foreign key of an engine takes away, or sets to null, when a write
/// deletes their one: the program has to.
pub(crate) fn left<'m>(
    model: &'m Model,
    structure: &'m Structure,
    engine: Engine,
    write: &Write,
) -> impl Iterator<Item = (usize, OnDelete)> + use<'m> {
    let gone: BTreeSet<String> = gone(model, write).into_iter().map(str::to_owned).collect();
    let each = model.relations.iter().enumerate();
    let left = each.filter(move |(at, relation)| {
        gone.contains(&relation.to)
            && structure.placements[*at] != Placement::Embed
            && (engine == Engine::Mongodb || structure.home(model, &relation.from).is_some())
    });
    left.map(|(at, relation)| (at, fate(model, relation)))
        .filter(|(_, fate)| *fate != OnDelete::Restrict)
}

/// What the program has to do beside each deletion, in words.
pub(crate) fn notes(model: &Model, structure: &Structure, engine: Engine) -> Vec<String> {
    let mut notes = Vec::new();
    for write in &model.writes {
        let also = left(model, structure, engine, write).map(|(at, fate)| {
            let r = &model.relations[at];
            let (many, one) = (&r.from, &r.to);
            match fate {
                OnDelete::SetNull => {
                    format!("sets {} of their {many} to null", nullable(model, r).join(", "))
                }
                _ => format!("deletes the {many} of those {one}"),
            }
        });
        let also: Vec<String> = also.collect();
        if !also.is_empty() {
            notes.push(format!(
                "{} also {}, in one transaction: no foreign key does",
                write.name,
                also.join(" and ")
            ));
        }
    }
    notes
}

/// The entities of which a write takes some away: its own, and those that live and die with it.
fn gone<'m>(model: &'m Model, write: &Write) -> BTreeSet<&'m str> {
    let own = model.entity(&write.entity).filter(|_| write.does == Deed::Delete);
    let mut gone: BTreeSet<&str> = own.map(|entity| entity.name.as_str()).into_iter().collect();
    loop {
        let more = model.relations.iter().filter(|relation| {
            gone.contains(relation.to.as_str())
                && !gone.contains(relation.from.as_str())
                && fate(model, relation) == OnDelete::Cascade
        });
        let more: Vec<&str> = more.map(|relation| relation.from.as_str()).collect();
        if more.is_empty() {
            return gone;
        }
        gone.extend(more);
    }
}
