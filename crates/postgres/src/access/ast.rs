//! Small readers of PostgreSQL's parse tree; the walks over it and what builds new nodes are below.

mod build;
mod functions;
mod walk;

use pg_query::protobuf::{
    self, AConst, BoolExprType, ColumnRef, FuncCall, LimitOption, SelectStmt, SetOperation, a_const,
};
use pg_query::{Node, NodeEnum};

pub use build::{binary, cast, column_node, conjunction, name, negation, node, typed_constant};
pub use functions::{AGGREGATES, IMMUTABLE, aggregates, has_aggregate};
pub use walk::{
    MAX_DEPTH, all, children, children_mut, select_children, select_children_mut, too_deep,
};

/// The text of a `String` node.
pub fn string(node: &Node) -> Option<&str> {
    match &node.node {
        Some(NodeEnum::String(text)) => Some(&text.sval),
        _ => None,
    }
}

/// The SELECT that `node` is.
pub fn as_select(node: &Node) -> Option<&SelectStmt> {
    match &node.node {
        Some(NodeEnum::SelectStmt(select)) => Some(select),
        _ => None,
    }
}

/// The qualifier and the name of a column reference; `None` for stars and everything else.
pub fn column(node: &Node) -> Option<(Option<&str>, &str)> {
    match &node.node {
        Some(NodeEnum::ColumnRef(column)) => column_parts(column),
        _ => None,
    }
}

fn column_parts(column: &ColumnRef) -> Option<(Option<&str>, &str)> {
    match column.fields.as_slice() {
        [one] => Some((None, string(one)?)),
        [.., table, one] => Some((Some(string(table)?), string(one)?)),
        [] => None,
    }
}

/// The operator's name, without its schema.
pub fn operator(expr: &protobuf::AExpr) -> &str {
    expr.name.last().and_then(string).unwrap_or("")
}

/// A comparison's operator when its sides change places; `None` for other operators.
pub fn flipped(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "=" => "=",
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        _ => return None,
    })
}

/// The parts of a row, or the one thing that is no row.
pub fn row(node: &Node) -> Vec<&Node> {
    match &node.node {
        Some(NodeEnum::RowExpr(row)) => row.args.iter().collect(),
        _ => vec![node],
    }
}

/// Whether a sublink compares by `=`, as IN does.
pub fn is_equality(link: &protobuf::SubLink) -> bool {
    link.oper_name.last().and_then(string).is_none_or(|name| name == "=")
}

/// The function's name in lower case, without its schema.
pub fn function(call: &FuncCall) -> &str {
    call.funcname.last().and_then(string).unwrap_or("")
}

/// The conditions that must all hold.
pub fn conjuncts(node: &Node) -> Vec<&Node> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match &node.node {
            Some(NodeEnum::BoolExpr(e)) if e.boolop == BoolExprType::AndExpr as i32 => {
                open.extend(e.args.iter().rev());
            }
            _ => found.push(node),
        }
    }
    found
}

/// The text of a string constant, casts around it ignored.
pub fn string_constant(node: &Node) -> Option<&str> {
    match &node.node {
        Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Sval(text)), .. })) => {
            Some(&text.sval)
        }
        Some(NodeEnum::TypeCast(cast)) => string_constant(cast.arg.as_deref()?),
        _ => None,
    }
}

/// Whether nothing in `node` depends on a row: no column and no subquery below it.
pub fn is_constant(node: &Node) -> bool {
    all(node).iter().all(|below| {
        !matches!(
            below.node,
            Some(NodeEnum::ColumnRef(_) | NodeEnum::SubLink(_) | NodeEnum::AStar(_))
        )
    })
}

/// `node` as SQL; `None` when it cannot be printed.
pub fn sql(expression: &Node) -> Option<String> {
    // The values of IN and BETWEEN are no expression by themselves.
    if let Some(NodeEnum::List(list)) = &expression.node {
        let items: Option<Vec<String>> = list.items.iter().map(sql).collect();
        return items.map(|items| items.join(", "));
    }
    let target = node(NodeEnum::ResTarget(Box::new(protobuf::ResTarget {
        val: Some(Box::new(expression.clone())),
        location: -1,
        ..protobuf::ResTarget::default()
    })));
    let select = SelectStmt {
        target_list: vec![target],
        limit_option: LimitOption::Default as i32,
        op: SetOperation::SetopNone as i32,
        ..SelectStmt::default()
    };
    let text = node(NodeEnum::SelectStmt(Box::new(select))).deparse(Default::default()).ok()?;
    text.strip_prefix("SELECT ").map(Into::into)
}

