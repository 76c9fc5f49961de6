use std::borrow::Cow;

use bson::{Bson, Document};
use marula_core::model::{AccessPath, AttributeType, Entity, Model, Operator, Skew};
use marula_mongodb::command::print_document;

use super::types::{is_plain, stored_name};
use super::{Draw, SchemaOptions, sizes, timeseries};
use crate::figures::rows_in_a_year;
use crate::model::sql::path_of;
use crate::schema::{Reference, root};
use crate::structure::{Bucket, Layout, Store, Structure};

/// A key to shard a collection by, with what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardKey {
    /// The entity whose collection it is.
    pub store: String,
    /// The key: `{customer_id: 1, _id: 1}` or `{_id: "hashed"}`.
    pub key: Document,
    /// How many different values the whole key has.
    pub cardinality: f64,
    /// The share of the documents that have the commonest value of its first field.
    pub frequency: f64,
    /// Whether new documents all go to the end of the range, and so to one shard.
    pub monotonic: bool,
    /// The share of the reads, by rate, that name the first field and so ask one shard.
    pub targeted: f64,
    /// About how many bytes the collection's documents take in a year's time.
    pub bytes_in_a_year: f64,
    /// In words.
    pub why: String,
}

impl ShardKey {
    /// What makes it so, in a database called `database`.
    pub fn to_shell(&self, database: &str) -> String {
        let name = Bson::String(format!("{database}.{}", self.store)).into_relaxed_extjson();
        format!("sh.shardCollection({name}, {})", print_document(&self.key))
    }
}

/// The key each collection would be sharded by.
pub fn shard_keys(
    model: &Model,
    structure: &Structure,
    layout: &Layout,
    options: &SchemaOptions,
) -> Vec<ShardKey> {
    let mut draw = Draw::new(model, structure, layout, options);
    let reads = Reads::new(model);
    let sizes = sizes(model, structure, layout);
    let of = |store: &Store| {
        let entity = model.entity(&store.entity)?;
        let series = timeseries::decide(&mut draw, entity, store);
        let mut candidates = candidates(&reads, &draw.references, entity, store);
        candidates.sort_by(|a, b| score(b).total_cmp(&score(a)));
        let mut best = match series.and_then(|series| series.source) {
            // Only its source and its moment may shard a time-series collection.
            Some(source) => by_source(candidates, source)?,
            None => candidates.into_iter().next()?,
        };
        if let Some((_, bucket)) = structure.bucket(model, &entity.name) {
            // A bucket has no moment of its own.
            let own = |name: String| if name == bucket.time { Bucket::LAST.into() } else { name };
            best.key = best.key.into_iter().map(|(name, order)| (own(name), order)).collect();
        }
        let average = sizes.iter().find(|size| size.store == store.entity)?.average;
        best.bytes_in_a_year = average * rows_in_a_year(entity);
        best.why = said(&best, obstacle(entity, &best.key));
        Some(best)
    };
    layout.stores.iter().filter_map(of).collect()
}

fn by_source(candidates: Vec<ShardKey>, source: String) -> Option<ShardKey> {
    let found = candidates.into_iter().find(|one| one.key.keys().next() == Some(&source))?;
    Some(ShardKey { key: [(source, Bson::Int32(1))].into_iter().collect(), ..found })
}

/// What MongoDB refuses the key for: only what begins with the key can be kept unique over shards.
fn obstacle(entity: &Entity, key: &Document) -> Option<String> {
    let begins = |set: &[String]| {
        key.iter().enumerate().all(|(at, (field, how))| {
            let name = set.get(at).map(|name| stored_name(entity, name));
            how.as_i32().is_some() && name == Some(field.as_str())
        })
    };
    let own = entity.attributes.iter().filter(|attribute| attribute.unique);
    let own = own.map(|attribute| vec![attribute.name.clone()]);
    let sets: Vec<String> = own
        .chain(entity.unique.iter().cloned())
        .filter(|set| !begins(set))
        .map(|set| set.join(" with "))
        .collect();
    (!sets.is_empty()).then(|| {
        format!(
            "MongoDB refuses it while an index keeps {} unique: give that index up first, and keep \
             each value in a collection of its own, as _id, where it must stay unique",
            sets.join(", ")
        )
    })
}

/// Reads that ask one shard count most; a key that cannot spread the data counts for nothing.
fn score(key: &ShardKey) -> f64 {
    let spread = if key.cardinality < 100.0 || key.monotonic { 0.0 } else { 1.0 };
    spread * (0.1 + key.targeted) * (1.0 - key.frequency).max(0.0).powi(4)
}

