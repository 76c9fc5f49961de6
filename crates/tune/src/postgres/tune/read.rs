//! Which statements of a workload can take part, and what they touch.

use marula_core::{
    LeftOut, Progress, RelationKind, RelationalCatalog, Result, Statement, WeightedStatement,
};
use marula_postgres::catalog::{self, Scope};
use marula_postgres::sql::{self, RelationRef};
use marula_postgres::{Session, guard, parameters};
use pg_query::{Node, NodeEnum};

use super::super::rewrites::Session as Facts;
use super::super::shape::Shape;
use super::super::{ast, explain};
use super::arena::PostgresArena;
use super::lookup::lookup;
use crate::tuning::{Subject, Tuner, trial_fatal};

/// A statement that takes part.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub statement: Statement,
    pub root: Node,
    pub shape: Shape,
    /// The relations it names, qualified.
    pub relations: Vec<String>,
    pub calls: u64,
    pub goal_ms: Option<f64>,
}

/// A statement that writes.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub statement: Statement,
    pub root: Node,
    pub calls: u64,
    /// The table it writes to, qualified.
    pub relation: String,
    /// Whether it adds rows.
    pub inserts: bool,
    /// The columns it changes in rows that are there; `None` when it changes none.
    pub sets: Option<Vec<String>>,
}

/// What a workload came to.
#[derive(Debug)]
pub(super) struct Read {
    pub parts: Vec<Part>,
    pub writes: Vec<Write>,
    /// How many of the parts are what a write looks for.
    pub lookups: usize,
    pub left_out: Vec<LeftOut>,
    pub catalog: RelationalCatalog,
    pub facts: Facts,
}

impl Read {
    /// All relations that are named, once each.
    pub fn relations(&self) -> Vec<String> {
        let read = self.parts.iter().flat_map(|part| part.relations.iter().cloned());
        let written = self.writes.iter().map(|write| write.relation.clone());
        let mut names: Vec<String> = read.chain(written).collect();
        names.sort();
        names.dedup();
        names
    }

    /// What all of them take, without indexes.
    pub fn data_bytes(&self) -> u64 {
        let names = self.relations();
        let relations = names.iter().filter_map(|name| self.catalog.find(name));
        relations.map(|relation| relation.bytes).sum()
    }

    /// The parts that still take part in the search, in its order.
    pub fn still(&self, tuner: &Tuner<'_, PostgresArena>) -> Vec<&Part> {
        let of = |subject: &Subject| self.parts.iter().find(|p| p.statement == subject.statement);
        tuner.subjects.iter().filter_map(of).collect()
    }

    /// What the indexes of all of them take.
    pub fn index_bytes(&self) -> u64 {
        let names = self.relations();
        let relations = names.iter().filter_map(|name| self.catalog.find(name));
        relations.map(|relation| relation.index_bytes).sum()
    }
}

/// Reads the catalogue, and looks at every statement.
pub(super) async fn read(
    session: &Session,
    statements: &[WeightedStatement],
    progress: &dyn Progress,
) -> Result<Read> {
    let catalog = catalog::read(session, Scope::All).await?;
    let facts = Facts { time_zone: Some(explain::time_zone(session).await?) };
    let (parts, writes, left_out) = (Vec::new(), Vec::new(), Vec::new());
    let mut read = Read { parts, writes, lookups: 0, left_out, catalog, facts };
    for (number, weighted) in statements.iter().enumerate() {
        progress.advance(number as u64, statements.len() as u64);
        match one(session, weighted, &read.catalog).await {
            Ok(Kind::Reads(part)) => read.parts.push(*part),
            Ok(Kind::Writes(write)) => {
                // Where what it looks for cannot take part, the write is measured all the same.
                if let Some(weighted) = lookup(&write, &read.catalog) {
                    match one(session, &weighted, &read.catalog).await {
                        Ok(Kind::Reads(part)) => {
                            read.lookups += 1;
                            read.parts.push(*part);
                        }
                        Ok(Kind::Left(reason)) => read.left_out.push(left(&weighted, reason)),
                        Ok(Kind::Writes(_)) => {}
                        Err(error) if trial_fatal(&error) => return Err(error),
                        Err(error) => read.left_out.push(left(&weighted, error.to_string())),
                    }
                }
                read.writes.push(*write);
            }
            Ok(Kind::Left(reason)) => read.left_out.push(left(weighted, reason)),
            Err(error) if trial_fatal(&error) => return Err(error),
            Err(error) => read.left_out.push(left(weighted, error.to_string())),
        }
    }
    Ok(read)
}

