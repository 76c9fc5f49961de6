use marula_core::{Column, Relation};

use super::super::shape::{Operator, Predicate, Value};
use super::Candidate;

/// The share of a relation's rows a condition is expected to keep, from its column's statistics;
/// a guess in the manner of the planner where there are none.
pub(super) fn share(relation: &Relation, predicate: &Predicate) -> f64 {
    let column = predicate.key.column.as_deref().and_then(|name| relation.column(name));
    match predicate.operator {
        Operator::Equal => column.map_or(0.01, |column| equal(relation, column, &predicate.value)),
        Operator::In => {
            (column.map_or(0.01, |c| equal(relation, c, &predicate.value)) * 4.0).min(1.0)
        }
        Operator::IsNull => {
            column.and_then(|c| c.statistics.as_ref()).map_or(0.05, |stats| stats.null_fraction)
        }
        Operator::Range => 0.3,
        Operator::Prefix | Operator::Pattern => 0.02,
        Operator::JsonContains
        | Operator::ArrayContains
        | Operator::Matches
        | Operator::Overlaps => 0.01,
        Operator::Differs | Operator::IsNotNull => 0.95,
    }
}

fn equal(relation: &Relation, column: &Column, value: &Value) -> f64 {
    let Some(stats) = &column.statistics else {
        return if relation.is_unique_over(&[&column.name]) { 0.0 } else { 0.05 };
    };
    if let Value::Constant(text) = value {
        let common = stats.common_values.iter().zip(&stats.common_frequencies);
        let literal = literal(text);
        for (known, frequency) in common {
            if literal == *known
                || (literal == "true" && known == "t")
                || (literal == "false" && known == "f")
            {
                return *frequency;
            }
        }
    }
    let rows = relation.rows.unwrap_or(1000.0).max(1.0);
    let distinct = match stats.distinct {
        d if d < 0.0 => -d * rows,
        d => d,
    };
    let rest = 1.0 - stats.null_fraction - stats.common_frequencies.iter().sum::<f64>();
    let others = (distinct - stats.common_values.len() as f64).max(1.0);
    match value {
        Value::Constant(_) if !stats.common_values.is_empty() => (rest / others).clamp(0.0, 1.0),
        _ => ((1.0 - stats.null_fraction) / distinct.max(1.0)).clamp(0.0, 1.0),
    }
}

/// The text of a literal: `'refunded'::text` is `refunded`.
fn literal(sql: &str) -> &str {
    let sql = sql.trim();
    match sql.strip_prefix('\'') {
        Some(rest) => rest.split('\'').next().unwrap_or(rest),
        None => sql.split("::").next().unwrap_or(sql),
    }
}

/// What the index will take on disk, in bytes: tuples of a header and the keys on pages that are
/// nine tenths full.
pub(super) fn index_bytes(candidate: &Candidate, relation: &Relation) -> f64 {
    let rows = relation.rows.unwrap_or(relation.activity.live_rows as f64).max(1.0);
    let width = |column: &str| {
        let stats = relation.column(column).and_then(|column| column.statistics.as_ref());
        stats.map_or(8.0, |stats| f64::from(stats.width))
    };
    let keys: f64 = candidate.keys.iter().map(|key| key.column.as_deref().map_or(8.0, width)).sum();
    let others = candidate.also.iter().flatten();
    let also: f64 = others.map(|key| key.column.as_deref().map_or(8.0, width)).sum();
    let headers = 12.0 * (1 + candidate.also.len()) as f64;
    let carried: f64 = candidate.include.iter().map(|c| width(c)).sum();
    rows * candidate.share * (keys + also + carried + headers) / 0.9
}

/// How wide a column is on average, in bytes.
pub(super) fn width(relation: &Relation, column: &str) -> f64 {
    let stats = relation.column(column).and_then(|column| column.statistics.as_ref());
    stats.map_or(16.0, |stats| f64::from(stats.width))
}
