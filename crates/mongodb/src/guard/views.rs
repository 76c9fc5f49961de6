//! Views run their own pipeline: what is stored in it is checked like what is sent.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use marula_core::{ErrorKind, Result};

use super::{refused, stages};
use crate::{Command, Session};

/// Passes a command unless a view it reads, directly or through other views, runs code.
///
/// # Errors
/// `Refused`, naming the view, and what the server says.
pub async fn check_in_catalog(session: &Session, command: &Command) -> Result<()> {
    let Some(views) = views(session, command).await? else { return Ok(()) };
    let mut open = command.collections();
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let Some(view) = views.get(&name) else { continue };
        let Ok(pipeline) = view.get_array("pipeline") else {
            return Err(refused(format!("the pipeline of the view '{name}' cannot be read")).hint(
                "grant the user the role 'read' on the database, so that it can be checked",
            ));
        };
        let pipeline: Vec<Document> =
            pipeline.iter().filter_map(Bson::as_document).cloned().collect();
        let place = format!("the view '{name}'");
        stages::check(&pipeline, stages::READING, &place)?;
        open.extend(view.get_str("viewOn").ok().map(str::to_string));
        let below = crate::Aggregate { pipeline, ..Default::default() };
        open.extend(Command::new(name, crate::Operation::Aggregate(below)).collections());
    }
    Ok(())
}

/// The views of the command's database with their options; `None` when there are none.
async fn views(session: &Session, command: &Command) -> Result<Option<BTreeMap<String, Document>>> {
    let list = doc! { "listCollections": 1, "filter": { "type": "view" } };
    let found = match listed(session, command, list).await {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::Denied => {
            // Without the right to list, names and types are still told of what one may read.
            let names = doc! {
                "listCollections": 1,
                "filter": { "type": "view" },
                "nameOnly": true,
                "authorizedCollections": true,
            };
            listed(session, command, names).await?
        }
        Err(error) => return Err(error),
    };
    if found.is_empty() {
        return Ok(None);
    }
    let named = found.into_iter().filter_map(|entry| {
        let name = entry.get_str("name").ok()?.to_string();
        Some((name, entry.get_document("options").cloned().unwrap_or_default()))
    });
    Ok(Some(named.collect()))
}

async fn listed(session: &Session, command: &Command, mut list: Document) -> Result<Vec<Document>> {
    list.insert("maxTimeMS", session.max_time());
    let database = session.database_of(command);
    let mut running = database.run_cursor_command(list);
    if let Some(criteria) = session.criteria() {
        running = running.selection_criteria(criteria);
    }
    let cursor = running.await.map_err(|failure| session.map(failure))?;
    cursor.try_collect().await.map_err(|failure| session.map(failure))
}
