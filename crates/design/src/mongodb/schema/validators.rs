use bson::{Bson, Document, doc};
use marula_core::model::{AggregateFunction, Deed, Entity};

use super::Draw;
use super::checks::expression;
use super::types::{is_plain, is_range, stored_name, value_schema, whole};
use crate::schema::source_attribute;
use crate::structure::{Field, Source, Span, Store};

/// The validator of a collection.
pub(super) fn validator(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> Document {
    let mut schema = object(draw, entity, store, true);
    if let Ok(properties) = schema.get_document_mut("properties") {
        if !properties.contains_key("_id") {
            properties.insert("_id", doc! {});
        }
        if !properties.contains_key("schema_version") {
            properties.insert("schema_version", doc! { "bsonType": ["int", "long"] });
        }
    }
    let mut expressions = Vec::new();
    conditions(draw, entity, store, "$", 0, true, &mut expressions);
    let mut validator = doc! { "$jsonSchema": schema };
    match expressions.len() {
        0 => {}
        1 => drop(validator.insert("$expr", expressions.remove(0))),
        _ => drop(validator.insert("$expr", doc! { "$and": expressions })),
    }
    validator
}

/// What `$jsonSchema` says of a document, or of an element of an array.
fn object(draw: &mut Draw<'_>, entity: &Entity, store: &Store, top: bool) -> Document {
    let mut required = Vec::new();
    let mut properties = Document::new();
    for field in &store.fields {
        let name = if top { stored_name(entity, &field.name) } else { &field.name };
        if !is_plain(name) {
            draw.note(format!(
                "{} of {} is not checked: a name with a dot, a dollar in front or a zero byte \
                 cannot be said in a validator",
                field.name, entity.name
            ));
            continue;
        }
        let (schema, needed) = field_schema(draw, entity, store, field);
        if needed {
            required.push(name.to_owned());
        }
        properties.insert(name, schema);
    }
    let mut schema = doc! { "bsonType": "object" };
    // An empty list is refused.
    if !required.is_empty() {
        schema.insert("required", required);
    }
    schema.insert("properties", properties);
    if store.fields.iter().all(|field| is_plain(&field.name)) {
        schema.insert("additionalProperties", false);
    }
    schema
}

/// A field's schema, and whether each document has it.
fn field_schema(
    draw: &mut Draw<'_>,
    entity: &Entity,
    store: &Store,
    field: &Field,
) -> (Document, bool) {
    let known = source_attribute(draw.model, draw.structure, store, &field.source);
    match &field.source {
        Source::Attribute(name) => {
            let Some(own) = entity.attribute(name) else { return (doc! {}, false) };
            let root = known.map_or(own, |(_, root)| root);
            let mut schema = value_schema(root);
            if let Some(text) = &own.description {
                schema.insert("description", crate::schema::one_line(text));
            }
            (schema, own.required || entity.key().contains(&name.as_str()))
        }
        Source::Copy { .. } => {
            (known.map_or(doc! {}, |(_, attribute)| value_schema(attribute)), false)
        }
        Source::Computed(at) => {
            let function = draw.structure.computed.get(*at).map(|computed| computed.function);
            let schema = match (function, known) {
                (Some(AggregateFunction::Min | AggregateFunction::Max), Some((_, attribute))) => {
                    value_schema(attribute)
                }
                (Some(AggregateFunction::Count), _) | (_, None) => {
                    doc! { "bsonType": ["int", "long"] }
                }
                _ => doc! { "bsonType": "number" },
            };
            (schema, false)
        }
        Source::Span(Span::First | Span::Last) => (doc! { "bsonType": "date" }, true),
        Source::Span(Span::Count) => (doc! { "bsonType": ["int", "long"], "minimum": 1 }, true),
        Source::Rows { count, store: within } => {
            let Some(many) = draw.model.entity(&within.entity) else { return (doc! {}, false) };
            let items = object(draw, many, within, false);
            let mut rows = doc! { "bsonType": "array", "items": items, "minItems": 1 };
            // One to which late members came is cut in two when it has twice as many, but those of
            // one moment stay together.
            let bucket = draw.structure.bucket(draw.model, &store.entity);
            if bucket.is_some_and(|(_, bucket)| bucket.is_by_moment(draw.model)) {
                rows.insert("maxItems", whole(2 * *count));
            }
            (rows, true)
        }
        Source::Turn(_) => (doc! { "bsonType": ["int", "long"] }, false),
        Source::Subset { count, store: within, .. } => {
            let Some(many) = draw.model.entity(&within.entity) else { return (doc! {}, false) };
            let items = object(draw, many, within, false);
            (doc! { "bsonType": "array", "items": items, "maxItems": whole(*count) }, false)
        }
        Source::Embedded { relation, store: within } => {
            let Some(many) = draw.model.entity(&within.entity) else { return (doc! {}, false) };
            let mut schema = doc! { "bsonType": "array" };
            let items = object(draw, many, within, false);
            schema.insert("items", items);
            let relation = draw.model.relations.get(*relation);
            if let Some(most) = relation.and_then(|relation| relation.fanout?.max) {
                schema.insert("maxItems", whole(most));
            }
            // Only where whatever adds the one brings the many along.
            let brings = draw.model.writes.iter().all(|write| {
                write.entity != entity.name
                    || write.does != Deed::Insert
                    || write.with.contains(&within.entity)
            });
            let needed = relation.is_some_and(|relation| relation.at_least_one) && brings;
            if needed {
                schema.insert("minItems", 1);
            }
            (schema, needed)
        }
    }
}

/// What holds between fields: the model's checks, and keys that are unique within an array.
/// `path` is what names begin with: `$`, or `$$e1.` for the elements of an array.
fn conditions(
    draw: &mut Draw<'_>,
    entity: &Entity,
    store: &Store,
    path: &str,
    depth: usize,
    top: bool,
    found: &mut Vec<Bson>,
) {
    let name = |attribute: &str| {
        let own = store.attribute(attribute).filter(|field| is_plain(&field.name))?;
        let stored = if top { stored_name(entity, &own.name) } else { &own.name };
        Some(format!("{path}{stored}"))
    };
    for text in &entity.checks {
        match expression(entity, text, &name) {
            Ok(condition) => found.push(condition),
            Err(why) => draw.note(format!(
                "the check «{text}» of {} is left to the program: {why}",
                entity.name
            )),
        }
    }
    for attribute in entity.attributes.iter().filter(|attribute| is_range(attribute.kind)) {
        found.extend(name(&attribute.name).map(|range| in_order(&range)));
    }
    for field in &store.fields {
        let Source::Embedded { relation, store: within } = &field.source else { continue };
        let Some(many) = draw.model.entity(&within.entity) else { continue };
        if !is_plain(&field.name) {
            continue;
        }
        let array = format!("{path}{}", field.name);
        found.extend(unique_within(draw, many, within, *relation, &array));
        let variable = format!("e{}", depth + 1);
        let mut inner = Vec::new();
        conditions(draw, many, within, &format!("$${variable}."), depth + 1, false, &mut inner);
        if !inner.is_empty() {
            let each = doc! {
                "input": { "$ifNull": [array.clone(), []] },
                "as": variable,
                "in": { "$and": inner },
            };
            found.push(doc! { "$allElementsTrue": [{ "$map": each }] }.into());
        }
    }
}

/// That a range with two ends begins before it ends.
fn in_order(range: &str) -> Bson {
    let [from, to] = ["from", "to"].map(|end| format!("{range}.{end}"));
    let open = |end: &str| doc! { "$eq": [{ "$type": end }, "missing"] };
    doc! { "$or": [open(&from), open(&to), { "$lt": [from.clone(), to.clone()] }] }.into()
}

/// That no two elements of an array share the key that is left of theirs.
fn unique_within(
    draw: &mut Draw<'_>,
    many: &Entity,
    within: &Store,
    relation: usize,
    array: &str,
) -> Option<Bson> {
    let implied = draw.model.relations.get(relation).map(|relation| &relation.attributes)?;
    let key: Vec<&str> = many
        .key()
        .into_iter()
        .filter(|name| !implied.iter().any(|own| own == name))
        .filter(|name| within.attribute(name).is_some() && is_plain(name))
        .collect();
    let values: Bson = match key[..] {
        [] => return None,
        [one] => format!("{array}.{one}").into(),
        _ => {
            let each: Document =
                key.iter().map(|name| ((*name).to_owned(), format!("$$k.{name}").into())).collect();
            doc! { "$map": { "input": array, "as": "k", "in": each } }.into()
        }
    };
    let there = |of: Bson| doc! { "$ifNull": [of, []] };
    Some(
        doc! { "$eq": [
            { "$size": there(array.into()) },
            { "$size": { "$setUnion": [there(values)] } },
        ] }
        .into(),
    )
}
