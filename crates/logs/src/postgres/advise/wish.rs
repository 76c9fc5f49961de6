use std::collections::BTreeSet;

use marula_core::StatementDigest;
use marula_postgres::access::ast;
use marula_postgres::access::shape::{Block, Key, Operator, Shape, Use};
use marula_postgres::sql;

use crate::wish::Wish;

/// Keys of an index beyond which nobody wants one.
const MAX_KEYS: usize = 5;

/// The indexes a statement would wish for: at most one for each occurrence of a relation.
pub(super) fn wishes(statement: &StatementDigest) -> Vec<Wish> {
    let text = statement.samples.iter().find(|sample| !sample.truncated).map(|sample| &sample.text);
    let Some(Ok(parsed)) = text.map(|text| sql::parse(text)) else { return Vec::new() };
    let Some(root) = parsed.root().and_then(ast::reading) else { return Vec::new() };
    let shape = Shape::read(&root, None);
    let mut found: Vec<Wish> = Vec::new();
    for (number, used) in shape.uses() {
        let Some(block) = shape.blocks.get(number) else { continue };
        // System catalogues have the indexes they need.
        if used.relation.starts_with("pg_") || used.relation.starts_with("information_schema.") {
            continue;
        }
        if let Some(wish) = wish(block, used)
            && !found.contains(&wish)
        {
            found.push(wish);
        }
    }
    found
}

fn wish(block: &Block, used: &Use) -> Option<Wish> {
    let (mut equal, mut joins) = (BTreeSet::new(), BTreeSet::new());
    let (mut among, mut ranges): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for predicate in used.predicates.iter().filter(|predicate| indexable(&predicate.key)) {
        let key = predicate.key.in_index();
        match predicate.operator {
            Operator::Equal | Operator::IsNull if predicate.is_filter() => {
                equal.insert(key);
            }
            Operator::In if predicate.is_filter() => among.push(key),
            Operator::Equal => {
                joins.insert(key);
            }
            Operator::Range if predicate.is_filter() => ranges.push(key),
            Operator::Prefix => ranges.push(format!("{key} text_pattern_ops")),
            _ => {}
        }
    }
    // By convention it is the key, and leads to one row.
    if equal.contains("id") {
        return None;
    }
    let filtered = !(equal.is_empty() && among.is_empty() && ranges.is_empty());
    // What is filtered begins a join; what is not is looked up.
    if !filtered {
        joins.remove("id");
        equal.extend(joins.pop_first());
    }
    let mut names = Vec::new();
    if !equal.is_empty() {
        names.push(if filtered { "equality" } else { "join" });
    }
    let sort: Vec<(String, i32)> = used
        .sort
        .iter()
        .filter(|sort| indexable(&sort.key) && !equal.contains(&sort.key.in_index()))
        // Nulls where an index has them by itself, or the order is not the index's.
        .filter(|sort| sort.nulls_first == sort.descending)
        .map(|sort| (sort.key.in_index(), if sort.descending { -1 } else { 1 }))
        .collect();
    let mut then: Vec<(String, i32)> = Vec::new();
    let mut instead = None;
    let bounded: Vec<(String, i32)> =
        among.into_iter().chain(ranges.into_iter().take(1)).map(|key| (key, 1)).collect();
    if block.limited && !block.aggregates && !sort.is_empty() && sort.len() == used.sort.len() {
        names.push("sort");
        then.extend(sort);
        if !bounded.is_empty() {
            instead = Some("equality, range, sort".to_owned());
        }
    }
    if !bounded.is_empty() {
        names.push("range");
        then.extend(bounded);
    }
    let mut seen = equal.clone();
    then.retain(|(key, _)| seen.insert(key.clone()));
    then.truncate(MAX_KEYS.saturating_sub(equal.len()));
    let only_id = equal.is_empty() && then.first().is_none_or(|(key, _)| key == "id");
    if only_id || equal.len() > MAX_KEYS {
        return None;
    }
    Some(Wish {
        namespace: used.relation.clone(),
        equal,
        then,
        order: names.join(", "),
        instead,
        collation: None,
        incomplete: false,
    })
}

/// Whether an index can be over it, whatever the columns' types: those of dates can not.
fn indexable(key: &Key) -> bool {
    let of_time = ["date_trunc(", "date_part(", "extract("];
    key.immutable && !of_time.iter().any(|begin| key.text.to_lowercase().contains(begin))
}
