//! Whether a statement's filter makes sure that a document is in a partial index.

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::predicate::{Filter, Kind, Predicate};

/// The conditions of `part` that `filter` does not imply, as far as can be told: what is not
/// known to be implied is not.
pub(super) fn unimplied(part: &Document, filter: &Filter) -> Vec<Document> {
    conditions(part).into_iter().filter(|condition| !implied(condition, filter)).collect()
}

/// The conditions that must all hold, one operator each.
fn conditions(part: &Document) -> Vec<Document> {
    let mut found = Vec::new();
    for (path, value) in part {
        match value {
            Bson::Array(parts) if path == "$and" => {
                found.extend(parts.iter().filter_map(Bson::as_document).flat_map(conditions));
            }
            Bson::Document(operators)
                if operators.keys().next().is_some_and(|key| key.starts_with('$')) =>
            {
                found.extend(
                    operators.iter().map(|(name, value)| bson::doc! {path: {name: value.clone()}}),
                );
            }
            _ => found.push(bson::doc! {path: value.clone()}),
        }
    }
    found
}

fn implied(condition: &Document, filter: &Filter) -> bool {
    let Some((path, value)) = condition.iter().next() else { return true };
    let (operator, wanted) = match value {
        Bson::Document(inner) if inner.keys().next().is_some_and(|key| key.starts_with('$')) => {
            match inner.iter().next() {
                Some((operator, wanted)) => (operator.as_str(), wanted),
                None => return false,
            }
        }
        value => ("$eq", value),
    };
    filter
        .all
        .iter()
        .filter(|predicate| predicate.path == *path && !predicate.expression)
        .any(|predicate| one_implies(predicate, operator, wanted))
}

/// Whether a predicate on the same path makes sure of `operator: wanted`.
fn one_implies(predicate: &Predicate, operator: &str, wanted: &Bson) -> bool {
    let exists = operator == "$exists" && !matches!(wanted, Bson::Boolean(false));
    if exists {
        return match predicate.kind {
            Kind::Equality | Kind::Range | Kind::Regex => true,
            Kind::In(_) => values(predicate).is_some_and(|all| !all.contains(&Bson::Null)),
            _ => predicate.filter == bson::doc! {predicate.path.clone(): {"$exists": true}},
        };
    }
    match predicate.kind {
        Kind::Equality | Kind::In(_) => values(predicate)
            .is_some_and(|all| !all.is_empty() && all.iter().all(|v| holds(v, operator, wanted))),
        Kind::Range => bound(predicate).is_some_and(|(theirs, end)| {
            let Some(order) = compare(&end, wanted) else { return false };
            match (theirs.as_str(), operator) {
                ("$gt", "$gt" | "$gte") | ("$gte", "$gte") => order != Ordering::Less,
                ("$gte", "$gt") => order == Ordering::Greater,
                ("$lt", "$lt" | "$lte") | ("$lte", "$lte") => order != Ordering::Greater,
                ("$lte", "$lt") => order == Ordering::Less,
                _ => false,
            }
        }),
        _ => false,
    }
}

/// The values an equality or `$in` takes.
fn values(predicate: &Predicate) -> Option<Vec<Bson>> {
    match predicate.filter.get(&predicate.path)? {
        Bson::Document(operators) => {
            if let Some(value) = operators.get("$eq") {
                return Some(vec![value.clone()]);
            }
            operators.get("$in")?.as_array().cloned()
        }
        value => Some(vec![value.clone()]),
    }
}

fn bound(predicate: &Predicate) -> Option<(String, Bson)> {
    let operators = predicate.filter.get(&predicate.path)?.as_document()?;
    let (name, value) = operators.iter().next()?;
    Some((name.to_string(), value.clone()))
}

fn holds(value: &Bson, operator: &str, wanted: &Bson) -> bool {
    let order = compare(value, wanted);
    match operator {
        "$eq" => value == wanted || order == Some(Ordering::Equal),
        "$gt" => order == Some(Ordering::Greater),
        "$gte" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        "$lt" => order == Some(Ordering::Less),
        "$lte" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        "$in" => wanted.as_array().is_some_and(|all| all.contains(value)),
        _ => false,
    }
}

/// Values of one type, in order; nothing for others.
fn compare(a: &Bson, b: &Bson) -> Option<Ordering> {
    let number = |value: &Bson| match value {
        Bson::Int32(n) => Some(f64::from(*n)),
        Bson::Int64(n) => Some(*n as f64),
        Bson::Double(n) => Some(*n),
        _ => None,
    };
    match (a, b) {
        (Bson::String(a), Bson::String(b)) => Some(a.cmp(b)),
        (Bson::DateTime(a), Bson::DateTime(b)) => Some(a.cmp(b)),
        (Bson::ObjectId(a), Bson::ObjectId(b)) => Some(a.cmp(b)),
        (Bson::Boolean(a), Bson::Boolean(b)) => Some(a.cmp(b)),
        _ => number(a)?.partial_cmp(&number(b)?),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn lacks(part: Document, filter: Document) -> usize {
        unimplied(&part, &Filter::parse(&filter)).len()
    }

    #[test]
    fn a_narrower_condition_implies_a_wider_one() {
        assert_eq!(lacks(doc! {"open": true}, doc! {"open": true, "a": 1}), 0);
        assert_eq!(lacks(doc! {"open": true}, doc! {"open": false}), 1);
        assert_eq!(lacks(doc! {"total": {"$gt": 50}}, doc! {"total": {"$gt": 60, "$lt": 70}}), 0);
        assert_eq!(lacks(doc! {"total": {"$gt": 50}}, doc! {"total": {"$gte": 50}}), 1);
        assert_eq!(lacks(doc! {"total": {"$gt": 50}}, doc! {"total": {"$in": [51, 60.5]}}), 0);
        assert_eq!(lacks(doc! {"total": {"$gt": 50}}, doc! {"total": "a"}), 1);
        assert_eq!(lacks(doc! {"mail": {"$exists": true}}, doc! {"mail": "a@b"}), 0);
        assert_eq!(lacks(doc! {"mail": {"$exists": true}}, doc! {"mail": null}), 1);
        assert_eq!(lacks(doc! {"a": 1, "b": 2}, doc! {"a": 1}), 1);
    }
}
