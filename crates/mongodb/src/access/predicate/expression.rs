//! Predicates inside `$expr`.

use bson::Bson;

use super::{Filter, Kind, MAX_DEPTH, Predicate, field_path};
use crate::access::pipeline::is_constant;

/// `{$expr: {$and: [{$eq: ["$a", constant]}, …]}}`.
pub(super) fn read_expression(expression: &Bson, depth: usize, found: &mut Filter) {
    let Some((operator, operands)) =
        expression.as_document().filter(|d| d.len() == 1).and_then(|d| d.iter().next())
    else {
        return;
    };
    if depth > MAX_DEPTH {
        return;
    }
    if operator == "$and" {
        for part in operands.as_array().into_iter().flatten() {
            read_expression(part, depth + 1, found);
        }
        return;
    }
    let Some([left, right]) = operands.as_array().map(Vec::as_slice) else { return };
    let (path, constant) = match (field_path(left), field_path(right)) {
        (Some(path), None) if is_constant(right) => (path, right),
        (None, Some(path)) if is_constant(left) => (path, left),
        _ => return,
    };
    let kind = match operator.as_str() {
        "$eq" => Kind::Equality,
        "$gt" | "$gte" | "$lt" | "$lte" => Kind::Range,
        "$ne" => Kind::Negation,
        _ => Kind::Other,
    };
    found.all.push(Predicate {
        path: path.to_string(),
        kind,
        filter: bson::doc! {"$expr": {operator: [format!("${path}"), constant.clone()]}},
        element: false,
        expression: true,
    });
}
