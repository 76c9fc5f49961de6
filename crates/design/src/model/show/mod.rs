//! A model drawn: as Mermaid, as DBML, as SVG, and as a page.

mod dbml;
mod html;
mod layout;
mod mermaid;
mod svg;

pub use dbml::dbml;
pub use html::html;
pub use mermaid::mermaid;
pub use svg::svg;

use marula_core::model::{Attribute, AttributeType, Entity, Fanout, Model};

use super::types;

/// How a type is shown: `decimal(12,2)`, `list of text`.
fn shown_type(attribute: &Attribute) -> String {
    let name = types::name(attribute.kind);
    match (attribute.kind, attribute.precision, attribute.scale, attribute.max_length) {
        (AttributeType::List, ..) => format!("list of {}", types::name(attribute.element())),
        (_, Some(precision), Some(scale), _) => format!("{name}({precision},{scale})"),
        (_, Some(precision), None, _) => format!("{name}({precision})"),
        (AttributeType::Text, _, _, Some(length)) => format!("{name}({length})"),
        _ => name.into(),
    }
}

/// What an attribute is to its entity: part of the key, a reference, unique.
fn roles(model: &Model, entity: &Entity, attribute: &Attribute) -> Vec<&'static str> {
    let mut roles = Vec::new();
    if entity.key().contains(&attribute.name.as_str()) {
        roles.push("PK");
    }
    let refers = model.relations.iter().any(|relation| {
        relation.from == entity.name && relation.attributes.contains(&attribute.name)
    });
    if refers {
        roles.push("FK");
    }
    let alone = entity.unique.iter().any(|set| set.len() == 1 && set[0] == attribute.name);
    if attribute.unique || alone {
        roles.push("UK");
    }
    roles
}

/// A number of rows: `2M`, `1.5k`.
fn count(number: f64) -> String {
    let (number, unit) = match number {
        n if n >= 1e9 => (n / 1e9, "G"),
        n if n >= 1e6 => (n / 1e6, "M"),
        n if n >= 1e3 => (n / 1e3, "k"),
        n => (n, ""),
    };
    let text = format!("{number:.1}");
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
}

/// A fan-out: `12 (p99 400, max 5k)`.
fn fanout(fanout: &Fanout) -> String {
    let mut more = Vec::new();
    more.extend(fanout.p99.map(|p99| format!("p99 {}", count(p99 as f64))));
    more.extend(fanout.max.map(|max| format!("max {}", count(max as f64))));
    match more.is_empty() {
        true => count(fanout.average),
        false => format!("{} ({})", count(fanout.average), more.join(", ")),
    }
}

/// Whether one of the many must have the one.
fn mandatory(model: &Model, relation: &marula_core::model::Relationship) -> bool {
    model.entity(&relation.from).is_some_and(|many| {
        relation.attributes.iter().all(|name| {
            many.attribute(name).is_some_and(|attribute| attribute.required)
                || many.key().contains(&name.as_str())
        })
    })
}
