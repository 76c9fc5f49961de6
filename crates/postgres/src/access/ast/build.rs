//! Nodes made from scratch.

use pg_query::protobuf::{self, AConst, AExprKind, BoolExprType, ColumnRef, a_const};
use pg_query::{Node, NodeEnum};

/// A node of that kind.
pub fn node(kind: NodeEnum) -> Node {
    Node { node: Some(kind) }
}

/// A node holding a name.
pub fn name(text: &str) -> Node {
    node(NodeEnum::String(protobuf::String { sval: text.into() }))
}

/// A reference to `qualifier.column`.
pub fn column_node(qualifier: Option<&str>, column: &str) -> Node {
    let fields = qualifier.into_iter().chain([column]).map(name).collect();
    node(NodeEnum::ColumnRef(ColumnRef { fields, location: -1 }))
}

/// `left op right`.
pub fn binary(left: Node, op: &str, right: Node) -> Node {
    node(NodeEnum::AExpr(Box::new(protobuf::AExpr {
        kind: AExprKind::AexprOp as i32,
        name: vec![name(op)],
        lexpr: Some(Box::new(left)),
        rexpr: Some(Box::new(right)),
        rexpr_list_start: 0,
        rexpr_list_end: 0,
        location: -1,
    })))
}

/// `value::type_name`.
pub fn cast(value: Node, type_name: &[&str]) -> Node {
    node(NodeEnum::TypeCast(Box::new(protobuf::TypeCast {
        arg: Some(Box::new(value)),
        type_name: Some(protobuf::TypeName {
            names: type_name.iter().map(|part| name(part)).collect(),
            typemod: -1,
            location: -1,
            ..protobuf::TypeName::default()
        }),
        location: -1,
    })))
}

/// All of `conditions` joined by AND; `None` when there are none.
pub fn conjunction(mut conditions: Vec<Node>) -> Option<Node> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(node(NodeEnum::BoolExpr(Box::new(protobuf::BoolExpr {
            xpr: None,
            boolop: BoolExprType::AndExpr as i32,
            args: conditions,
            location: -1,
        })))),
    }
}

/// `NOT node`.
pub fn negation(inner: Node) -> Node {
    node(NodeEnum::BoolExpr(Box::new(protobuf::BoolExpr {
        xpr: None,
        boolop: BoolExprType::NotExpr as i32,
        args: vec![inner],
        location: -1,
    })))
}

/// A string constant with a cast: `'2026-01-01'::date`.
pub fn typed_constant(text: &str, type_name: &[&str]) -> Node {
    let constant = node(NodeEnum::AConst(AConst {
        isnull: false,
        location: -1,
        val: Some(a_const::Val::Sval(protobuf::String { sval: text.into() })),
    }));
    cast(constant, type_name)
}
