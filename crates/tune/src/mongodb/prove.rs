//! The lab's part: a copy of what the command touches, and the proof of each change on it.

use std::time::Duration;

use bson::{Bson, Document};
use marula_core::{Engine, Plan, Progress, Report, Result};
use marula_lab::bench::Bench;
use marula_lab::bench::mongodb::MongoBench;
use marula_lab::clone::mongodb::{Request, clone};
use marula_lab::clone::{CloneLimits, Join};
use marula_lab::prove::Comparing;
use marula_lab::{discover, shared};
use marula_mongodb::{Command, Operation, Session};

use super::explain::Subject;
use super::order;
use super::pipeline::stage;
use crate::ExplainOptions;

/// Copies what the command touches to a lab server as near to the target's version as there is.
pub(super) async fn open(
    session: &Session,
    subject: &Subject,
    notes: &mut Vec<String>,
    progress: &dyn Progress,
) -> Result<MongoBench> {
    let choice = discover::choose(Engine::Mongodb, Some(session.version()))?;
    notes.extend(choice.note);
    let version = choice.install.version;
    let server = shared::mongodb(version.major, version.minor).await?;
    let request = Request {
        collections: subject.command.collections(),
        joins: joins(&subject.command),
        limits: CloneLimits::default(),
    };
    clone(session, &server.spec(), &request, progress).await
}

/// The plan on the copy, with actual numbers if it finishes within `limit`.
pub(super) async fn plan(
    bench: &mut MongoBench,
    subject: &Subject,
    limit: Duration,
) -> Result<Plan> {
    bench.plan(&subject.statement(), limit).await
}

/// Proves the report's changes on the copy, and drops it.
pub(super) async fn prove(
    mut bench: MongoBench,
    subject: &Subject,
    report: &mut Report,
    options: &ExplainOptions,
    progress: &dyn Progress,
) -> Result<()> {
    let version = bench.server().version;
    let catalog = Some(&subject.catalog);
    let comparing = Comparing {
        comparison: order::comparison(&subject.command.to_command(), catalog),
        decide: Some(Box::new(move |text| order::decided(text, catalog, version))),
    };
    let statement = subject.statement();
    let proved =
        crate::prove::changes(&mut bench, &statement, comparing, report, options, progress).await;
    let closed = bench.close().await;
    proved?;
    // A server that went away has nothing to close, and the report says so.
    if report.failure.is_none() { closed } else { Ok(()) }
}

/// The equalities of the `$lookup`s: a sample keeps their documents together.
pub(super) fn joins(command: &Command) -> Vec<Join> {
    let Operation::Aggregate(aggregate) = &command.operation else { return Vec::new() };
    let mut found = Vec::new();
    let mut open: Vec<&Document> = aggregate.pipeline.iter().collect();
    while let Some(document) = open.pop() {
        match stage(document) {
            Some(("$lookup", Bson::Document(lookup))) => {
                let part = |key: &str| lookup.get_str(key).ok().map(str::to_string);
                let sides = (part("localField"), part("from"), part("foreignField"));
                if let (Some(left_column), Some(right), Some(right_column)) = sides {
                    let left = command.collection.clone();
                    found.push(Join { left, left_column, right, right_column });
                }
            }
            Some(("$facet", Bson::Document(branches))) => {
                let stages = branches.values().filter_map(Bson::as_array).flatten();
                open.extend(stages.filter_map(Bson::as_document));
            }
            _ => {}
        }
    }
    found
}
