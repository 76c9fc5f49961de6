//! `a > x OR (a = x AND b > y)` → `(a, b) > (x, y)`.

use pg_query::Node;
use pg_query::NodeEnum;
use pg_query::protobuf::AExprKind;

use super::super::ast;
use super::conditions::{Other, mend};
use super::flat::is_exact;
use super::names::Names;
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "keyset-or-to-row",
    title: "the page's start as a comparison of rows",
    clears: &["better-wording", "selective-seq-scan", "inefficient-index", "wrong-order-index"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    mend(input, statement, rewritten)
}

/// One key: the column, the operator, the value.
struct Step<'a> {
    column: &'a Node,
    operator: &'a str,
    value: &'a Node,
}

fn rewritten(input: &Input<'_>, node: &Node, names: &Names) -> Option<Other> {
    let parts = make::disjuncts(node);
    if parts.len() < 2 {
        return None;
    }
    let steps = nested(&parts, 0).or_else(|| listed(&parts))?;
    let direction = |operator: &str| operator.chars().next();
    let first = steps.first()?;
    let last = steps.last()?;
    // All but the last are strict, and all go the same way.
    let strict = steps[..steps.len() - 1].iter().all(|step| step.operator.len() == 1);
    if !strict || steps.iter().any(|step| direction(step.operator) != direction(first.operator)) {
        return None;
    }
    let mut alias = None;
    let mut shown = Vec::new();
    for step in &steps {
        let known = names.column(input.catalog, step.column)?;
        if !is_exact(known.column) || alias.get_or_insert(known.alias.clone()) != &known.alias {
            return None;
        }
        // The value is read twice before and once afterwards.
        if !ast::is_constant(step.value) || !safe::is_stable_below(step.value) {
            return None;
        }
        shown.push(format!("{} {}", known.column.name, known.column.type_name));
    }
    let left = make::row(steps.iter().map(|step| step.column.clone()).collect());
    let right = make::row(steps.iter().map(|step| step.value.clone()).collect());
    let condition = format!(
        "{}: all keys go the same way and every equality repeats the key's own bound, so both \
         wordings are true, false and NULL for the same rows",
        shown.join(", ")
    );
    Some((ast::binary(left, last.operator, right), vec![condition]))
}

/// `a > x OR (a = x AND rest)`, where `rest` is `b > y` or again of this form.
fn nested<'a>(parts: &[&'a Node], depth: usize) -> Option<Vec<Step<'a>>> {
    let [one, other] = parts else { return None };
    if depth > 6 {
        return None;
    }
    let (bound, tie) = match comparison(one) {
        Some(step) => (step, other),
        None => (comparison(other)?, one),
    };
    let both = ast::conjuncts(tie);
    let (_, rest) = split(&both, &bound)?;
    let [rest] = rest.as_slice() else { return None };
    let inner = make::disjuncts(rest);
    let mut steps = vec![bound];
    match inner.as_slice() {
        [_] => steps.push(comparison(rest)?),
        inner => steps.extend(nested(inner, depth + 1)?),
    }
    Some(steps)
}

/// `a > x OR (a = x AND b > y) OR (a = x AND b = y AND c > z)`, in this order.
fn listed<'a>(parts: &[&'a Node]) -> Option<Vec<Step<'a>>> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    for part in parts {
        let mut rest = ast::conjuncts(part);
        for step in &steps {
            rest = split(&rest, step)?.1;
        }
        let [bound] = rest.as_slice() else { return None };
        steps.push(comparison(bound)?);
    }
    (steps.len() > 1).then_some(steps)
}

/// Takes `column = value` of a step out of `parts`.
fn split<'a>(parts: &[&'a Node], step: &Step<'_>) -> Option<((), Vec<&'a Node>)> {
    let at = parts.iter().position(|part| {
        compared(part).is_some_and(|(column, operator, value)| {
            operator == "="
                && ast::sql(column) == ast::sql(step.column)
                && ast::sql(value) == ast::sql(step.value)
        })
    })?;
    let mut rest = parts.to_vec();
    rest.remove(at);
    Some(((), rest))
}

/// `column < value` and its like.
fn comparison(node: &Node) -> Option<Step<'_>> {
    let (column, operator, value) = compared(node)?;
    (operator != "=").then_some(Step { column, operator, value })
}

/// The column, the operator as seen from it, and the other side.
fn compared(node: &Node) -> Option<(&Node, &'static str, &Node)> {
    let Some(NodeEnum::AExpr(e)) = &node.node else { return None };
    if e.kind != AExprKind::AexprOp as i32 || e.name.len() != 1 {
        return None;
    }
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    let flipped = ast::flipped(ast::operator(e))?;
    match (ast::column(left), ast::column(right)) {
        (Some(_), None) => Some((left, ast::flipped(flipped)?, right)),
        (None, Some(_)) => Some((right, flipped, left)),
        _ => None,
    }
}