/// Parses conditions as EXPLAIN prints them; `None` where one is not SQL.
pub fn parse_conditions(texts: &[&str]) -> Option<Vec<Node>> {
    let parsed = crate::sql::parse(&format!("SELECT {}", texts.join(", "))).ok()?;
    let targets = &parsed.select()?.target_list;
    if targets.len() != texts.len() {
        return None;
    }
    let values = targets.iter().map(|target| match &target.node {
        Some(NodeEnum::ResTarget(target)) => target.val.as_deref().cloned(),
        _ => None,
    });
    values.collect()
}

/// The only expression a SELECT returns; `None` when it returns more.
pub fn only_target(select: &SelectStmt) -> Option<&Node> {
    match select.target_list.as_slice() {
        [Node { node: Some(NodeEnum::ResTarget(target)) }] => target.val.as_deref(),
        _ => None,
    }
}

/// One SELECT, without grouping, windows, LIMIT or a WITH of its own, over something.
pub fn is_plain(select: &SelectStmt) -> bool {
    select.op <= SetOperation::SetopNone as i32
        && select.group_clause.is_empty()
        && select.having_clause.is_none()
        && select.window_clause.is_empty()
        && select.values_lists.is_empty()
        && select.limit_count.is_none()
        && select.limit_offset.is_none()
        && select.limit_option <= LimitOption::Default as i32
        && select.with_clause.is_none()
        && select.locking_clause.is_empty()
        && !select.from_clause.is_empty()
}

/// The expressions a SELECT returns.
pub fn all_targets(select: &SelectStmt) -> impl Iterator<Item = &Node> {
    select.target_list.iter().filter_map(|target| match &target.node {
        Some(NodeEnum::ResTarget(target)) => target.val.as_deref(),
        _ => None,
    })
}

/// Whether `node` is `*` or `alias.*`.
pub fn is_star(node: &Node) -> bool {
    match &node.node {
        Some(NodeEnum::ColumnRef(column)) => {
            column.fields.last().is_some_and(|field| matches!(field.node, Some(NodeEnum::AStar(_))))
        }
        _ => false,
    }
}

/// The names a SELECT's FROM gives to tables, in order.
pub fn from_names(select: &SelectStmt) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<&Node> = select.from_clause.iter().rev().collect();
    while let Some(item) = open.pop() {
        match &item.node {
            Some(NodeEnum::RangeVar(table)) => {
                let alias = table.alias.as_ref().map_or(&table.relname, |alias| &alias.aliasname);
                found.push(alias.clone());
            }
            Some(NodeEnum::JoinExpr(join)) => {
                open.extend(join.rarg.as_deref());
                open.extend(join.larg.as_deref());
            }
            _ => {}
        }
    }
    found
}

/// What a statement reads, as a SELECT: itself, or the rows an UPDATE or DELETE looks for.
pub fn reading(statement: &NodeEnum) -> Option<Node> {
    let read = |relation: &protobuf::RangeVar, others: &[Node], condition: &Option<Box<Node>>| {
        let mut from_clause = vec![node(NodeEnum::RangeVar(relation.clone()))];
        from_clause.extend_from_slice(others);
        let select = SelectStmt {
            target_list: Vec::new(),
            from_clause,
            where_clause: condition.clone(),
            limit_option: LimitOption::Default as i32,
            op: SetOperation::SetopNone as i32,
            ..SelectStmt::default()
        };
        node(NodeEnum::SelectStmt(Box::new(select)))
    };
    match statement {
        NodeEnum::SelectStmt(_) => Some(node(statement.clone())),
        NodeEnum::UpdateStmt(update) => {
            Some(read(update.relation.as_ref()?, &update.from_clause, &update.where_clause))
        }
        NodeEnum::DeleteStmt(delete) => {
            Some(read(delete.relation.as_ref()?, &delete.using_clause, &delete.where_clause))
        }
        _ => None,
    }
}
