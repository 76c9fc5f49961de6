//! A MongoDB catalogue as a model: arrays of documents become entities that belong to theirs.

use std::collections::BTreeSet;

use marula_core::model::{
    Attribute, AttributeType, Count, Entity, Fanout, Model, Relationship, Skew,
};
use marula_core::{
    Collection, CollectionKind, DocumentCatalog, FieldProfile, InferredSchema, Json, Result,
};

use super::finished;
use crate::model::Made;
use crate::names;

/// The model of a catalogue's collections.
pub fn model(catalog: &DocumentCatalog) -> Result<Made> {
    let mut notes = Vec::new();
    let mut model = Model { name: catalog.database.clone(), ..Model::default() };
    let plain = |one: &&Collection| {
        matches!(one.kind, CollectionKind::Collection | CollectionKind::Timeseries)
            && !one.name.starts_with("system.")
    };
    for collection in catalog.collections.iter().filter(plain) {
        let Some(schema) = &collection.schema else {
            notes.push(format!("{} is empty or was not looked into", collection.name));
            continue;
        };
        Taking { collection, schema, model: &mut model }.all();
    }
    references(&mut model);
    let source = format!("database {} (MongoDB {})", catalog.database, catalog.version);
    finished(model, &source, notes)
}

struct Taking<'a> {
    collection: &'a Collection,
    schema: &'a InferredSchema,
    model: &'a mut Model,
}

