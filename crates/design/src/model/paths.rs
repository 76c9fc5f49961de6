//! Dotted steps through a model: `lines.product.title`.

use marula_core::model::{Attribute, Entity, Model, Step};

use super::sql::name_of;

/// Where dotted steps lead.
pub enum Followed<'a, 'p> {
    /// To an attribute.
    Attribute {
        /// The entity it is of.
        entity: &'a Entity,
        /// The attribute.
        attribute: &'a Attribute,
    },
    /// Nowhere: no relationship of that name leads from the entity.
    NoStep {
        /// The entity, by its name.
        entity: &'p str,
        /// The step.
        step: &'p str,
    },
    /// Nowhere: the last entity has no such attribute.
    NoAttribute {
        /// The entity.
        entity: &'a Entity,
        /// The last step.
        attribute: &'p str,
    },
}

/// Follows `path` from the entity called `from`.
pub fn find<'a: 'p, 'p>(model: &'a Model, from: &'p str, path: &'p str) -> Followed<'a, 'p> {
    let mut at = from;
    let mut rest = path;
    while let Some((step, more)) = rest.split_once('.') {
        match model.step(at, step) {
            Some(found) => at = found.to(),
            None => return Followed::NoStep { entity: at, step },
        }
        rest = more;
    }
    let Some(entity) = model.entity(at) else {
        return Followed::NoStep { entity: at, step: rest };
    };
    match entity.attribute(rest) {
        Some(attribute) => Followed::Attribute { entity, attribute },
        None => Followed::NoAttribute { entity, attribute: rest },
    }
}

/// What the relationships that lead from an entity are called.
pub fn steps_of(model: &Model, entity: &str) -> Vec<String> {
    let all = model.relations.iter().enumerate().flat_map(|(at, r)| Step::both(at, r));
    all.filter(|step| step.from() == entity).filter_map(|step| name_of(model, &step)).collect()
}
