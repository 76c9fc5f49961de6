//! How each command of a file runs.

use bson::{Bson, Document, doc};
use marula_core::{Engine, Error, ErrorKind, PlannedStep, Result};

use super::{Deployment, idempotent, send};
use crate::apply::Due;
use crate::migration::{Step, StepKind};

/// How a step runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum How {
    /// By ranges of `_id`, so many documents at a time.
    Batches(Box<Batched>),
    /// In a transaction with the note that it is done.
    Transaction(Document),
    /// By itself; it may run twice.
    Again(Document),
    /// By itself; what was there before is noted first.
    Outside(Document),
}

/// A change of documents that goes by `_id`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batched {
    /// The collection.
    pub collection: String,
    /// Which documents.
    pub filter: Document,
    /// Operators or stages; `None` deletes.
    pub update: Option<Bson>,
    /// The command's other options.
    pub options: Document,
    /// Documents in one batch.
    pub size: u64,
    /// The pause between batches.
    pub pace: std::time::Duration,
}

const OF_DATA: [&str; 4] = ["insert", "update", "delete", "findAndModify"];

/// How a step runs on this deployment.
pub(super) fn how(due: &Due<'_>, step: &Step, deployment: Deployment) -> How {
    let command = match &step.kind {
        StepKind::Command(command) => command.clone(),
        StepKind::Backfill(backfill) => {
            return How::Batches(Box::new(Batched {
                collection: backfill.collection.clone(),
                filter: backfill.filter.clone(),
                update: Some(backfill.update.clone()),
                options: Document::new(),
                size: backfill.batch,
                pace: backfill.pace,
            }));
        }
        StepKind::Sql(_) => return How::Again(Document::new()),
    };
    if let Some(batched) = batched(due, &command) {
        return How::Batches(Box::new(batched));
    }
    match (OF_DATA.contains(&send::name(&command)), deployment.transactions) {
        (true, true) => How::Transaction(command),
        (true, false) => How::Again(command),
        (false, _) => How::Outside(command),
    }
}

/// An update or delete of many documents, which nobody wants in one piece.
fn batched(due: &Due<'_>, command: &Document) -> Option<Batched> {
    let (key, many) = match send::name(command) {
        "update" => ("updates", "u"),
        "delete" => ("deletes", "limit"),
        _ => return None,
    };
    let [Bson::Document(one)] = command.get_array(key).ok()?.as_slice() else { return None };
    let multi = match many {
        "u" => one.get_bool("multi").unwrap_or(false) && !one.get_bool("upsert").unwrap_or(false),
        _ => send::number(one, "limit") == 0,
    };
    // A database of another name, and a hint that the order by _id would contradict.
    if !multi || one.contains_key("hint") || command.contains_key("$db") {
        return None;
    }
    let mut options = Document::new();
    for name in ["collation", "arrayFilters", "c"] {
        if let Some(value) = one.get(name) {
            options.insert(name, value.clone());
        }
    }
    Some(Batched {
        collection: command.get_str(send::name(command)).ok()?.to_string(),
        filter: one.get_document("q").cloned().unwrap_or_default(),
        update: one.get("u").cloned(),
        options,
        size: due.options().batch.unwrap_or(1000),
        pace: due.options().pace.unwrap_or_default(),
    })
}

/// Refuses what this deployment cannot run so that it may be interrupted.
pub(super) fn check(due: &Due<'_>, deployment: Deployment) -> Result<()> {
    let refused = |at: usize, what: String| {
        Error::new(ErrorKind::Refused, format!("{what}; nothing ran")).at(due.place(at))
    };
    for (at, step) in due.steps().iter().enumerate() {
        let how = how(due, step, deployment);
        if due.options().transaction {
            if !deployment.transactions {
                return Err(refused(
                    at,
                    "the file wants a transaction, and this server stands alone".into(),
                )
                .hint("run it on a replica set, or take options.transaction out"));
            }
            if let How::Outside(command) = &how {
                let name = send::name(command).to_string();
                return Err(refused(
                    at,
                    format!("{name} cannot run in a transaction, and the file wants one"),
                )
                .hint("move it into a migration of its own"));
            }
            continue;
        }
        if deployment.transactions {
            continue;
        }
        let trouble = match &how {
            How::Batches(batched) => match &batched.update {
                Some(update) => idempotent::update(&batched.filter, update),
                None => None,
            },
            How::Again(command) => idempotent::command(command),
            _ => None,
        };
        if let Some(why) = trouble {
            return Err(refused(at, format!("interrupted, this would be done twice: {why}"))
                .hint("this server stands alone and has no transactions: run it on a replica set")
                .hint("or let the filter leave out what is done, such as { field: { $exists: false } } with $set of that field"));
        }
    }
    Ok(())
}

/// The command for these documents.
pub(super) fn of_batch(batched: &Batched, ids: &[Bson]) -> Document {
    let those = doc! { "_id": { "$in": ids.to_vec() } };
    let filter = match batched.filter.is_empty() {
        true => those,
        false => doc! { "$and": [those, batched.filter.clone()] },
    };
    let mut one = doc! { "q": filter };
    let name = batched.collection.as_str();
    match &batched.update {
        Some(update) => {
            one.insert("u", update.clone());
            one.insert("multi", true);
            one.extend(batched.options.clone());
            doc! { "update": name, "updates": [one] }
        }
        None => {
            one.insert("limit", 0);
            one.extend(batched.options.clone());
            doc! { "delete": name, "deletes": [one] }
        }
    }
}

/// How each step that is left would run, in words.
pub(super) fn plan(due: &Due<'_>, deployment: Deployment) -> Result<Vec<PlannedStep>> {
    check(due, deployment)?;
    let steps = due.steps().iter().skip(due.from());
    Ok(steps
        .map(|step| PlannedStep {
            text: crate::secrets::shown(Engine::Mongodb, &step.text),
            line: step.line,
            how: match how(due, step, deployment) {
                _ if due.options().transaction => "in the file's transaction".to_string(),
                How::Batches(batched) => format!("in batches of {} documents by _id", batched.size),
                How::Transaction(_) => "in a transaction of its own".to_string(),
                How::Again(_) => "by itself; it may run twice".to_string(),
                How::Outside(_) => "by itself".to_string(),
            },
        })
        .collect())
}