impl Taking<'_> {
    fn all(&mut self) {
        let name = self.collection.name.clone();
        let rows = self.collection.documents;
        let mut entity = Entity { name: name.clone(), rows: Count(rows), ..Entity::default() };
        let id = self.schema.fields.get("_id");
        entity.attributes.push(Attribute {
            name: "id".into(),
            kind: id.map_or(AttributeType::Id, |id| match kind(id) {
                AttributeType::Integer | AttributeType::Json => AttributeType::Id,
                other => other,
            }),
            ..Attribute::default()
        });
        let at = self.model.entities.len();
        self.model.entities.push(entity);
        self.fields(at, "", 0);
        let plain = |index: &&marula_core::DocumentIndex| index.unique && index.partial.is_none();
        for index in self.collection.indexes.iter().filter(plain) {
            let keys: Vec<String> = index.keys.iter().map(|(key, _)| flat(key)).collect();
            let entity = &mut self.model.entities[at];
            match keys.as_slice() {
                [one] if one != "id" => {
                    if let Some(found) = entity.attributes.iter_mut().find(|a| a.name == *one) {
                        found.unique = true;
                        found.skew = Skew::Uniform;
                    }
                }
                several if several.len() > 1 => {
                    let there = several.iter().all(|name| entity.attribute(name).is_some());
                    if there {
                        entity.unique.push(several.to_vec());
                    }
                }
                _ => {}
            }
        }
    }

    /// The fields directly below `prefix`, as attributes of an entity; objects in objects are
    /// flattened, arrays of objects become entities.
    fn fields(&mut self, entity: usize, prefix: &str, depth: usize) {
        let schema = self.schema;
        for (path, field) in &schema.fields {
            let Some(name) = path.strip_prefix(prefix).filter(|name| !name.is_empty()) else {
                continue;
            };
            if name.contains('.') || name.ends_with("[]") || (prefix.is_empty() && name == "_id") {
                continue;
            }
            let below = format!("{path}.");
            let items = format!("{path}[]");
            let objects = schema.fields.keys().any(|other| other.starts_with(&below));
            let inner = format!("{items}.");
            let rows = schema.fields.keys().any(|other| other.starts_with(&inner));
            let many = self.model.entities[entity].attributes.len();
            if rows && depth < 3 && field.array_length.is_some() {
                self.owned(entity, path, field, depth);
            } else if objects && !rows && depth < 3 && many < 200 {
                self.fields(entity, &below, depth + 1);
            } else {
                let attribute = self.attribute(path, prefix, field, schema.fields.get(&items));
                let all = &mut self.model.entities[entity].attributes;
                if all.iter().all(|known| known.name != attribute.name) && all.len() < 500 {
                    all.push(attribute);
                }
            }
        }
    }

    fn attribute(
        &self,
        path: &str,
        prefix: &str,
        field: &FieldProfile,
        items: Option<&FieldProfile>,
    ) -> Attribute {
        let own = match prefix.contains("[]") {
            true => path.rsplit("[].").next().unwrap_or(path),
            false => path,
        };
        let mut attribute =
            Attribute { name: flat(own), kind: kind(field), ..Attribute::default() };
        let there = field.present.saturating_sub(field.null());
        attribute.required = field.parents > 0 && there == field.parents && self.schema.complete
            || field.parents >= 100 && there == field.parents;
        if field.parents > 0 && there < field.parents {
            let share = 1.0 - there as f64 / field.parents as f64;
            attribute.missing = Some((share * 1000.0).round() / 1000.0);
        }
        if let Some(length) = field.array_length {
            attribute.kind = AttributeType::List;
            let of = items.map_or(AttributeType::Text, kind);
            let plain = !matches!(of, AttributeType::List | AttributeType::Enumeration);
            attribute.of = Some(if plain { of } else { AttributeType::Json });
            attribute.length = Some(Fanout {
                average: length.median as f64,
                p99: Some(length.p99),
                max: Some(length.max),
            });
            return attribute;
        }
        if attribute.kind == AttributeType::Decimal && names::is_money(own) {
            attribute.kind = AttributeType::Money;
        }
        let counted = field.distinct > 0 && field.distinct < 1000;
        let rows = self.collection.documents;
        if counted
            && field.present >= 200
            && field.distinct * 4 < field.present
            && field.distinct <= rows
        {
            attribute.distinct = Some(Count(field.distinct));
        }
        // Few short texts, each often: an enumeration.
        let values: Option<Vec<String>> = field
            .common_values
            .iter()
            .map(|(value, _)| match value {
                Json::String(text) if text.len() <= 30 => Some(text.clone()),
                _ => None,
            })
            .collect();
        if attribute.kind == AttributeType::Text
            && field.present >= 100
            && (2..=8).contains(&field.distinct)
            && let Some(values) = values.filter(|values| values.len() as u64 == field.distinct)
        {
            attribute.kind = AttributeType::Enumeration;
            attribute.values = values;
            attribute.distinct = None;
            attribute.guess = true;
        }
        attribute
    }

    /// An array of documents: an entity whose members belong to one of the outer.
    fn owned(&mut self, outer: usize, path: &str, field: &FieldProfile, depth: usize) {
        let above = self.model.entities[outer].name.clone();
        let outer_rows = self.model.entities[outer].rows.0;
        let last = path.rsplit(['.', ']']).next().unwrap_or(path);
        let wanted = format!("{}_{}", names::singular(&above), flat(last));
        let mut name = wanted.clone();
        let mut number = 2;
        while self.model.entity(&name).is_some() {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        let length = field.array_length.unwrap_or_default();
        let items = self.schema.fields.get(&format!("{path}[]"));
        // Elements seen over documents seen: the mean.
        let looked = field.parents.max(1) as f64;
        let average = items.map_or(length.median as f64, |items| items.present as f64 / looked);
        let average = (average * 1000.0).round() / 1000.0;
        let key: Vec<(String, AttributeType)> = {
            let entity = &self.model.entities[outer];
            let find = |name: &&str| entity.attribute(name).map(|a| (a.name.clone(), a.kind));
            entity.key().iter().filter_map(find).collect()
        };
        let stem = names::singular(&above);
        let mut entity = Entity {
            name: name.clone(),
            description: Some(format!("The elements of {path} in {}.", self.collection.name)),
            rows: Count((outer_rows as f64 * average).round().min(9e15) as u64),
            ..Entity::default()
        };
        for (part, kind) in &key {
            let attribute = match part.starts_with(&stem) {
                true => part.clone(),
                false => format!("{stem}_{part}"),
            };
            entity.key.push(attribute.clone());
            entity.attributes.push(Attribute {
                name: attribute,
                kind: *kind,
                required: true,
                ..Attribute::default()
            });
        }
        let attributes = entity.key.clone();
        entity.attributes.push(Attribute {
            name: "position".into(),
            kind: AttributeType::Integer,
            required: true,
            ..Attribute::default()
        });
        entity.key.push("position".into());
        let at = self.model.entities.len();
        self.model.entities.push(entity);
        self.model.relations.push(Relationship {
            from: name,
            attributes,
            to: above,
            inverse: Some(flat(last)),
            fanout: Some(Fanout { average, p99: Some(length.p99), max: None }),
            owned: true,
            ..Relationship::default()
        });
        self.fields(at, &format!("{path}[]."), depth + 1);
    }
}

