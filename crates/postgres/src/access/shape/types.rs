//! What the server makes of two types that meet in a comparison, as far as indexes go.

use pg_query::protobuf::{TypeCast, TypeName, a_const};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::Operator;

/// The last part of a type's name as it is written: `int4`, `numeric`; `None` for arrays.
pub fn written(name: &TypeName) -> Option<&str> {
    if !name.array_bounds.is_empty() {
        return None;
    }
    name.names.last().and_then(ast::string)
}

/// A type's name without its modifier, by one of its names.
fn plain(name: &str) -> &str {
    let bare = name.split('(').next().unwrap_or(name).trim_end();
    match bare {
        "int2" => "smallint",
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "float4" => "real",
        "float" | "float8" => "double precision",
        "decimal" => "numeric",
        "varchar" => "character varying",
        "bpchar" | "char" => "character",
        "bool" => "boolean",
        bare => bare,
    }
}

/// Numbers of one rank compare with each other as they are; of two ranks the lower one is
/// converted.
fn rank(name: &str) -> Option<u8> {
    match plain(name) {
        "smallint" | "integer" | "bigint" => Some(0),
        "numeric" => Some(1),
        "real" | "double precision" => Some(2),
        _ => None,
    }
}

/// What a column of type `column` is converted to when it is compared with `other`; `None` when
/// it is compared as it is.
pub(super) fn converted(column: &str, other: &str) -> Option<&'static [&'static str]> {
    if let (Some(own), Some(others)) = (rank(column), rank(other)) {
        return match others {
            1 if own < 1 => Some(&["pg_catalog", "numeric"]),
            2 if own < 2 => Some(&["pg_catalog", "float8"]),
            _ => None,
        };
    }
    let text = matches!(plain(other), "text" | "character varying");
    (plain(column) == "character" && text).then_some(&["text"])
}

/// Whether a cast leaves a column of type `column` as it is, so that an index on it serves.
pub(super) fn is_noop(cast: &TypeCast, column: &str) -> bool {
    let Some(name) = &cast.type_name else { return false };
    let Some(to) = written(name).map(plain) else { return false };
    let strings = |name: &str| matches!(name, "text" | "character varying");
    name.typmods.is_empty() && (to == plain(column) || (strings(to) && strings(plain(column))))
}

/// The type of a value; `column` knows those of columns. `None` when it is not known, or is yet
/// to be decided by what it is compared with.
pub(super) fn of(node: &Node, column: &dyn Fn(&Node) -> Option<String>) -> Option<String> {
    let highest = |nodes: &mut dyn Iterator<Item = &Node>| {
        nodes.filter_map(|node| of(node, column)).max_by_key(|name| rank(name))
    };
    match &node.node {
        Some(NodeEnum::AConst(constant)) => match &constant.val {
            Some(a_const::Val::Ival(_)) => Some("integer".into()),
            Some(a_const::Val::Fval(number)) => Some(match number.fval.parse::<i64>() {
                Ok(_) => "bigint".into(),
                Err(_) => "numeric".into(),
            }),
            _ => None,
        },
        Some(NodeEnum::TypeCast(cast)) => cast.type_name.as_ref().and_then(written).map(Into::into),
        Some(NodeEnum::ColumnRef(_)) => column(node),
        Some(NodeEnum::FuncCall(call)) if ast::function(call) == "to_tsvector" => {
            Some("tsvector".into())
        }
        Some(NodeEnum::AExpr(e)) if matches!(ast::operator(e), "+" | "-" | "*" | "/" | "%") => {
            let sides = [e.lexpr.as_deref(), e.rexpr.as_deref()];
            highest(&mut sides.into_iter().flatten()).filter(|name| rank(name).is_some())
        }
        Some(NodeEnum::List(list)) => highest(&mut list.items.iter()),
        Some(NodeEnum::AArrayExpr(array)) => highest(&mut array.elements.iter()),
        _ => None,
    }
}

/// What an operator of containment, overlap or match asks of a column of type `name`, which
/// stands on its left or on its right; `None` when no index of that type answers it.
pub(super) fn asked(name: &str, operator: &str, left: bool) -> Option<Operator> {
    let name = plain(name);
    let of = |operators: &[&str], asks: Operator| operators.contains(&operator).then_some(asks);
    match name {
        "jsonb" if left => of(&["@>", "?", "?|", "?&", "@?", "@@"], Operator::JsonContains),
        "jsonb" => of(&["<@"], Operator::JsonContains),
        "tsvector" => of(&["@@"], Operator::Matches),
        name if name.ends_with("[]") => of(&["@>", "<@", "&&"], Operator::ArrayContains),
        "inet" | "cidr" => of(&["&&", ">>", ">>=", "<<", "<<="], Operator::Overlaps),
        "point" => of(&["<@", "~=", "<<", ">>", "<<|", "|>>"], Operator::Overlaps),
        "box" | "polygon" | "circle" => of(&["&&", "@>", "<@", "~="], Operator::Overlaps),
        name if name.ends_with("range") => {
            of(&["&&", "@>", "<@", "<<", ">>", "&<", "&>", "-|-"], Operator::Overlaps)
        }
        _ => None,
    }
}
