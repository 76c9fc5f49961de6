//! Indexes of other kinds, where what is asked calls for them: geometry, long strings that are
//! only compared for equality, many fields of one parent.

use std::collections::{BTreeMap, BTreeSet};

use bson::Bson;
use marula_core::{Collection, InferredSchema};

use super::orders::Keys;
use super::{Candidate, candidate};
use crate::mongodb::index::{array_in, profile};
use crate::mongodb::predicate::Kind;
use crate::mongodb::shape::{Access, Role};

/// Strings from this length on are better hashed than kept, in bytes.
const LONG: usize = 96;
/// So many fields of one parent, asked for one at a time, are worth one index for all.
const FIELDS: usize = 4;

/// Keys with the path that is not simply sorted and how it is kept, and how promising they are.
pub(super) type Special = (Keys, (String, &'static str), f64);

/// Indexes of other kinds that `access` calls for.
pub(super) fn special(access: &Access, schema: Option<&InferredSchema>) -> Vec<Special> {
    let mut found = geometry(access);
    found.extend(hashed(access, schema));
    found
}

fn geometry(access: &Access) -> Vec<Special> {
    let mut found = Vec::new();
    for predicate in access.all(|kind| *kind == Kind::Other) {
        let operators = predicate.filter.get_document(&predicate.path).ok();
        let shape = operators.into_iter().flatten().find_map(|(operator, value)| {
            let wanted = ["$geoWithin", "$geoIntersects", "$near", "$nearSphere"];
            wanted.contains(&operator.as_str()).then(|| value.as_document())?
        });
        // Flat geometry ($box, $center, $polygon) asks for an index of the old kind.
        let sphere = ["$geometry", "$centerSphere"];
        if !shape.is_some_and(|shape| sphere.iter().any(|key| shape.contains_key(key))) {
            continue;
        }
        let equal: Keys = access
            .paths(|kind| *kind == Kind::Equality)
            .into_iter()
            .map(|path| (path, 1))
            .collect();
        let place = vec![(predicate.path.clone(), 1)];
        let kind = || (predicate.path.clone(), "2dsphere");
        if !equal.is_empty() {
            found.push(([equal, place.clone()].concat(), kind(), 0.85));
        }
        found.push((place, kind(), 0.8));
    }
    found
}

fn hashed(access: &Access, schema: Option<&InferredSchema>) -> Option<Special> {
    let equal = access.paths(|kind| *kind == Kind::Equality);
    let [path] = &equal[..] else { return None };
    // It gives no order and no intervals, and takes no arrays.
    if !access.sort.is_empty() || array_in(path, schema).is_some() {
        return None;
    }
    let field = profile(path, schema)?;
    let long = |value: &marula_core::Json| value.as_str().is_some_and(|text| text.len() >= LONG);
    // Values of many bytes are counted and not kept.
    let strings = field.distinct > 0 && field.types.keys().all(|name| name == "string");
    let all = strings && field.common_values.iter().all(|(value, _)| long(value));
    all.then(|| (vec![(path.clone(), 1)], (path.clone(), "hashed"), 0.7))
}

/// One index for all fields below a parent, where many of them are asked for one at a time.
pub fn wildcards<'a>(
    accesses: impl Iterator<Item = &'a Access>,
    collection: impl Fn(&str) -> Option<&'a Collection>,
) -> Vec<Candidate> {
    let mut below: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for access in accesses.filter(|access| access.role != Role::Lookup) {
        let [one] = &access.filter.all[..] else { continue };
        let asks = matches!(one.kind, Kind::Equality | Kind::Range | Kind::In(_));
        let Some((parent, _)) = one.path.rsplit_once('.').filter(|_| asks) else { continue };
        below.entry((&access.collection, parent)).or_default().insert(&one.path);
    }
    let many = below.into_iter().filter(|(_, paths)| paths.len() >= FIELDS);
    let found = many.filter_map(|((name, parent), paths)| {
        let keys = vec![(format!("{parent}.$**"), 1)];
        let order = format!("{} fields below {parent}", paths.len());
        candidate(name, keys, order, 0.6, collection(name))
    });
    found.collect()
}

/// Whether a delete goes by age alone: what a TTL index does by itself.
pub fn by_age(access: &Access) -> Option<String> {
    let [one] = &access.filter.all[..] else { return None };
    let operators = one.filter.get_document(&one.path).ok()?;
    let old = operators.iter().all(|(operator, value)| {
        matches!(operator.as_str(), "$lt" | "$lte") && matches!(value, Bson::DateTime(_))
    });
    (old && access.filter.any.is_empty()).then(|| one.path.clone())
}
