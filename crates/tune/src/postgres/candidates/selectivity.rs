use marula_core::{Column, Relation};

use super::super::shape::{Operator, Predicate, Value};
use super::Candidate;

/// The share of a relation's rows a condition is expected to keep, from its column's statistics;
/// a guess in the manner of the planner where there are none.
pub(super) fn share(relation: &Relation, predicate: &Predicate) -> f64 {
    let column = predicate.key.column.as_deref().and_then(|name| relation.column(name));
    match predicate.operator {
        Operator::Equal => column.map_or(0.01, |column| equal(relation, column, &predicate.value)),
        Operator::In => column.map_or(0.04, |column| among(relation, column, &predicate.value)),
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

/// The values of an `IN` list together.
fn among(relation: &Relation, column: &Column, value: &Value) -> f64 {
    let one = |text: &str| equal(relation, column, &Value::Constant(text.to_owned()));
    match value {
        Value::Constant(list) if !list.contains(['{', '[']) => {
            list.split(", ").take(1000).map(one).sum::<f64>().min(1.0)
        }
        other => (equal(relation, column, other) * 4.0).min(1.0),
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

/// The same, closer: a B-tree without further columns stores equal keys once, with the places of
/// their rows (since 13), where equal values are always stored alike.
pub(super) fn stored_bytes(candidate: &Candidate, relation: &Relation, rows: f64) -> f64 {
    const ALIKE: [&str; 5] = ["numeric", "real", "double precision", "jsonb", "float"];
    let column = |key: &super::CandidateKey| {
        key.column.as_deref().and_then(|column| relation.column(column)).cloned()
    };
    let rows = (rows * candidate.share).max(1.0);
    let aligned = |width: f64| ((width + 7.0) / 8.0).floor() * 8.0;
    let sets = std::iter::once(&candidate.keys).chain(&candidate.also);
    sets.map(|keys| {
        let together: f64 = keys
            .iter()
            .map(|key| key.column.as_deref().map_or(12.0, |name| width(relation, name)))
            .chain(candidate.include.iter().map(|name| width(relation, name)))
            .sum();
        let tuple = aligned(8.0 + together) + 4.0;
        let columns: Vec<Option<Column>> = keys.iter().map(column).collect();
        let once = candidate.method == "btree"
            && candidate.include.is_empty()
            && columns.iter().all(|column| {
                column.as_ref().is_none_or(|c| !ALIKE.iter().any(|t| c.type_name.starts_with(t)))
            });
        let distinct: f64 = columns
            .iter()
            .map(|column| match column.as_ref().and_then(|c| c.statistics.as_ref()) {
                Some(stats) if stats.distinct > 0.0 => stats.distinct,
                Some(stats) if stats.distinct < 0.0 => -stats.distinct * rows,
                _ => rows / 4.0,
            })
            .product();
        let alike = rows / distinct.clamp(1.0, rows);
        let per_row = match alike {
            alike if once && alike >= 1.5 => 6.2 + (tuple + 4.0) / alike.min(50.0),
            _ => tuple,
        };
        match candidate.method {
            "brin" => (rows / 5000.0).max(3.0 * 8192.0),
            _ => (rows * per_row / 0.9).max(16384.0),
        }
    })
    .sum()
}

/// How wide a column is on average, in bytes.
pub(super) fn width(relation: &Relation, column: &str) -> f64 {
    let stats = relation.column(column).and_then(|column| column.statistics.as_ref());
    stats.map_or(16.0, |stats| f64::from(stats.width))
}
