//! Indexes that might serve an access: equality, sort and range in both orders where they
//! differ, because neither is right always. Which is best is measured, not argued.

mod merge;
mod orders;
mod partial;
mod required;
mod special;

use bson::Document;
use marula_core::{ChangeKind, Collection, CollectionKind, DocumentIndex};

use marula_mongodb::command::print_document;

use super::index::{Index, array_in, buildable, default_collation, served};
use super::predicate::Kind;
use super::shape::Access;
use crate::Proposal;
pub use merge::merged;
use orders::{Keys, orders};
pub use required::Need;
pub use special::{by_age, wildcards};

/// An index worth trying, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The index.
    pub index: Index,
    /// What its keys serve, in their order: `equality, sort, range`.
    pub order: String,
    /// How many of its first keys may stand in any order: what is compared for equality.
    pub free: usize,
    /// The existing index that it makes superfluous.
    pub extends: Option<String>,
    /// Whether one of its paths holds arrays.
    pub multikey: bool,
    /// Whether the existing indexes are known.
    pub known: bool,
    /// What else to mind.
    pub extra: Vec<String>,
    /// What was checked in the catalogue.
    pub conditions: Vec<String>,
    /// How promising it is, from 0 to 1, before anything is measured.
    pub promise: f64,
}

/// The indexes that might serve `access`, most promising first.
pub fn candidates(
    access: &Access,
    collection: Option<&Collection>,
    collation: Option<&Document>,
) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    // A view has no indexes of its own.
    if collection.is_some_and(|collection| collection.kind == CollectionKind::View) {
        return found;
    }
    let usual = collection.and_then(default_collation);
    let collation = collation.or(usual.as_ref());
    let mut branches: Vec<Access> = Vec::new();
    // One index per branch of an $or: the planner reads one for each or none at all.
    for branch in access.filter.any.iter().flatten() {
        let mut alone = access.clone();
        alone.filter.any.clear();
        alone.filter.and(branch.clone());
        alone.needed = None;
        branches.push(alone);
    }
    let schema = collection.and_then(|collection| collection.schema.as_ref());
    for (keys, order, promise) in orders(access, collection, schema) {
        push(&mut found, keys, order, promise, access, collection, collation);
    }
    for branch in &branches {
        for (keys, order, promise) in orders(branch, collection, schema).into_iter().take(2) {
            push(&mut found, keys, order, promise * 0.9, branch, collection, collation);
        }
    }
    found.extend(partial::partial(&found, access, schema));
    for (keys, special, promise) in special::special(access, schema) {
        let order = format!("{} for {}", special.1, special.0);
        let made = candidate(&access.collection, keys, order, promise, collection);
        found.extend(made.and_then(|mut made| {
            made.index.special = Some(special);
            served(&made.index, collection).is_none().then_some(made)
        }));
    }
    found.sort_by(|a, b| b.promise.total_cmp(&a.promise));
    found
}

fn push(
    found: &mut Vec<Candidate>,
    mut keys: Keys,
    order: &'static str,
    promise: f64,
    access: &Access,
    collection: Option<&Collection>,
    collation: Option<&Document>,
) {
    let schema = collection.and_then(|collection| collection.schema.as_ref());
    while !buildable(&keys, schema) && keys.len() > 1 {
        keys.pop();
    }
    if keys.first().is_none_or(|(path, _)| path == "_id") {
        return;
    }
    let index = Index {
        collection: access.collection.clone(),
        keys,
        partial: None,
        collation: collation.cloned(),
        special: None,
    };
    if served(&index, collection).is_some() || found.iter().any(|other| other.index == index) {
        return;
    }
    let multikey = index.keys.iter().any(|(path, _)| array_in(path, schema).is_some());
    // Only what was looked at is called checked.
    let mut conditions: Vec<String> = Vec::new();
    conditions.extend(collection.map(|_| "no existing index begins with these keys".to_string()));
    if let Some(schema) = schema.filter(|_| index.keys.len() > 1) {
        conditions.push(format!(
            "at most one of its paths holds arrays in the {} documents sampled",
            schema.sampled
        ));
    }
    if let Some(collation) = collation {
        let locale = collation.get_str("locale").unwrap_or("simple");
        conditions.push(format!("it has the command's collation ({locale})"));
    }
    let extends = collection
        .into_iter()
        .flat_map(|collection| &collection.indexes)
        .find(|existing| index.extends(existing) && droppable(existing, multikey))
        .map(|existing| existing.name.clone());
    // Taking the place of an index costs less to keep than adding one.
    let promise = promise + if extends.is_some() { 0.05 } else { 0.0 };
    let order = match order {
        "covering" | "distinct values" => order.to_string(),
        // Keys may have fallen out on the way: what is left is named.
        _ => orders::served(&index.keys, access),
    };
    let known = collection.is_some();
    let extra = Vec::new();
    let equal = access.paths(|kind| matches!(kind, Kind::Equality | Kind::Null));
    let free = index.keys.iter().take_while(|(path, _)| equal.contains(path)).count();
    found.push(Candidate {
        index,
        order,
        free,
        extends,
        multikey,
        known,
        extra,
        conditions,
        promise,
    });
}

