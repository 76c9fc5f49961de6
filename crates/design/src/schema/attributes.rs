use marula_core::model::{Attribute, AttributeType, Entity, Model};

use crate::names;
use crate::structure::{Source, Store, Structure};

/// The attribute whose values `name` of `entity` holds: through references, that of the key they
/// refer to, so that both have one type.
pub(crate) fn root<'m>(
    model: &'m Model,
    entity: &'m Entity,
    name: &str,
) -> Option<(&'m Entity, &'m Attribute)> {
    let mut at = (entity, entity.attribute(name)?);
    for _ in 0..=model.relations.len() {
        let next = model.relations.iter().find_map(|relation| {
            let place = relation.attributes.iter().position(|own| *own == at.1.name);
            let to = model.entity(&relation.to).filter(|_| relation.from == at.0.name)?;
            let key = to.key();
            let same = key.len() == relation.attributes.len();
            let key = to.attribute(key.get(place?)?).filter(|_| same)?;
            (to.name != at.0.name || key.name != at.1.name).then_some((to, key))
        });
        match next {
            Some(next) => at = next,
            None => return Some(at),
        }
    }
    // References in a circle: what it says of itself.
    Some((entity, entity.attribute(name)?))
}

/// Whether the database gives its values out: an id in the key that refers to nothing.
pub(crate) fn is_given_out(model: &Model, entity: &Entity, attribute: &Attribute) -> bool {
    let refers = model.relations.iter().any(|relation| {
        relation.from == entity.name && relation.attributes.contains(&attribute.name)
    });
    attribute.kind == AttributeType::Id
        && !refers
        && entity.key().contains(&attribute.name.as_str())
}

/// The entity and attribute behind a field of a store: its own, or what it is a copy of.
pub(crate) fn source_attribute<'m>(
    model: &'m Model,
    structure: &Structure,
    store: &Store,
    source: &Source,
) -> Option<(&'m Entity, &'m Attribute)> {
    let (entity, attribute) = match source {
        Source::Attribute(name) => (store.entity.as_str(), name.as_str()),
        Source::Copy { relation, attribute } => {
            (model.relations.get(*relation)?.to.as_str(), attribute.as_str())
        }
        Source::Computed(at) => {
            let computed = structure.computed.get(*at)?;
            let from = model.relations.get(computed.relation)?.from.as_str();
            (from, computed.attribute.as_deref()?)
        }
        Source::Embedded { .. }
        | Source::Subset { .. }
        | Source::Turn(_)
        | Source::Span(_)
        | Source::Rows { .. } => return None,
    };
    root(model, model.entity(entity)?, attribute)
}

/// The moment a member is from: the one that partitions, retention and time series go by.
pub(crate) fn time_attribute(entity: &Entity) -> Option<&Attribute> {
    const NAMES: [&str; 14] = [
        "created_at",
        "created",
        "at",
        "ts",
        "time",
        "timestamp",
        "recorded_at",
        "occurred_at",
        "measured_at",
        "placed_at",
        "sent_at",
        "posted_at",
        "booked_at",
        "logged_at",
    ];
    let of = |kind: AttributeType| {
        let all = || entity.attributes.iter().filter(move |a| a.required && a.kind == kind);
        let named = |a: &&Attribute| NAMES.contains(&names::words(&a.name).join("_").as_str());
        all().find(named).or_else(|| all().next())
    };
    of(AttributeType::Timestamp).or_else(|| of(AttributeType::Date))
}
