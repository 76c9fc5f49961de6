//! One SELECT over the entities, read as a path through the model.
//!
//! A path says less than SQL does. What it can say has exactly the same answer as the SELECT on
//! tables that are called as the entities: the same rows, each as often, in the same order. Its
//! columns come in the path's own order and under the path's names: a SELECT's names for plain
//! columns are lost, and of groups all attributes come back, also those the SELECT does not return,
//! and all that HAVING asks about.
//! What a path cannot say is refused by name.

mod conditions;
mod having;
mod joins;
mod output;
mod tables;
mod values;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use marula_core::model::{AccessPath, Model, Query};
use marula_core::{Error, ErrorKind, Result};
use marula_postgres::access::ast;
use marula_postgres::sql::{self, ParsedStatement};
use pg_query::protobuf::{LimitOption, SelectStmt, SetOperation, a_const};
use pg_query::{Node, NodeEnum};

pub use joins::name_of;
use tables::Table;
pub(super) use values::is_number;

/// What is known while a SELECT is read.
struct Reader<'a> {
    model: &'a Model,
    statement: &'a ParsedStatement,
    /// What its FROM names, in order.
    tables: Vec<Table<'a>>,
    /// Columns that USING made one of two.
    merged: Vec<String>,
}

/// What a query asks for, as a path: the one it says, or the one its SQL means.
///
/// # Errors
/// `Usage` where it says neither; those of [`access_path`].
pub fn path_of<'q>(model: &Model, query: &'q Query) -> Result<Cow<'q, AccessPath>> {
    match (&query.access, &query.sql) {
        (Some(access), _) => Ok(Cow::Borrowed(access)),
        (None, Some(text)) => access_path(model, text).map(Cow::Owned),
        (None, None) => {
            let what = format!("{} says neither sql nor access", query.name);
            Err(Error::new(ErrorKind::Usage, what))
        }
    }
}

/// Reads one SELECT over the entities of `model` as a path.
///
/// # Errors
/// `Syntax` where it is no SQL; `NotFound` where it names an entity or attribute that is not there,
/// or joins along no relationship; `Unsupported` where a path cannot say it, with its name. The
/// place is marked.
pub fn access_path(model: &Model, sql: &str) -> Result<AccessPath> {
    let statement = sql::parse(sql)?;
    let mut reader =
        Reader { model, statement: &statement, tables: Vec::new(), merged: Vec::new() };
    let Some(select) = statement.select() else {
        return Err(reader.unsaid("what is no SELECT", 0));
    };
    let root = Node { node: statement.root().cloned() };
    if ast::too_deep(&root) {
        return Err(reader.unsaid("a statement that nests this deeply", 0));
    }
    reader.clauses(select)?;
    let found = reader.from(select)?;
    let (pairs, conditions) = reader.conditions(found)?;
    reader.settle(&pairs, &conditions.all);
    let prefixes = reader.joins(&pairs)?;
    let mut path = AccessPath { from: reader.entity(0)?.name.clone(), ..AccessPath::default() };
    path.optional = reader.optional(&prefixes);
    path.conditions = reader.named(conditions.all, &prefixes);
    let any = conditions.any.into_iter().map(|group| reader.named(group, &prefixes));
    path.any = any.collect();
    path.limit = reader.limit(select)?;
    reader.output(select, &prefixes, &mut path)?;
    joins::follow(&mut path, &prefixes);
    Ok(path)
}

impl Reader<'_> {
    /// Refuses the clauses that no path has.
    fn clauses(&self, select: &SelectStmt) -> Result<()> {
        let at = |nodes: &[Node]| nodes.first().map_or(0, location);
        if select.op > SetOperation::SetopNone as i32 {
            return Err(self.unsaid("UNION, INTERSECT or EXCEPT", 0));
        }
        if let Some(with) = &select.with_clause {
            return Err(self.unsaid("WITH", with.location));
        }
        if !select.values_lists.is_empty() {
            return Err(self.unsaid("VALUES", 0));
        }
        if select.into_clause.is_some() {
            return Err(self.unsaid("SELECT INTO", 0));
        }
        if !select.window_clause.is_empty() {
            return Err(self.unsaid("a window function", at(&select.window_clause)));
        }
        if !select.locking_clause.is_empty() {
            return Err(self.unsaid("a row lock (FOR UPDATE)", 0));
        }
        if let Some(offset) = select.limit_offset.as_deref() {
            return Err(self.unsaid("OFFSET", location(offset)));
        }
        if select.limit_option == LimitOption::WithTies as i32 {
            return Err(self.unsaid("WITH TIES", 0));
        }
        if select.distinct_clause.iter().any(|node| node.node.is_some()) {
            return Err(self.unsaid("DISTINCT ON", at(&select.distinct_clause)));
        }
        Ok(())
    }

    fn limit(&self, select: &SelectStmt) -> Result<Option<u64>> {
        let Some(limit) = select.limit_count.as_deref() else { return Ok(None) };
        match &limit.node {
            Some(NodeEnum::AConst(constant)) if constant.isnull => Ok(None),
            Some(NodeEnum::AConst(constant)) => match &constant.val {
                Some(a_const::Val::Ival(number)) => match u64::try_from(number.ival) {
                    Ok(number) => Ok(Some(number)),
                    Err(_) => Err(self.wrong("LIMIT must not be negative", location(limit))),
                },
                _ => Err(self.unsaid("this LIMIT", location(limit))),
            },
            Some(NodeEnum::ParamRef(_)) => {
                Err(self.unsaid("a LIMIT that is a parameter", location(limit)))
            }
            _ => Err(self.unsaid("a LIMIT that is computed", location(limit))),
        }
    }

    /// The error for what a path cannot say.
    fn unsaid(&self, what: &str, location: i32) -> Error {
        let what = format!(
            "{what} cannot be said as an access path, which is what both engines are asked; it is \
             measured on neither"
        );
        self.marked(Error::new(ErrorKind::Unsupported, what), location)
    }

    /// The error for what PostgreSQL would not take either.
    fn wrong(&self, what: &str, location: i32) -> Error {
        self.marked(Error::new(ErrorKind::Usage, what), location)
    }

    /// The error for a name that is not there.
    fn missing(&self, what: String, near: &[&str], location: i32) -> Error {
        let error = Error::new(ErrorKind::NotFound, what);
        let error = match near.is_empty() {
            true => error,
            false => error.hint(format!("did you mean {}?", near.join(" or "))),
        };
        self.marked(error, location)
    }

    fn marked(&self, error: Error, location: i32) -> Error {
        match self.statement.mark(location.max(0)) {
            Some(marked) => error.mark(marked),
            None => error,
        }
    }
}

