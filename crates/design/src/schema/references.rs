use marula_core::model::{Model, Relationship};

use crate::structure::{Layout, Placement, Structure};

/// A relationship between two stores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference<'m> {
    /// The relationship.
    pub relation: &'m Relationship,
    /// Whether each of the many has its one.
    pub required: bool,
    /// Whether it is one of several required ones that lead in a circle.
    pub circular: bool,
}

/// The relationships between two stores of a layout. Those whose attributes do not match the
/// other's key are left out.
pub(crate) fn references<'m>(
    model: &'m Model,
    structure: &Structure,
    layout: &Layout,
) -> Vec<Reference<'m>> {
    let mut found: Vec<Reference<'m>> = model
        .relations
        .iter()
        .zip(&structure.placements)
        .filter(|(relation, placement)| {
            let whole = |name: &String| {
                layout.store(&relation.from).is_some_and(|store| store.attribute(name).is_some())
            };
            let key = model.entity(&relation.to).map_or(0, |to| to.key().len());
            **placement != Placement::Embed
                && layout.store(&relation.to).is_some()
                && key == relation.attributes.len()
                && key > 0
                && relation.attributes.iter().all(whole)
        })
        .map(|(relation, _)| Reference {
            relation,
            required: is_required(model, relation),
            circular: false,
        })
        .collect();
    let ways: Vec<(&str, &str)> = found
        .iter()
        .filter(|one| one.required)
        .map(|one| (one.relation.from.as_str(), one.relation.to.as_str()))
        .collect();
    for one in &mut found {
        let (from, to) = (one.relation.from.as_str(), one.relation.to.as_str());
        one.circular = one.required && from != to && leads(&ways, to, from);
    }
    found
}

/// Whether each of the many has its one.
pub(crate) fn is_required(model: &Model, relation: &Relationship) -> bool {
    let Some(from) = model.entity(&relation.from) else { return false };
    relation.attributes.iter().all(|name| {
        from.key().contains(&name.as_str()) || from.attribute(name).is_some_and(|a| a.required)
    })
}

/// Whether one can get from `start` to `end`.
pub(crate) fn leads(ways: &[(&str, &str)], start: &str, end: &str) -> bool {
    let mut seen = vec![start];
    let mut next = 0;
    while let Some(here) = seen.get(next).copied() {
        for (_, to) in ways.iter().filter(|(from, _)| *from == here) {
            if *to == end {
                return true;
            }
            if !seen.contains(to) {
                seen.push(to);
            }
        }
        next += 1;
    }
    false
}
