//! The larger nodes rewrites build: SELECTs, unions, derived tables, EXISTS.

use pg_query::protobuf::{
    self, AConst, AStar, Alias, BoolExprType, BoolTestType, ColumnRef, LimitOption, NullTestType,
    RangeSubselect, ResTarget, SelectStmt, SetOperation, SortBy, SortByDir, SortByNulls,
    SubLinkType, a_const,
};
use pg_query::{Node, NodeEnum};

use super::super::ast;

/// An item of a select list.
pub(super) fn target(value: Node, name: &str) -> Node {
    ast::node(NodeEnum::ResTarget(Box::new(ResTarget {
        name: name.into(),
        val: Some(Box::new(value)),
        location: -1,
        ..ResTarget::default()
    })))
}

/// A whole number.
pub(super) fn integer(ival: i32) -> Node {
    ast::node(NodeEnum::AConst(AConst {
        isnull: false,
        location: -1,
        val: Some(a_const::Val::Ival(protobuf::Integer { ival })),
    }))
}

/// An empty SELECT.
pub(super) fn select() -> SelectStmt {
    SelectStmt {
        limit_option: LimitOption::Default as i32,
        op: SetOperation::SetopNone as i32,
        ..SelectStmt::default()
    }
}

/// A SELECT as a node.
pub(super) fn query(select: SelectStmt) -> Node {
    ast::node(NodeEnum::SelectStmt(Box::new(select)))
}

/// `alias.*`.
pub(super) fn star_of(alias: &str) -> Node {
    let fields = vec![ast::name(alias), ast::node(NodeEnum::AStar(AStar {}))];
    ast::node(NodeEnum::ColumnRef(ColumnRef { fields, location: -1 }))
}

/// `branches[0] UNION ALL branches[1] …`; `None` for none.
pub(super) fn union_all(branches: Vec<SelectStmt>) -> Option<SelectStmt> {
    branches.into_iter().reduce(|left, right| SelectStmt {
        op: SetOperation::SetopUnion as i32,
        all: true,
        larg: Some(Box::new(left)),
        rarg: Some(Box::new(right)),
        ..select()
    })
}

/// `(select) alias`, LATERAL or not.
pub(super) fn derived(select: SelectStmt, alias: &str, lateral: bool) -> Node {
    ast::node(NodeEnum::RangeSubselect(
        RangeSubselect {
            lateral,
            subquery: Some(Box::new(query(select))),
            alias: Some(Alias { aliasname: alias.into(), colnames: Vec::new() }),
        }
        .into(),
    ))
}

/// `EXISTS (select)`.
pub(super) fn exists(select: SelectStmt) -> Node {
    sublink(SubLinkType::ExistsSublink, None, select)
}

/// `(select)` as a value.
pub(super) fn scalar(select: SelectStmt) -> Node {
    sublink(SubLinkType::ExprSublink, None, select)
}

/// `test IN (select)`.
pub(super) fn within(test: Node, select: SelectStmt) -> Node {
    sublink(SubLinkType::AnySublink, Some(Box::new(test)), select)
}

fn sublink(kind: SubLinkType, testexpr: Option<Box<Node>>, select: SelectStmt) -> Node {
    ast::node(NodeEnum::SubLink(Box::new(protobuf::SubLink {
        sub_link_type: kind as i32,
        testexpr,
        subselect: Some(Box::new(query(select))),
        ..protobuf::SubLink::default()
    })))
}

/// `(a, b)`, or the one thing alone.
pub(super) fn row(mut args: Vec<Node>) -> Node {
    if args.len() == 1
        && let Some(one) = args.pop()
    {
        return one;
    }
    ast::node(NodeEnum::RowExpr(Box::new(protobuf::RowExpr {
        args,
        row_format: protobuf::CoercionForm::CoerceImplicitCast as i32,
        location: -1,
        ..protobuf::RowExpr::default()
    })))
}

/// Any of `conditions`.
pub(super) fn disjunction(mut conditions: Vec<Node>) -> Option<Node> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(ast::node(NodeEnum::BoolExpr(Box::new(protobuf::BoolExpr {
            boolop: BoolExprType::OrExpr as i32,
            args: conditions,
            location: -1,
            ..protobuf::BoolExpr::default()
        })))),
    }
}

/// `(condition) IS NOT TRUE`.
pub(super) fn not_true(condition: Node) -> Node {
    ast::node(NodeEnum::BooleanTest(Box::new(protobuf::BooleanTest {
        arg: Some(Box::new(condition)),
        booltesttype: BoolTestType::IsNotTrue as i32,
        location: -1,
        ..protobuf::BooleanTest::default()
    })))
}

/// `value IS NOT NULL`, or `value IS NULL`.
pub(super) fn null_test(value: Node, is_null: bool) -> Node {
    let kind = if is_null { NullTestType::IsNull } else { NullTestType::IsNotNull };
    ast::node(NodeEnum::NullTest(Box::new(protobuf::NullTest {
        arg: Some(Box::new(value)),
        nulltesttype: kind as i32,
        location: -1,
        ..protobuf::NullTest::default()
    })))
}

/// `ORDER BY node`, ascending.
pub(super) fn ascending(node: Node) -> Node {
    ast::node(NodeEnum::SortBy(Box::new(SortBy {
        node: Some(Box::new(node)),
        sortby_dir: SortByDir::SortbyDefault as i32,
        sortby_nulls: SortByNulls::SortbyNullsDefault as i32,
        use_op: Vec::new(),
        location: -1,
    })))
}

/// The WHERE of all `conditions`.
pub(super) fn all_of(conditions: Vec<Node>) -> Option<Box<Node>> {
    ast::conjunction(conditions).map(Box::new)
}

/// The parts of an OR; the condition alone when it is none.
pub(super) fn disjuncts(node: &Node) -> Vec<&Node> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match &node.node {
            Some(NodeEnum::BoolExpr(e)) if e.boolop == BoolExprType::OrExpr as i32 => {
                open.extend(e.args.iter().rev());
            }
            _ => found.push(node),
        }
    }
    found
}