fn left(weighted: &WeightedStatement, reason: String) -> LeftOut {
    LeftOut { statement: weighted.statement.text.clone(), calls: weighted.calls, reason }
}

enum Kind {
    Reads(Box<Part>),
    Writes(Box<Write>),
    Left(String),
}

async fn one(
    session: &Session,
    weighted: &WeightedStatement,
    catalog: &RelationalCatalog,
) -> Result<Kind> {
    let text = &weighted.statement.text;
    let parsed = sql::parse(text)?;
    let writes = matches!(
        parsed.root(),
        Some(
            NodeEnum::InsertStmt(_)
                | NodeEnum::UpdateStmt(_)
                | NodeEnum::DeleteStmt(_)
                | NodeEnum::MergeStmt(_)
        )
    );
    let parsed = if writes { parsed } else { guard::check(text)? };
    let Some(root) = parsed.root().cloned() else { return Ok(Kind::Left("it is empty".into())) };
    let names: Vec<String> = parsed.relations().iter().map(RelationRef::qualified).collect();
    let mut relations = Vec::new();
    for name in &names {
        match catalog.find(name) {
            None => {
                return Ok(Kind::Left(format!(
                    "it names {name}, which this database does not have: a temporary table, or \
                     one of another database"
                )));
            }
            Some(relation) if relation.kind == RelationKind::ForeignTable => {
                return Ok(Kind::Left(format!("it reads the foreign table {name}")));
            }
            Some(relation) => relations.push(relation.qualified()),
        }
    }
    relations.sort();
    relations.dedup();
    if !writes {
        guard::check_in_catalog(session, &parsed).await?;
    }
    let mut given: Vec<Option<String>> =
        weighted.statement.parameters.iter().map(|p| p.value.clone()).collect();
    if given.is_empty() {
        let sample = weighted.samples.first().into_iter().flatten();
        given = sample.map(|parameter| parameter.value.clone()).collect();
    }
    given.truncate(parsed.parameter_count());
    let mut statement = Statement::new(weighted.statement.engine, parsed.text());
    statement.fingerprint = Some(parsed.fingerprint().clone());
    statement.parameters = parameters::fill(session, &parsed, &given, catalog).await?;
    let root = Node { node: Some(root) };
    if writes {
        let Some(relation) = written(&root).and_then(|name| catalog.find(&name)) else {
            return Ok(Kind::Left("the table it writes to is not known".into()));
        };
        let (relation, calls) = (relation.qualified(), weighted.calls);
        let (inserts, sets) = changed(&root);
        return Ok(Kind::Writes(Box::new(Write {
            statement,
            root,
            calls,
            relation,
            inserts,
            sets,
        })));
    }
    if ast::too_deep(&root) {
        return Ok(Kind::Left("it nests too deeply".into()));
    }
    let shape = Shape::read(&root, Some(catalog));
    let (calls, goal_ms) = (weighted.calls, weighted.goal_ms);
    Ok(Kind::Reads(Box::new(Part { statement, root, shape, relations, calls, goal_ms })))
}

/// Whether a statement adds rows, and which columns it changes in those that are there.
fn changed(root: &Node) -> (bool, Option<Vec<String>>) {
    let named = |targets: &[Node]| {
        let name = |target: &Node| match &target.node {
            Some(NodeEnum::ResTarget(target)) => Some(target.name.clone()),
            _ => None,
        };
        targets.iter().filter_map(name).collect::<Vec<String>>()
    };
    match &root.node {
        Some(NodeEnum::InsertStmt(_)) => (true, None),
        Some(NodeEnum::UpdateStmt(update)) => (false, Some(named(&update.target_list))),
        Some(NodeEnum::MergeStmt(_)) => (true, None),
        _ => (false, None),
    }
}

/// The table a statement writes to.
fn written(root: &Node) -> Option<String> {
    let relation = match root.node.as_ref()? {
        NodeEnum::InsertStmt(insert) => insert.relation.as_ref()?,
        NodeEnum::UpdateStmt(update) => update.relation.as_ref()?,
        NodeEnum::DeleteStmt(delete) => delete.relation.as_ref()?,
        NodeEnum::MergeStmt(merge) => merge.relation.as_ref()?,
        _ => return None,
    };
    Some(match relation.schemaname.is_empty() {
        true => relation.relname.clone(),
        false => format!("{}.{}", relation.schemaname, relation.relname),
    })
}
