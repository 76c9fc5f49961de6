use marula_core::model::{AttributeType, Deed, Entity, Operator};

use super::Draw;
use super::types::{is_plain, stored_name};
use crate::model::sql::path_of;
use crate::schema::time_attribute;
use crate::structure::{Source, Store};

/// Fewer measurements fit anywhere.
const MANY_ROWS: u64 = 100_000;

/// How measurements are kept in a time-series collection.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeSeries {
    pub time: String,
    pub source: Option<String>,
    pub granularity: &'static str,
    pub why: String,
}

/// Whether a store's members are measurements, and its work is such as a time-series collection
/// does. Where they are and it cannot be, a note says why.
pub(super) fn decide(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> Option<TimeSeries> {
    let time = time_attribute(entity).filter(|time| time.kind == AttributeType::Timestamp)?;
    let reference = draw
        .references
        .iter()
        .find(|one| one.relation.from == entity.name && one.required)
        .and_then(|one| one.relation.attributes.first().cloned());
    let measured = entity.attributes.iter().any(|attribute| {
        matches!(
            attribute.kind,
            AttributeType::Float
                | AttributeType::Decimal
                | AttributeType::Integer
                | AttributeType::Json
        ) && Some(&attribute.name) != reference.as_ref()
    });
    if !entity.append_only || !measured || entity.rows.0 < MANY_ROWS || reference.is_none() {
        return None;
    }
    if draw.structure.bucket(draw.model, &entity.name).is_some() {
        return None;
    }
    let is_taken = |name: &String| {
        let stored = stored_name(entity, name);
        stored != "_id" && is_plain(stored)
    };
    let named = is_taken(&time.name) && reference.as_ref().is_none_or(is_taken);
    let unnamed =
        || "their moment or their source has a name that such a collection cannot take".into();
    if let Some(why) = (!named).then(unnamed).or_else(|| obstacle(draw, entity, store)) {
        draw.note(format!("{} would be a time-series collection, but {why}", entity.name));
        return None;
    }
    let granularity = granularity(draw, entity, reference.as_deref());
    let source = reference.map(|name| stored_name(entity, &name).to_owned());
    let why = format!(
        "a time-series collection: measurements are only added, each with its moment ({}) and where \
         it is from ({}), and the server packs those of one source and time into one bucket \
         (granularity {granularity}). It has no validator, does not keep {} unique, and takes no \
         writes in transactions",
        time.name,
        source.as_deref().unwrap_or("nowhere"),
        entity.key().join(", ")
    );
    Some(TimeSeries { time: time.name.clone(), source, granularity, why })
}

fn obstacle(draw: &Draw<'_>, entity: &Entity, store: &Store) -> Option<String> {
    let model = draw.model;
    let named =
        |name: &String| model.writes.iter().any(|w| w.name == *name && w.entity == entity.name);
    let changed =
        model.writes.iter().find(|write| write.entity == entity.name && write.does != Deed::Insert);
    let together = model.transactions.iter().find(|one| one.writes.iter().any(named));
    let along = model.writes.iter().find(|write| write.with.contains(&entity.name));
    let mut kept = draw.structure.subsets.iter().map(|subset| &model.relations[subset.relation]);
    let held = kept.find(|r| r.from == entity.name);
    let referred = draw.references.iter().find(|one| one.relation.to == entity.name);
    let key = entity.key();
    let by_key = model.queries.iter().find(|query| {
        path_of(model, query).is_ok_and(|access| {
            access.from == entity.name
                && key.len() == 1
                && access.conditions.iter().any(|condition| {
                    condition.attribute == key[0] && condition.is == Operator::Equal
                })
        })
    });
    let unique = !entity.unique.is_empty() || entity.attributes.iter().any(|a| a.unique);
    let embeds = store.fields.iter().any(|field| !matches!(field.source, Source::Attribute(_)));
    if draw.options.version.major < 5 {
        return Some("the server has them from 5.0 on".into());
    }
    changed
        .map(|write| format!("{} changes what was added", write.name))
        .or(together.map(|one| format!("{} writes them in a transaction", one.name)))
        .or(along.map(|write| {
            format!("{} writes them with their {}, in one transaction", write.name, write.entity)
        }))
        .or(held.map(|r| format!("{} keep the first of them, in one transaction", r.to)))
        .or(referred.map(|one| format!("{} refer to them", one.relation.from)))
        .or(by_key.map(|query| {
            format!("{} asks for one by its key, which has no index there", query.name)
        }))
        .or(unique.then(|| "it keeps nothing unique".into()))
        .or(embeds.then(|| "they hold more than their own attributes".into()))
}

/// How far apart the measurements of one source are.
fn granularity(draw: &Draw<'_>, entity: &Entity, reference: Option<&str>) -> &'static str {
    let rate: f64 = draw
        .model
        .writes
        .iter()
        .filter(|write| write.entity == entity.name)
        .map(|write| write.rate.0)
        .sum();
    let sources = draw
        .references
        .iter()
        .find(|one| {
            one.relation.from == entity.name
                && one.relation.attributes.first().map(String::as_str) == reference
        })
        .and_then(|one| draw.model.entity(&one.relation.to))
        .map_or(1.0, |one| one.rows.0.max(1) as f64);
    match if rate > 0.0 { sources / rate } else { 1.0 } {
        apart if apart >= 3600.0 => "hours",
        apart if apart >= 60.0 => "minutes",
        _ => "seconds",
    }
}
