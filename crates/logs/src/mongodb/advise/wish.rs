//! What index a statement would wish for.

use std::collections::BTreeSet;

use marula_core::{StatementDigest, Version};
use marula_mongodb::access::predicate::{Filter, Kind};
use marula_mongodb::access::shape::{Access, Role, Shape};
use marula_mongodb::shell;

use crate::wish::Wish;

/// Fields of an index beyond which nobody wants one.
const MAX_KEYS: usize = 6;
/// `$in` with more values is not read as so many intervals of one sort order.
const MAX_IN: usize = 200;
/// A filter that keeps a smaller share of what is read is narrow.
const NARROW: f64 = 0.1;

/// The wishes of a statement: one, or one for each branch of an `$or`.
pub(super) fn wishes(statement: &StatementDigest) -> Vec<Wish> {
    let Some(sample) = statement.samples.first() else { return Vec::new() };
    let Ok(command) = shell::parse(&sample.text) else { return Vec::new() };
    // What a log's own version can do is not known; from 5.0 on `$expr` looks in indexes.
    let shape = Shape::of(&command.to_command(), Version::new(5, 0, 0));
    let Some(access) =
        shape.main().filter(|access| matches!(access.role, Role::Main | Role::Write))
    else {
        return Vec::new();
    };
    let mut wishes = Vec::new();
    if access.filter.any.is_empty() {
        wishes.extend(wish(statement, access));
    } else {
        // One index for each branch: the server reads one for each, or none at all.
        for branch in access.filter.any.iter().flatten() {
            let mut alone = access.clone();
            alone.filter.any.clear();
            alone.filter.and(branch.clone());
            match wish(statement, &alone) {
                Some(wish) if !wishes.contains(&wish) => wishes.push(wish),
                Some(_) => {}
                // A branch that no index serves makes the others useless.
                None => {
                    wishes.clear();
                    break;
                }
            }
        }
    }
    wishes.extend(looked_up(statement, &shape));
    for wish in &mut wishes {
        wish.collation = shape.collation.clone();
        wish.incomplete = statement.incomplete || sample.truncated;
    }
    wishes
}

/// Those for a `$lookup`'s collections alone.
pub(super) fn lookups(statement: &StatementDigest) -> Vec<Wish> {
    if statement.operation != "aggregate" {
        return Vec::new();
    }
    let command = statement.samples.first().and_then(|sample| shell::parse(&sample.text).ok());
    command.map_or_else(Vec::new, |command| {
        looked_up(statement, &Shape::of(&command.to_command(), Version::new(5, 0, 0)))
    })
}

/// The wishes for the collections that a `$lookup` looks into, once for each of its documents.
fn looked_up(statement: &StatementDigest, shape: &Shape) -> Vec<Wish> {
    let Some(database) = statement.objects.first().and_then(|name| name.split('.').next()) else {
        return Vec::new();
    };
    let mut found: Vec<Wish> = Vec::new();
    for access in shape.accesses.iter().filter(|access| access.role == Role::Lookup) {
        if let Some(mut wish) = wish(statement, access).filter(|wish| !wish.equal.is_empty()) {
            wish.namespace = format!("{database}.{}", access.collection);
            wish.order = format!("$lookup, {}", wish.order);
            if !found.contains(&wish) {
                found.push(wish);
            }
        }
    }
    found
}

fn wish(statement: &StatementDigest, access: &Access) -> Option<Wish> {
    let equal: BTreeSet<String> =
        access.paths(|kind| matches!(kind, Kind::Equality | Kind::Null)).into_iter().collect();
    // Whatever else is asked of it, `_id` leads to one document.
    if equal.contains("_id") {
        return None;
    }
    let lists = access.paths(|kind| matches!(kind, Kind::In(count) if *count <= MAX_IN));
    let ranges = access.paths(|kind| {
        matches!(kind, Kind::Range) || matches!(kind, Kind::In(count) if *count > MAX_IN)
    });
    let sort: Vec<(String, i32)> =
        access.sort.iter().filter(|(path, _)| !equal.contains(path)).cloned().collect();
    let up = |paths: &[String]| paths.iter().map(|path| (path.clone(), 1)).collect::<Vec<_>>();
    let (lists, ranges) = (up(&lists), up(&ranges));
    let narrow = narrow(statement, &access.filter);
    let mut names = Vec::new();
    if !equal.is_empty() {
        names.push("equality");
    }
    let bounded = !(lists.is_empty() && ranges.is_empty());
    // A sort that is read from the index pays where a limit ends the reading, or where the
    // filter keeps nearly all anyway.
    let sorts = !sort.is_empty() && (access.limit.is_some() || !narrow || !bounded);
    let mut then: Vec<(String, i32)> = Vec::new();
    let mut instead = None;
    if sorts {
        names.push("sort");
        then.extend(sort.iter().cloned());
        if bounded {
            instead = Some("equality, range, sort".to_owned());
        }
    }
    if bounded {
        names.push("range");
        then.extend(lists.into_iter().chain(ranges));
    }
    if access.distinct && !sorts {
        then.extend(access.group.iter().map(|path| (path.clone(), 1)));
        names.push("distinct values");
    }
    let mut seen = equal.clone();
    then.retain(|(path, _)| seen.insert(path.clone()));
    then.truncate(MAX_KEYS.saturating_sub(equal.len()));
    if equal.is_empty() && then.is_empty() || equal.len() > MAX_KEYS {
        return None;
    }
    // That index every collection has.
    if equal.is_empty() && then.first().is_some_and(|(path, _)| path == "_id") {
        return None;
    }
    Some(Wish {
        namespace: statement.objects.first()?.clone(),
        equal,
        then,
        order: names.join(", "),
        instead,
        collation: None,
        incomplete: false,
    })
}

/// Whether the filter keeps few of the documents that were read.
fn narrow(statement: &StatementDigest, filter: &Filter) -> bool {
    let (Some(returned), Some(reads)) = (statement.load.returned, statement.load.reads) else {
        return false;
    };
    !filter.is_empty() && (returned as f64) < reads as f64 * NARROW
}