/// An index of another kind than those that are simply sorted; `None` where it exists.
fn candidate(
    name: &str,
    keys: Keys,
    order: String,
    promise: f64,
    collection: Option<&Collection>,
) -> Option<Candidate> {
    let schema = collection.and_then(|collection| collection.schema.as_ref());
    let multikey = keys.iter().any(|(path, _)| array_in(path, schema).is_some());
    let index =
        Index { collection: name.to_string(), keys, partial: None, collation: None, special: None };
    served(&index, collection).is_none().then(|| Candidate {
        index,
        order,
        free: 0,
        extends: None,
        multikey,
        known: collection.is_some(),
        extra: Vec::new(),
        conditions: Vec::new(),
        promise,
    })
}

/// Whether a longer index can take its place: a rule of its own hangs on some indexes, and a
/// multikey one reads more keys.
fn droppable(existing: &DocumentIndex, multikey: bool) -> bool {
    !existing.unique && existing.expire_after_seconds.is_none() && !multikey
}

impl Candidate {
    /// It as a proposal, expected to save `share` of the statement's time.
    pub fn proposal(&self, share: f64) -> Proposal {
        let index = &self.index;
        let mut hazards = vec![
            "the build reads the whole collection; on a busy replica set build it at a quiet hour"
                .to_string(),
            "every insert, delete, and update of these fields writes one more index".to_string(),
        ];
        hazards.extend(self.extra.iter().cloned());
        if !self.known {
            hazards.push(
                "the existing indexes are not known here: see first that none begins with these keys"
                    .into(),
            );
        }
        if self.multikey {
            hazards.push("it is multikey: one entry per array element".into());
        }
        let replaces = match &self.extends {
            Some(name) => {
                hazards.push(format!(
                    "it makes the index {name} superfluous: hide that one, watch, then drop it"
                ));
                format!(", extending {name}")
            }
            None => String::new(),
        };
        let only = match &index.partial {
            Some(filter) => format!(" where {}", print_document(filter)),
            None => String::new(),
        };
        Proposal {
            kind: ChangeKind::Index,
            title: format!(
                "index {} on {}{only} ({}{replaces})",
                index.keys_shell(),
                index.collection,
                self.order
            ),
            relation: Some(index.collection.clone()),
            up: vec![index.create()],
            down: vec![index.drop()],
            hazards,
            conditions: self.conditions.clone(),
            gain: share * self.promise,
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use marula_core::Version;

    use super::super::shape::Shape;
    use super::*;

    #[test]
    fn what_the_keys_serve_is_what_is_named() {
        let orders = |filter: Document, sort: Document| {
            let command = doc! {"find": "c", "filter": filter, "sort": sort, "limit": 9};
            let shape = Shape::of(&command, Version::new(6, 0, 27));
            let all = shape.accesses.iter().flat_map(|access| candidates(access, None, None));
            all.map(|candidate| candidate.order).collect::<Vec<_>>()
        };
        assert_eq!(orders(doc! {"a": {"$gt": 1, "$lt": 3}}, doc! {}), ["range"]);
        assert_eq!(orders(doc! {"a": {"$in": [1, 2]}}, doc! {}), ["$in"]);
        let both = orders(doc! {"a": {"$in": [1, 2]}}, doc! {"s": 1});
        assert_eq!(both, ["sort, $in", "$in, sort"]);
        assert_eq!(orders(doc! {"a": 1}, doc! {"a": 1}), ["equality"]);
    }

    fn wanted(command: Document) -> Vec<String> {
        let shape = Shape::of(&command, Version::new(6, 0, 27));
        let all = shape.accesses.iter().flat_map(|access| candidates(access, None, None));
        all.map(|candidate| candidate.index.keys_shell()).collect()
    }

    #[test]
    fn sort_and_range_come_in_both_orders() {
        let found = wanted(doc! {"find": "c", "filter": {"a": 1, "r": {"$gt": 5}},
        "sort": {"s": -1}, "limit": 20});
        assert_eq!(found, ["{ a: 1, s: -1, r: 1 }", "{ a: 1, r: 1, s: -1 }"]);
    }

    #[test]
    fn an_in_stands_before_or_after_the_sort() {
        let found = wanted(doc! {"find": "c", "filter": {"a": 1, "b": {"$in": [1, 2, 3]}},
        "sort": {"s": 1}, "limit": 20});
        assert_eq!(found, ["{ a: 1, s: 1, b: 1 }", "{ a: 1, b: 1, s: 1 }"]);
    }

    #[test]
    fn a_lookup_asks_for_its_foreign_field_and_an_or_for_each_branch() {
        let found = wanted(doc! {"aggregate": "c", "pipeline": [
        {"$match": {"$or": [{"a": 1}, {"b": {"$gt": 2}}]}},
        {"$lookup": {"from": "d", "localField": "x", "foreignField": "y", "as": "z"}}]});
        assert_eq!(found, ["{ a: 1 }", "{ b: 1 }", "{ y: 1 }"]);
    }

    #[test]
    fn few_narrow_fields_are_added_so_that_nothing_is_fetched() {
        let found = wanted(doc! {"aggregate": "c", "pipeline": [
        {"$match": {"kind": "view", "at": {"$gte": 1}}},
        {"$group": {"_id": "$user", "n": {"$sum": 1}}}]});
        assert_eq!(found, ["{ kind: 1, at: 1, user: 1 }", "{ kind: 1, at: 1 }"]);
    }
}
