//! Indexes that might serve an access: equality, sort and range in both orders where they
//! differ, because neither is right always. Which is best is measured, not argued.

use bson::Document;
use marula_core::{ChangeKind, Collection, DocumentIndex, InferredSchema, Json};

use super::index::{Index, array_in, buildable, profile, served};
use super::predicate::Kind;
use super::shape::{Access, Role};
use crate::Proposal;

/// `$in` with more values is not read as so many intervals of one sort order.
const MAX_IN: usize = 200;
/// The server's own limit is 32; wider than this nobody wants.
const MAX_KEYS: usize = 6;
/// Fields added to an index so that documents need not be fetched.
const MAX_COVERED: usize = 3;

/// An index worth trying, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The index.
    pub index: Index,
    /// What its order follows: `equality, sort, range`.
    pub order: &'static str,
    /// The existing index that it makes superfluous.
    pub extends: Option<String>,
    /// Whether one of its paths holds arrays.
    pub multikey: bool,
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
    found.extend(partial(&found, access, schema));
    found.sort_by(|a, b| b.promise.total_cmp(&a.promise));
    found
}

type Keys = Vec<(String, i32)>;

fn orders(
    access: &Access,
    collection: Option<&Collection>,
    schema: Option<&InferredSchema>,
) -> Vec<(Keys, &'static str, f64)> {
    let mut equal = access.paths(|kind| matches!(kind, Kind::Equality | Kind::Null));
    let lists = access.paths(|kind| matches!(kind, Kind::In(count) if *count <= MAX_IN));
    let mut ranges = access.paths(|kind| {
        matches!(kind, Kind::Range) || matches!(kind, Kind::In(count) if *count > MAX_IN)
    });
    ranges.retain(|path| !equal.contains(path) && !lists.contains(path));
    arrange(&mut equal, collection, schema);
    let lists: Vec<String> = lists.into_iter().filter(|path| !equal.contains(path)).collect();
    let fixed: Keys = equal.iter().map(|path| (path.clone(), 1)).collect();
    // An order over an array's elements is not the documents' order.
    let sort: Keys = match access.sort.iter().any(|(path, _)| array_in(path, schema).is_some()) {
        true => Vec::new(),
        false => access.sort.iter().filter(|(path, _)| !equal.contains(path)).cloned().collect(),
    };
    let up = |paths: &[String], not: &Keys| -> Keys {
        let free = paths.iter().filter(|path| !not.iter().any(|(taken, _)| taken == *path));
        free.map(|path| (path.clone(), 1)).collect()
    };
    let mut found: Vec<(Keys, &'static str, f64)> = Vec::new();
    let mut add = |parts: &[&Keys], order: &'static str, promise: f64| {
        let mut keys: Keys = Vec::new();
        for (path, direction) in parts.iter().flat_map(|part| part.iter()) {
            if !keys.iter().any(|(taken, _)| taken == path) {
                keys.push((path.clone(), *direction));
            }
        }
        keys.truncate(MAX_KEYS);
        if !keys.is_empty() {
            found.push((keys, order, promise));
        }
    };
    let none: Keys = Vec::new();
    let (listed, ranged) = (up(&lists, &sort), up(&ranges, &sort));
    match (sort.is_empty(), listed.is_empty() && ranged.is_empty()) {
        (true, _) => {
            let narrow = up(&lists, &none).into_iter().chain(up(&ranges, &none)).collect();
            add(&[&fixed, &narrow], "equality, range", 0.8);
        }
        (false, true) => add(&[&fixed, &sort], "equality, sort", 0.9),
        (false, false) => {
            add(&[&fixed, &sort, &listed, &ranged], "equality, sort, range", 0.85);
            add(&[&fixed, &listed, &ranged, &sort], "equality, range, sort", 0.84);
            if !listed.is_empty() && !ranged.is_empty() {
                add(&[&fixed, &listed, &sort, &ranged], "equality and $in, sort, range", 0.83);
            }
        }
    }
    if !sort.is_empty() && access.limit.is_none() && !(listed.is_empty() && ranged.is_empty()) {
        add(&[&fixed, &listed, &ranged], "equality, range", 0.6);
    }
    if let Some(covered) = covered(access, &found, schema) {
        found.push(covered);
    }
    if found.is_empty() && access.filter.is_empty() && !access.group.is_empty() {
        found.push((up(&access.group, &none), "group", 0.5));
    }
    found
}

