//! Aggregates in two steps: which of them can be, and how the second reads.

use marula_core::Column;
use pg_query::protobuf::{AExprKind, FuncCall};
use pg_query::{Node, NodeEnum};

use super::super::super::ast;
use super::super::flat::{is_exact, refers};
use super::super::naming::free;
use super::Early;

impl Early<'_> {
    /// An aggregate over what is computed early.
    pub(super) fn later(&mut self, node: &Node, call: &FuncCall, main: &str) -> Option<Node> {
        let name = ast::function(call);
        let plain = call.over.is_none()
            && !call.agg_distinct
            && call.agg_filter.is_none()
            && call.agg_order.is_empty()
            && !call.func_variadic
            && call.funcname.len() == 1;
        plain.then_some(())?;
        for argument in &call.args {
            let of = refers(self.input.catalog, self.names, argument)?;
            of.iter().all(|alias| alias == main).then_some(())?;
        }
        let whole = match (name, call.args.as_slice()) {
            ("count", []) if call.agg_star => true,
            ("count", [argument]) => {
                self.column(argument)?;
                true
            }
            ("sum", [argument]) => self.summed(argument)?,
            ("min" | "max", [argument]) => {
                is_exact(self.column(argument)?).then_some(())?;
                false
            }
            _ => return None,
        };
        let text = ast::sql(node)?;
        let known = self.parts.iter().find(|(sql, ..)| *sql == text).map(|part| part.2.clone());
        let part = known.unwrap_or_else(|| {
            let part = free(self.taken, &format!("part_{}", self.parts.len() + 1));
            self.parts.push((text, node.clone(), part.clone()));
            part
        });
        let outer = if name == "count" { "sum" } else { name };
        let call = FuncCall {
            funcname: vec![ast::name(outer)],
            args: vec![ast::column_node(Some(main), &part)],
            agg_star: false,
            ..call.clone()
        };
        let value = ast::node(NodeEnum::FuncCall(Box::new(call)));
        // The sum of whole numbers is one size larger each time.
        Some(if whole { ast::cast(value, &["pg_catalog", "int8"]) } else { value })
    }

    fn column(&self, argument: &Node) -> Option<&Column> {
        let known = self.names.column(self.input.catalog, argument)?;
        (known.level == 0).then_some(known.column)
    }

    /// Whether a sum is of whole numbers, which add up to a bigint, rather than numeric. What else
    /// is computed from numeric columns cannot fail where it is computed for more rows.
    fn summed(&self, argument: &Node) -> Option<bool> {
        let numeric = |name: &str| name == "numeric" || name.starts_with("numeric(");
        if ast::column(argument).is_some() {
            return match self.column(argument)?.type_name.as_str() {
                "smallint" | "integer" => Some(true),
                name => (name == "bigint" || numeric(name)).then_some(false),
            };
        }
        for below in ast::all(argument) {
            match &below.node {
                Some(NodeEnum::ColumnRef(_)) => {
                    numeric(&self.column(below)?.type_name).then_some(())?;
                }
                Some(NodeEnum::AExpr(e)) => {
                    let plain = e.kind == AExprKind::AexprOp as i32;
                    (plain && matches!(ast::operator(e), "+" | "-" | "*")).then_some(())?;
                }
                Some(NodeEnum::AConst(_) | NodeEnum::String(_)) => {}
                _ => return None,
            }
        }
        let any = ast::all(argument).iter().any(|below| ast::column(below).is_some());
        any.then_some(false)
    }
}
