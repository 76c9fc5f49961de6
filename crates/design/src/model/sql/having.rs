//! What HAVING asks of groups.

use marula_core::Result;
use marula_core::model::{AccessPath, AggregateFunction, AttributeType, Condition, Operator};
use marula_postgres::access::ast;
use pg_query::protobuf::{AExprKind, FuncCall, SelectStmt};
use pg_query::{Node, NodeEnum};

use super::conditions::{compared, flip};
use super::tables::Column;
use super::{Reader, location};

impl Reader<'_> {
    /// Reads HAVING: an aggregate is compared with a constant; what it asks of an attribute that
    /// makes the groups is asked of the rows just as well.
    pub(super) fn having(
        &self,
        select: &SelectStmt,
        prefixes: &[String],
        group: &[Column],
        path: &mut AccessPath,
    ) -> Result<()> {
        let Some(having) = select.having_clause.as_deref() else { return Ok(()) };
        if group.is_empty() {
            return Err(self.unsaid("HAVING without GROUP BY", location(having)));
        }
        for node in ast::conjuncts(having) {
            if let Some((call, is, value)) = compared_aggregate(node) {
                self.of_aggregate(call, is, value, prefixes, path)?;
                continue;
            }
            if has_call(node) {
                return Err(self
                    .unsaid("this HAVING", location(node))
                    .hint("what can be said is: aggregate =, <>, <, <=, > or >= a constant"));
            }
            let mut found = Vec::new();
            self.condition(node, &mut found)?;
            if let Some(on) = found.iter().find(|on| !group.contains(&on.column)) {
                let what =
                    format!("{} must be in GROUP BY or in an aggregate", on.column.attribute);
                return Err(self.wrong(&what, location(node)));
            }
            path.conditions.extend(self.named(found, prefixes));
        }
        Ok(())
    }

    fn of_aggregate(
        &self,
        call: &FuncCall,
        is: Operator,
        value: &Node,
        prefixes: &[String],
        path: &mut AccessPath,
    ) -> Result<()> {
        let aggregate = self.aggregate(call, prefixes)?;
        let Some(NodeEnum::AConst(constant)) = &value.node else {
            return Err(self
                .unsaid("HAVING with anything but a constant", location(value))
                .hint("a parameter that groups are compared with has no values to be drawn from"));
        };
        let kind = match (aggregate.function, call.args.first().map(|arg| &arg.node)) {
            (
                AggregateFunction::Min | AggregateFunction::Max,
                Some(Some(NodeEnum::ColumnRef(reference))),
            ) => {
                let column = self.column(reference)?;
                self.of(&column).map_or(AttributeType::Text, |attribute| attribute.kind)
            }
            _ => AttributeType::Decimal,
        };
        let value = self.constant(ast::function(call), kind, constant, value)?;
        let known = match Self::known(&aggregate, path) {
            Some(known) => known,
            None => {
                self.add(aggregate, ast::function(call), path);
                path.aggregates.len() - 1
            }
        };
        let attribute = path.aggregates[known].name.clone();
        path.having.push(Condition { attribute, is, parameter: None, value: Some(value) });
        Ok(())
    }
}

/// A comparison of a function's result with something else: the call, how, and with what.
fn compared_aggregate(node: &Node) -> Option<(&FuncCall, Operator, &Node)> {
    let Some(NodeEnum::AExpr(e)) = &node.node else { return None };
    if e.kind() != AExprKind::AexprOp {
        return None;
    }
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    let is = compared(ast::operator(e))?;
    match (&left.node, &right.node) {
        (Some(NodeEnum::FuncCall(call)), _) => Some((call, is, right)),
        (_, Some(NodeEnum::FuncCall(call))) => Some((call, flip(is).unwrap_or(is), left)),
        _ => None,
    }
}

/// Whether a function is called anywhere in it.
fn has_call(node: &Node) -> bool {
    let mut found = false;
    if let Some(node) = &node.node {
        let _ = marula_postgres::sql::walk(node.to_ref(), |part| {
            found |= matches!(part, pg_query::NodeRef::FuncCall(_));
        });
    }
    found
}