fn candidates(
    reads: &Reads<'_>,
    references: &[Reference<'_>],
    entity: &Entity,
    store: &Store,
) -> Vec<ShardKey> {
    let model = reads.model;
    let rows = entity.rows.0.max(1) as f64;
    let own = entity.key();
    let mut found = Vec::new();
    let id = match own[..] {
        [one] => Some(one),
        _ => None,
    };
    let grows = id.and_then(|id| root(model, entity, id)).is_some_and(|(_, attribute)| {
        matches!(
            attribute.kind,
            AttributeType::Id | AttributeType::UuidV7 | AttributeType::Timestamp
        )
    });
    let by_id = id.map_or(0.0, |id| reads.share(references, entity, id));
    let how =
        if grows { "hashed, since it grows with time and would fill one shard" } else { "hashed" };
    found.push(ShardKey {
        store: entity.name.clone(),
        key: [("_id".to_owned(), Bson::from("hashed"))].into_iter().collect(),
        cardinality: rows,
        frequency: 1.0 / rows,
        monotonic: false,
        targeted: by_id,
        bytes_in_a_year: 0.0,
        why: how.into(),
    });
    for attribute in &entity.attributes {
        let name = attribute.name.as_str();
        let refers = references
            .iter()
            .find(|one| one.relation.from == entity.name && one.relation.attributes == [name]);
        let part = own.len() > 1 && own.contains(&name);
        let field = store.attribute(name).filter(|field| is_plain(&field.name));
        // A document without the field is in one place with all others without it.
        let there = attribute.required || own.contains(&name);
        if field.is_none() || id == Some(name) || !there || !(refers.is_some() || part) {
            continue;
        }
        let distinct = refers
            .and_then(|one| model.entity(&one.relation.to))
            .map(|one| one.rows.0 as f64)
            .or(attribute.distinct.map(|count| count.0 as f64))
            .unwrap_or(rows.sqrt())
            .clamp(1.0, rows);
        let most = refers.and_then(|one| one.relation.fanout?.max).map(|most| most as f64);
        let frequency =
            most.map_or_else(|| commonest(attribute.skew, distinct), |most| most / rows);
        let moment = matches!(attribute.kind, AttributeType::Timestamp | AttributeType::Date);
        let stored = stored_name(entity, name).to_owned();
        let rest = match (&own[..], part) {
            ([_], _) => vec!["_id".to_owned()],
            (all, true) => all
                .iter()
                .filter(|other| **other != name)
                .map(|other| (*other).to_owned())
                .collect(),
            _ => vec!["_id".to_owned()],
        };
        let keys = std::iter::once(stored).chain(rest);
        found.push(ShardKey {
            store: entity.name.clone(),
            key: keys.map(|name| (name, Bson::Int32(1))).collect(),
            cardinality: rows,
            frequency: frequency.min(1.0),
            monotonic: moment,
            targeted: reads.share(references, entity, name),
            bytes_in_a_year: 0.0,
            why: "those of one lie together, and many of one can still be cut apart".into(),
        });
    }
    found
}

/// The share of the commonest of so many values.
fn commonest(skew: Skew, distinct: f64) -> f64 {
    match skew {
        // The first of a Zipf distribution.
        Skew::Zipf => 1.0 / (distinct.ln() + 0.577).max(1.0),
        _ => 1.0 / distinct,
    }
}

/// What is asked of a model, by rate.
struct Reads<'m> {
    model: &'m Model,
    paths: Vec<(f64, Cow<'m, AccessPath>)>,
}

impl<'m> Reads<'m> {
    fn new(model: &'m Model) -> Self {
        let path = |query| path_of(model, query).ok();
        let queries = model.queries.iter();
        let paths = queries.filter_map(|one| Some((one.rate.0.max(1e-9), path(one)?))).collect();
        Reads { model, paths }
    }

    /// The share of the reads of a collection that name an attribute's value.
    fn share(&self, references: &[Reference<'_>], entity: &Entity, attribute: &str) -> f64 {
        let model = self.model;
        let (mut all, mut named) = (0.0, 0.0);
        for (rate, access) in &self.paths {
            let equal = |path: &str| {
                access.conditions.iter().any(|one| {
                    one.attribute == path && matches!(one.is, Operator::Equal | Operator::In)
                })
            };
            if access.from == entity.name {
                all += rate;
                // The attribute itself, or the key of the one it names.
                let through = references.iter().any(|one| {
                    one.relation.from == entity.name
                        && one.relation.attributes == [attribute]
                        && model.entity(&one.relation.to).is_some_and(|to| match to.key()[..] {
                            [key] => one
                                .relation
                                .name
                                .iter()
                                .chain([&one.relation.to])
                                .any(|step| equal(&format!("{step}.{key}"))),
                            _ => false,
                        })
                });
                if equal(attribute) || through {
                    named += rate;
                }
                continue;
            }
            // From the one, whose key is named, to its many.
            let follows = references.iter().find(|one| {
                one.relation.from == entity.name
                    && one.relation.to == access.from
                    && steps(access).any(|step| {
                        one.relation.inverse.as_deref() == Some(step) || one.relation.from == step
                    })
            });
            if let Some(one) = follows {
                all += rate;
                let key = model.entity(&access.from).map(Entity::key).unwrap_or_default();
                if one.relation.attributes == [attribute] && key.len() == 1 && equal(key[0]) {
                    named += rate;
                }
            }
        }
        if all > 0.0 { named / all } else { 0.0 }
    }
}

/// The first steps of all an access path names.
fn steps(access: &AccessPath) -> impl Iterator<Item = &str> {
    let conditions = access.conditions.iter().chain(access.any.iter().flatten());
    let conditions = conditions.map(|one| one.attribute.as_str());
    let followed = access.follow.iter().chain(&access.optional);
    let followed = followed.chain(&access.select).chain(&access.group);
    let sums = access.aggregates.iter().filter_map(|one| one.attribute.as_deref());
    followed.map(String::as_str).chain(conditions).chain(sums).filter_map(|p| p.split('.').next())
}

/// Its numbers in words.
fn said(key: &ShardKey, obstacle: Option<String>) -> String {
    let monotonic = if key.monotonic { "monotonic" } else { "not monotonic" };
    let obstacle = obstacle.map(|why| format!("; {why}")).unwrap_or_default();
    format!(
        "{}; {:.0} values, the commonest in {:.2} % of the documents, {monotonic}, {:.0} % of the \
         reads ask one shard{obstacle}",
        key.why,
        key.cardinality,
        key.frequency * 100.0,
        key.targeted * 100.0
    )
}
