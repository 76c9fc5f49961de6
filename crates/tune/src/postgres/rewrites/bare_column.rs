//! Comparisons that convert or compute with a column of whole numbers, with the bare column:
//! `n = 55.0` → `n = 55`, `n + 1 = 5` → `n = 4`, `n::text = '7'` → `n = 7`.

use pg_query::protobuf::{self, AConst, AExprKind, TypeCast, a_const};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::super::shape::types;
use super::conditions::{Other, mend};
use super::names::{Known, Names};
use super::{Input, Rewrite};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "bare-column",
    title: "the comparison with the bare column",
    clears: &["non-sargable"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    mend(input, statement, rewritten)
}

fn rewritten(input: &Input<'_>, node: &Node, names: &Names) -> Option<Other> {
    let Some(NodeEnum::AExpr(e)) = &node.node else { return None };
    if e.kind != AExprKind::AexprOp as i32 {
        return None;
    }
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    let (varying, constant, operator) = match (ast::is_constant(left), ast::is_constant(right)) {
        (false, true) => (left, right, ast::operator(e)),
        (true, false) => (right, left, ast::flipped(ast::operator(e))?),
        _ => return None,
    };
    // The operators that have another with the sides changed are those that order numbers.
    ast::flipped(operator)?;
    let (column, number, why) = converted(varying, constant)
        .or_else(|| computed(varying, constant))
        .or_else(|| printed(varying, constant).filter(|_| operator == "="))?;
    let known = names.column(input.catalog, column)?;
    let (low, high) = range(&known)?;
    if !(low..=high).contains(&number) {
        return None;
    }
    let new = ast::binary(column.clone(), operator, literal(number));
    let (relation, name) = (&known.relation.name, &known.column.name);
    let kind = &known.column.type_name;
    Some((new, vec![format!("{relation}.{name} is of type {kind}, {why}")]))
}

/// A bare column, what it is to be compared with instead, and why that means the same.
type Bare<'a> = (&'a Node, i64, String);

/// `n = 55.0`, `n = 55::float8`.
fn converted<'a>(varying: &'a Node, constant: &Node) -> Option<Bare<'a>> {
    ast::column(varying)?;
    if integer(constant).is_some() {
        return None;
    }
    let number = whole(constant)?;
    Some((varying, number, format!("and {number} is a whole number in its range")))
}

/// `n + 1 = 5`, `n - 1 = 5`, `1 + n = 5`.
fn computed<'a>(varying: &'a Node, constant: &Node) -> Option<Bare<'a>> {
    let Some(NodeEnum::AExpr(e)) = &varying.node else { return None };
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    let of = integer(constant)?;
    let (column, number) = match (ast::operator(e), ast::column(left), ast::column(right)) {
        ("+", Some(_), None) => (left, of.checked_sub(integer(right)?)?),
        ("-", Some(_), None) => (left, of.checked_add(integer(right)?)?),
        ("+", None, Some(_)) => (right, of.checked_sub(integer(left)?)?),
        _ => return None,
    };
    Some((column, number, "and moving a whole number to the other side keeps the order".into()))
}

/// `n::text = '7'`.
fn printed<'a>(varying: &'a Node, constant: &Node) -> Option<Bare<'a>> {
    let Some(NodeEnum::TypeCast(cast)) = &varying.node else { return None };
    let column = cast.arg.as_deref()?;
    ast::column(column)?;
    let to = cast.type_name.as_ref().filter(|name| name.typmods.is_empty())?;
    matches!(types::written(to)?, "text" | "varchar").then_some(())?;
    let text = ast::string_constant(constant)?;
    let number: i64 = text.parse().ok()?;
    let same = number.to_string() == text;
    same.then(|| (column, number, format!("and '{text}' is how it prints {number}")))
}

/// The least and the greatest value of a column of whole numbers.
fn range(known: &Known<'_>) -> Option<(i64, i64)> {
    match known.column.type_name.as_str() {
        "smallint" => Some((i16::MIN.into(), i16::MAX.into())),
        "integer" => Some((i32::MIN.into(), i32::MAX.into())),
        "bigint" => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

/// A constant of whole numbers, without a cast.
fn integer(node: &Node) -> Option<i64> {
    match &node.node {
        Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Ival(number)), .. })) => {
            Some(number.ival.into())
        }
        Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Fval(number)), .. })) => {
            number.fval.parse().ok()
        }
        _ => None,
    }
}

/// A constant with a fraction of zero, or cast to a type that may have one. As a double it must
/// lie where doubles tell whole numbers apart.
fn whole(node: &Node) -> Option<i64> {
    const EXACT: i64 = 1 << 53;
    let (text, double) = match &node.node {
        Some(NodeEnum::TypeCast(cast)) => {
            let double = is_number(cast)?;
            (number(cast.arg.as_deref()?)?, double)
        }
        _ => (number(node)?, false),
    };
    let (before, after) = text.split_once('.').unwrap_or((&text, ""));
    let number: i64 = before.parse().ok()?;
    let zero = after.bytes().all(|digit| digit == b'0');
    (zero && (!double || number.abs() < EXACT)).then_some(number)
}

/// Whether a cast is to doubles; `None` when it is to something else than a number with a
/// fraction.
fn is_number(cast: &TypeCast) -> Option<bool> {
    let name = cast.type_name.as_ref().filter(|name| name.typmods.is_empty())?;
    match types::written(name)? {
        "float8" => Some(true),
        "numeric" => Some(false),
        _ => None,
    }
}

/// A number as it is written.
fn number(node: &Node) -> Option<String> {
    let Some(NodeEnum::AConst(constant)) = &node.node else { return None };
    match constant.val.as_ref()? {
        a_const::Val::Ival(number) => Some(number.ival.to_string()),
        a_const::Val::Fval(number) => Some(number.fval.clone()),
        a_const::Val::Sval(text) => Some(text.sval.trim().into()),
        _ => None,
    }
}

fn literal(number: i64) -> Node {
    let val = match i32::try_from(number) {
        Ok(ival) => a_const::Val::Ival(protobuf::Integer { ival }),
        Err(_) => a_const::Val::Fval(protobuf::Float { fval: number.to_string() }),
    };
    ast::node(NodeEnum::AConst(AConst { isnull: false, location: -1, val: Some(val) }))
}
