//! The lab's part: a copy of what the statement touches, and the proof of each change on it.

use std::time::Duration;

use marula_core::{Engine, Error, ErrorKind, Plan, Progress, Report, Result};
use marula_lab::bench::Bench;
use marula_lab::bench::postgres::PostgresBench;
use marula_lab::clone::postgres::{Request, clone};
use marula_lab::clone::{CloneLimits, Join};
use marula_lab::compare::Comparison;
use marula_lab::prove::Comparing;
use marula_lab::{discover, shared};
use marula_postgres::Session;

use super::explain::Subject;
use super::order;
use super::shape::{Operator, Shape, Value};
use crate::ExplainOptions;

/// Copies what the statement touches to a lab server as near to the target's version as there is.
pub(super) async fn open(
    session: &Session,
    subject: &Subject,
    notes: &mut Vec<String>,
    progress: &dyn Progress,
) -> Result<PostgresBench> {
    let choice = discover::choose(Engine::Postgres, Some(session.version()))?;
    notes.extend(choice.note);
    let server = shared::postgres(choice.install.version.major).await?;
    let request = Request {
        relations: subject.relations.clone(),
        joins: joins(subject),
        statement: subject.statement.text.clone(),
        limits: CloneLimits::default(),
    };
    let mut bench = clone(session, &server.spec(), &request, progress).await?;
    // What the target plans and the copy does not is something the copy lacks.
    match bench.plan(&subject.statement, Duration::ZERO).await {
        Ok(_) => Ok(bench),
        Err(error) if error.kind() == ErrorKind::ServerDied => Err(error),
        Err(error) => {
            notes.extend(bench.notes().iter().cloned());
            bench.close().await?;
            let message = format!("the statement does not run on it: {error}");
            Err(Error::new(ErrorKind::Lab, message))
        }
    }
}

/// The plan on the copy, with actual numbers if it finishes within `limit`.
pub(super) async fn plan(
    bench: &mut PostgresBench,
    subject: &Subject,
    limit: Duration,
) -> Result<Plan> {
    bench.plan(&subject.statement, limit).await
}

/// Proves the report's changes on the copy, and drops it.
pub(super) async fn prove(
    mut bench: PostgresBench,
    subject: &Subject,
    report: &mut Report,
    options: &ExplainOptions,
    progress: &dyn Progress,
) -> Result<()> {
    let comparing = match &subject.root {
        None => Comparison::Multiset.into(),
        Some(root) => Comparing {
            comparison: order::comparison(root, &subject.catalog),
            decide: Some(Box::new(|text| order::decided(text, &subject.catalog))),
        },
    };
    let statement = &subject.statement;
    let proved =
        crate::prove::changes(&mut bench, statement, comparing, report, options, progress).await;
    let closed = bench.close().await;
    proved?;
    // A server that went away has nothing to close, and the report says so.
    if report.failure.is_none() { closed } else { Ok(()) }
}

/// The equalities between columns: a sample keeps their rows together.
fn joins(subject: &Subject) -> Vec<Join> {
    let Some(root) = &subject.root else { return Vec::new() };
    joins_of(&Shape::read(root, Some(&subject.catalog)))
}

/// The same of a statement that is taken apart.
pub(super) fn joins_of(shape: &Shape) -> Vec<Join> {
    let mut found: Vec<Join> = Vec::new();
    for (_, used) in shape.uses() {
        for predicate in used.predicates.iter().filter(|p| p.operator == Operator::Equal) {
            let (Some(column), Value::Column { block, number, column: other }) =
                (&predicate.key.column, &predicate.value)
            else {
                continue;
            };
            let right = shape.blocks.get(*block).and_then(|block| block.uses.get(*number));
            let Some(right) = right else { continue };
            let join = Join {
                left: used.relation.clone(),
                left_column: column.clone(),
                right: right.relation.clone(),
                right_column: other.clone(),
            };
            let known = |known: &Join| {
                *known == join
                    || (known.left == join.right
                        && known.right == join.left
                        && known.left_column == join.right_column
                        && known.right_column == join.left_column)
            };
            if !found.iter().any(known) {
                found.push(join);
            }
        }
    }
    found
}