/// The best order with the remaining fields behind it, where they are few and narrow.
fn covered(
    access: &Access,
    found: &[(Keys, &'static str, f64)],
    schema: Option<&InferredSchema>,
) -> Option<(Keys, &'static str, f64)> {
    let needed = access.needed.as_ref()?;
    let (keys, _, _) = found.first()?;
    if !access.filter.any.is_empty() || access.role == Role::Write {
        return None;
    }
    // A multikey index never covers: the document is needed to tell an array from its element.
    let arrays = keys.iter().map(|(path, _)| path).chain(needed);
    if arrays.into_iter().any(|path| array_in(path, schema).is_some()) {
        return None;
    }
    let fetched = access.paths(|kind| matches!(kind, Kind::Null | Kind::Other | Kind::Negation));
    if !fetched.iter().all(|path| needed.contains(path))
        || access.filter.all.iter().any(|p| p.element)
    {
        return None;
    }
    let more: Vec<&String> =
        needed.iter().filter(|path| !keys.iter().any(|(taken, _)| taken == *path)).collect();
    let wide = more
        .iter()
        .any(|path| profile(path, schema).is_some_and(|field| field.types.contains_key("object")));
    if more.is_empty() || more.len() > MAX_COVERED || wide || keys.len() + more.len() > MAX_KEYS {
        return None;
    }
    let mut all = keys.clone();
    all.extend(more.into_iter().map(|path| (path.clone(), 1)));
    Some((all, "covering", 0.82))
}

/// Puts equality paths first that an existing index begins with, so that it can be extended;
/// then those with the most values.
fn arrange(equal: &mut [String], collection: Option<&Collection>, schema: Option<&InferredSchema>) {
    let distinct = |path: &str| profile(path, schema).map_or(0, |field| field.distinct);
    equal.sort_by_key(|path| std::cmp::Reverse(distinct(path)));
    let prefix = |index: &DocumentIndex| {
        index.keys.iter().take_while(|(path, _)| equal.contains(path)).count()
    };
    let best =
        collection.into_iter().flat_map(|collection| &collection.indexes).max_by_key(|i| prefix(i));
    if let Some(best) = best {
        let place = |path: &String| best.keys.iter().position(|(key, _)| key == path);
        equal.sort_by_key(|path| place(path).unwrap_or(usize::MAX));
    }
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
    };
    if served(&index, collection).is_some() || found.iter().any(|other| other.index == index) {
        return;
    }
    let multikey = index.keys.iter().any(|(path, _)| array_in(path, schema).is_some());
    let mut conditions = vec![match collection {
        Some(_) => "no existing index begins with these keys".to_string(),
        None => "the existing indexes could not be read".to_string(),
    }];
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
    found.push(Candidate { index, order, extends, multikey, conditions, promise });
}

/// Whether a longer index can take its place: a rule of its own hangs on some indexes, and a
/// multikey one reads more keys.
fn droppable(existing: &DocumentIndex, multikey: bool) -> bool {
    !existing.unique && existing.expire_after_seconds.is_none() && !multikey
}

/// The best candidate over only those documents that the filter asks for by a rare constant.
fn partial(
    found: &[Candidate],
    access: &Access,
    schema: Option<&InferredSchema>,
) -> Option<Candidate> {
    let schema = schema.filter(|schema| schema.sampled >= 100)?;
    let best = found.first().filter(|best| best.index.collation.is_none())?;
    if matches!(access.role, Role::Lookup | Role::GraphLookup) {
        return None;
    }
    let rare = |predicate: &&super::predicate::Predicate| {
        !predicate.expression && !predicate.element && share(predicate, schema) <= Some(0.2)
    };
    let constant = access
        .all(|kind| *kind == Kind::Equality)
        .filter(|predicate| share(predicate, schema).is_some())
        .find(rare)?;
    let field = profile(&constant.path, Some(schema))?;
    // Only where the value is one of a few, and so most likely always this one.
    if field.distinct > 20 || array_in(&constant.path, Some(schema)).is_some() {
        return None;
    }
    let keys: Keys =
        best.index.keys.iter().filter(|(path, _)| *path != constant.path).cloned().collect();
    if keys.is_empty() {
        return None;
    }
    let share = share(constant, schema).unwrap_or(1.0);
    Some(Candidate {
        index: Index { keys, partial: Some(constant.filter.clone()), ..best.index.clone() },
        order: "partial",
        extends: None,
        multikey: best.multikey,
        conditions: vec![
            "the filter of the statement implies the filter of the index".into(),
            format!("{:.1} % of the documents sampled are in it", share * 100.0),
        ],
        promise: best.promise - 0.1,
    })
}

/// The share of the sampled documents that hold the predicate's value, when it is a frequent one.
fn share(predicate: &super::predicate::Predicate, schema: &InferredSchema) -> Option<f64> {
    let field = schema.fields.get(&predicate.path)?;
    let value = match predicate.filter.get(&predicate.path)? {
        bson::Bson::Document(operator) if operator.contains_key("$eq") => operator.get("$eq")?,
        bson::Bson::Document(_) => return None,
        value => value,
    };
    let value: Json = value.clone().into_relaxed_extjson();
    let (_, count) = field.common_values.iter().find(|(common, _)| *common == value)?;
    Some(*count as f64 / schema.sampled.max(1) as f64)
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
            Some(filter) => format!(" where {}", super::index::shell(&filter.clone().into())),
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

    fn wanted(command: Document) -> Vec<String> {
        let shape = Shape::of(&command, Version::new(6, 0, 27));
        let all = shape.accesses.iter().flat_map(|access| candidates(access, None, None));
        all.map(|candidate| candidate.index.keys_shell()).collect()
    }

    #[test]
    fn sort_and_range_come_in_both_orders() {
        let found = wanted(doc! {"find": "c", "filter": {"a": 1, "r": {"$gt": 5}},
        "sort": {"s": -1}, "limit": 20});
        assert_eq!(found, ["{a: 1, s: -1, r: 1}", "{a: 1, r: 1, s: -1}"]);
    }

    #[test]
    fn an_in_stands_before_or_after_the_sort() {
        let found = wanted(doc! {"find": "c", "filter": {"a": 1, "b": {"$in": [1, 2, 3]}},
        "sort": {"s": 1}, "limit": 20});
        assert_eq!(found, ["{a: 1, s: 1, b: 1}", "{a: 1, b: 1, s: 1}"]);
    }

    #[test]
    fn a_lookup_asks_for_its_foreign_field_and_an_or_for_each_branch() {
        let found = wanted(doc! {"aggregate": "c", "pipeline": [
        {"$match": {"$or": [{"a": 1}, {"b": {"$gt": 2}}]}},
        {"$lookup": {"from": "d", "localField": "x", "foreignField": "y", "as": "z"}}]});
        assert_eq!(found, ["{a: 1}", "{b: 1}", "{y: 1}"]);
    }

    #[test]
    fn few_narrow_fields_are_added_so_that_nothing_is_fetched() {
        let found = wanted(doc! {"aggregate": "c", "pipeline": [
        {"$match": {"kind": "view", "at": {"$gte": 1}}},
        {"$group": {"_id": "$user", "n": {"$sum": 1}}}]});
        assert_eq!(found, ["{kind: 1, at: 1, user: 1}", "{kind: 1, at: 1}"]);
    }
}