/// Where a node begins, in bytes; 0 where the parser does not say.
fn location(node: &Node) -> i32 {
    let found = match &node.node {
        Some(NodeEnum::ColumnRef(n)) => n.location,
        Some(NodeEnum::AConst(n)) => n.location,
        Some(NodeEnum::ParamRef(n)) => n.location,
        Some(NodeEnum::FuncCall(n)) => n.location,
        Some(NodeEnum::ResTarget(n)) => n.location,
        Some(NodeEnum::SubLink(n)) => n.location,
        Some(NodeEnum::BoolExpr(n)) => n.args.first().map_or(n.location, location),
        Some(NodeEnum::NullTest(n)) => n.arg.as_deref().map_or(n.location, location),
        Some(NodeEnum::BooleanTest(n)) => n.arg.as_deref().map_or(n.location, location),
        Some(NodeEnum::AExpr(n)) => n.lexpr.as_deref().map_or(n.location, location),
        Some(NodeEnum::TypeCast(n)) => n.arg.as_deref().map_or(n.location, location),
        Some(NodeEnum::CaseExpr(n)) => n.location,
        Some(NodeEnum::CoalesceExpr(n)) => n.location,
        Some(NodeEnum::SqlvalueFunction(n)) => n.location,
        Some(NodeEnum::AArrayExpr(n)) => n.location,
        Some(NodeEnum::RowExpr(n)) => n.location,
        Some(NodeEnum::MinMaxExpr(n)) => n.location,
        Some(NodeEnum::RangeVar(n)) => n.location,
        Some(NodeEnum::WindowDef(n)) => n.location,
        Some(NodeEnum::SortBy(n)) => n.node.as_deref().map_or(n.location, location),
        Some(NodeEnum::AIndirection(n)) => n.arg.as_deref().map_or(0, location),
        Some(NodeEnum::CollateClause(n)) => n.arg.as_deref().map_or(n.location, location),
        _ => 0,
    };
    found.max(0)
}

/// What an expression is called when it is refused.
fn called(node: &Node) -> &'static str {
    match &node.node {
        Some(NodeEnum::SubLink(_)) => "a subquery",
        Some(NodeEnum::CaseExpr(_)) => "CASE",
        Some(NodeEnum::CoalesceExpr(_)) => "COALESCE",
        Some(NodeEnum::MinMaxExpr(_)) => "GREATEST or LEAST",
        Some(NodeEnum::FuncCall(call)) if call.over.is_some() => "a window function",
        Some(NodeEnum::FuncCall(_)) => "a function call",
        Some(NodeEnum::SqlvalueFunction(_)) => "the server's clock or user",
        Some(NodeEnum::RowExpr(_)) => "a row of several values",
        Some(NodeEnum::TypeCast(cast)) => match cast.arg.as_deref().map(|arg| &arg.node) {
            Some(Some(NodeEnum::ColumnRef(_))) => "a cast of an attribute",
            _ => "a cast",
        },
        Some(NodeEnum::CollateClause(_)) => "COLLATE",
        Some(NodeEnum::AIndirection(_)) => "a subscript",
        Some(NodeEnum::BoolExpr(e)) => match e.boolop() {
            pg_query::protobuf::BoolExprType::OrExpr => "OR",
            pg_query::protobuf::BoolExprType::NotExpr => "NOT",
            _ => "a computed condition",
        },
        Some(NodeEnum::AExpr(_)) => "a computed value",
        Some(NodeEnum::AConst(_) | NodeEnum::ParamRef(_)) => "a constant",
        _ => "this expression",
    }
}
