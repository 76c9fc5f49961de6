//! In which orders the fields of an access might stand in an index.

use marula_core::{Collection, CollectionKind, DocumentIndex, InferredSchema};

use crate::mongodb::index::{array_in, profile};
use crate::mongodb::predicate::Kind;
use crate::mongodb::shape::{Access, Role};

/// `$in` with more values is not read as so many intervals of one sort order.
const MAX_IN: usize = 200;
/// The server's own limit is 32; wider than this nobody wants.
pub(super) const MAX_KEYS: usize = 6;
/// Fields added to an index so that documents need not be fetched.
const MAX_COVERED: usize = 3;

pub(super) type Keys = Vec<(String, i32)>;

pub(super) fn orders(
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
            let narrow: Keys = up(&lists, &none).into_iter().chain(up(&ranges, &none)).collect();
            let order = if narrow.is_empty() { "equality" } else { "equality, range" };
            add(&[&fixed, &narrow], order, 0.8);
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
    // Only the first interval bounds the keys that are read; the others are checked on them.
    for turned in turns(&ranged) {
        match sort.is_empty() {
            true => add(&[&fixed, &listed, &turned], "equality, range", 0.7),
            false => {
                add(&[&fixed, &listed, &turned, &sort], "equality, range, sort", 0.7);
                add(&[&fixed, &sort, &listed, &turned], "equality, sort, range", 0.55);
            }
        }
    }
    if !sort.is_empty() && access.limit.is_none() && !(listed.is_empty() && ranged.is_empty()) {
        add(&[&fixed, &listed, &ranged], "equality, range", 0.6);
    }
    let arrays = |path: &String| array_in(path, schema).is_some();
    if access.distinct && sort.is_empty() && listed.is_empty() && ranged.is_empty() {
        // From one value to the next; a $group cannot jump over the elements of arrays.
        if access.needed.as_ref() == Some(&access.group) || !access.group.iter().any(arrays) {
            let group = up(&access.group, &none);
            add(&[&fixed, &group], "distinct values", 0.86);
        }
    }
    if let Some(covered) = covered(access, &found, collection, schema) {
        found.push(covered);
    }
    found
}

/// The same keys with each of the others first, while they are few.
fn turns(keys: &Keys) -> Vec<Keys> {
    let turn = |at: usize| {
        let mut turned = keys.clone();
        turned.rotate_left(at);
        turned
    };
    (1..keys.len().min(4)).map(turn).collect()
}

/// What the keys of an index are for, in their order, each once.
pub(super) fn served(keys: &Keys, access: &Access) -> String {
    let mut order: Vec<&str> = Vec::new();
    for (path, _) in keys {
        let asked = |wanted: fn(&Kind) -> bool| access.paths(wanted).contains(path);
        let name = if asked(|kind| matches!(kind, Kind::Equality | Kind::Null)) {
            "equality"
        } else if access.sort.iter().any(|(sorted, _)| sorted == path) {
            "sort"
        } else if asked(|kind| matches!(kind, Kind::In(_))) {
            "$in"
        } else {
            "range"
        };
        if order.last() != Some(&name) {
            order.push(name);
        }
    }
    order.join(", ")
}

/// The best order with the remaining fields behind it, where they are few and narrow.
fn covered(
    access: &Access,
    found: &[(Keys, &'static str, f64)],
    collection: Option<&Collection>,
    schema: Option<&InferredSchema>,
) -> Option<(Keys, &'static str, f64)> {
    let needed = access.needed.as_ref()?;
    let (keys, _, _) = found.first()?;
    // Buckets of measurements are unpacked whatever the index holds.
    if collection.is_some_and(|collection| collection.kind == CollectionKind::Timeseries) {
        return None;
    }
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
