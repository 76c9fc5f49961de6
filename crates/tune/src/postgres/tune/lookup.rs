//! What an UPDATE or DELETE looks for before it writes: a read like others, which indexes help.

use marula_core::{RelationalCatalog, WeightedStatement};
use marula_postgres::access::ast;
use pg_query::protobuf::{
    LimitOption, ParseResult, RangeVar, RawStmt, ResTarget, SelectStmt, SetOperation,
};
use pg_query::{Node, NodeEnum};

use super::super::shape::{Operator, Shape};
use super::read::Write;

/// The rows a write looks for, as a statement of their own; `None` where there is nothing to gain:
/// it takes all rows, or finds one by a unique key.
pub(super) fn lookup(write: &Write, catalog: &RelationalCatalog) -> Option<WeightedStatement> {
    let (relation, mut from, condition) = match &write.root.node {
        Some(NodeEnum::UpdateStmt(update)) if update.with_clause.is_none() => {
            (update.relation.clone()?, update.from_clause.clone(), update.where_clause.as_deref()?)
        }
        Some(NodeEnum::DeleteStmt(delete)) if delete.with_clause.is_none() => {
            (delete.relation.clone()?, delete.using_clause.clone(), delete.where_clause.as_deref()?)
        }
        _ => return None,
    };
    let name = called(&relation).to_owned();
    from.insert(0, ast::node(NodeEnum::RangeVar(relation)));
    let target = ResTarget {
        val: Some(Box::new(ast::column_node(Some(&name), "ctid"))),
        location: -1,
        ..ResTarget::default()
    };
    let mut select = SelectStmt {
        target_list: vec![ast::node(NodeEnum::ResTarget(Box::new(target)))],
        from_clause: from,
        where_clause: Some(Box::new(condition.clone())),
        limit_option: LimitOption::Default as i32,
        op: SetOperation::SetopNone as i32,
        ..SelectStmt::default()
    };
    let mut numbers = Vec::new();
    for item in select.from_clause.iter_mut().chain(select.where_clause.as_deref_mut()) {
        renumber(item, &mut numbers, 0);
    }
    let statement = ast::node(NodeEnum::SelectStmt(Box::new(select)));
    if finds_one(&statement, &write.relation, catalog) {
        return None;
    }
    let tree = ParseResult {
        version: 0,
        stmts: vec![RawStmt { stmt: Some(Box::new(statement)), ..RawStmt::default() }],
    };
    let text = marula_postgres::sql::deparse(&tree).ok()?;
    let given = &write.statement.parameters;
    let parameters: Option<Vec<_>> = numbers
        .iter()
        .map(|number| given.get(usize::try_from(*number).ok()?.checked_sub(1)?).cloned())
        .collect();
    let mut statement = marula_core::Statement::new(write.statement.engine, text);
    // Without values they are filled as others' are.
    statement.parameters = parameters.unwrap_or_default();
    Some(WeightedStatement {
        statement,
        calls: write.calls,
        total_ms: None,
        goal_ms: None,
        samples: Vec::new(),
    })
}

/// The name the table goes by in its statement.
fn called(relation: &RangeVar) -> &str {
    relation.alias.as_ref().map_or(relation.relname.as_str(), |alias| alias.aliasname.as_str())
}

/// Gives the parameters that are left numbers without gaps.
fn renumber(node: &mut Node, numbers: &mut Vec<i32>, depth: usize) {
    if let Some(NodeEnum::ParamRef(parameter)) = &mut node.node {
        let at = numbers.iter().position(|number| *number == parameter.number);
        let at = at.unwrap_or_else(|| {
            numbers.push(parameter.number);
            numbers.len() - 1
        });
        parameter.number = i32::try_from(at + 1).unwrap_or(i32::MAX);
    } else if depth < ast::MAX_DEPTH {
        ast::children_mut(node, &mut |child| renumber(child, numbers, depth + 1));
    }
}

/// Whether the row is found by a unique key that is there.
fn finds_one(statement: &Node, written: &str, catalog: &RelationalCatalog) -> bool {
    let shape = Shape::read(statement, Some(catalog));
    let Some(relation) = catalog.find(written) else { return true };
    shape.uses().filter(|(_, used)| used.relation == written).any(|(_, used)| {
        let equal = used
            .predicates
            .iter()
            .filter(|p| p.is_filter() && matches!(p.operator, Operator::Equal | Operator::In));
        let columns: Vec<&str> = equal.filter_map(|p| p.key.column.as_deref()).collect();
        relation.is_unique_over(&columns)
    })
}