/// `customerId` and `shipping.city` as names of attributes.
fn flat(path: &str) -> String {
    let words = names::words(path.trim_start_matches('_'));
    if words.is_empty() { "value".into() } else { words.join("_") }
}

/// The type that most values have.
fn kind(field: &FieldProfile) -> AttributeType {
    let real: Vec<(&String, &u64)> =
        field.types.iter().filter(|(name, _)| *name != "null" && *name != "undefined").collect();
    let names: BTreeSet<&str> = real.iter().map(|(name, _)| name.as_str()).collect();
    let numbers = ["int", "long", "double", "decimal"];
    match real.as_slice() {
        [] => AttributeType::Text,
        [(name, _)] => of(name),
        _ if names.iter().all(|name| numbers.contains(name)) => match () {
            () if names.contains("decimal") => AttributeType::Decimal,
            () if names.contains("double") => AttributeType::Float,
            () => AttributeType::Integer,
        },
        // What is of several types is open.
        _ => AttributeType::Json,
    }
}

fn of(name: &str) -> AttributeType {
    match name {
        "objectId" => AttributeType::Id,
        "int" | "long" => AttributeType::Integer,
        "double" => AttributeType::Float,
        "decimal" => AttributeType::Decimal,
        "bool" => AttributeType::Boolean,
        "date" | "timestamp" => AttributeType::Timestamp,
        "binData" => AttributeType::Binary,
        "object" => AttributeType::Json,
        "array" => AttributeType::List,
        _ => AttributeType::Text,
    }
}

/// References by name and type: `customer_id` of the type of `customers`' key.
fn references(model: &mut Model) {
    let keys: Vec<(String, AttributeType)> = model
        .entities
        .iter()
        .filter(|entity| entity.key().as_slice() == ["id"])
        .filter_map(|entity| Some((entity.name.clone(), entity.attribute("id")?.kind)))
        .collect();
    let mut found = Vec::new();
    for entity in &mut model.entities {
        for attribute in &mut entity.attributes {
            let Some(thing) = names::refers_to(&attribute.name) else { continue };
            let target = keys.iter().find(|(name, _)| {
                names::names(name, &thing)
                    || names::words(name).last().is_some_and(|last| names::names(last, &thing))
            });
            let Some((to, kind)) = target else { continue };
            let fits = attribute.kind == *kind
                || (attribute.kind == AttributeType::Integer && *kind == AttributeType::Id);
            let own = model.relations.iter().any(|relation| {
                relation.from == entity.name && relation.attributes.contains(&attribute.name)
            });
            if fits && !own {
                attribute.kind = *kind;
                found.push(Relationship {
                    from: entity.name.clone(),
                    attributes: vec![attribute.name.clone()],
                    to: to.clone(),
                    guess: true,
                    ..Relationship::default()
                });
            }
        }
    }
    model.relations.extend(found);
}
