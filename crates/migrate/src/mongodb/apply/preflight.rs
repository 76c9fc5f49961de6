//! What would fail, found before anything runs.

use std::collections::HashSet;

use bson::{Bson, Document, doc};
use marula_core::{Engine, Error, ErrorKind, Result, Version};

use super::pieces::{self, How};
use super::{Ground, data, room, written};
use crate::apply::{ApplyOptions, Due, key_of};

/// Looks at the server, the rights, how every step runs, and at the data.
pub(super) async fn check(ground: &Ground, due: &[Due<'_>], options: &ApplyOptions) -> Result<()> {
    if let Some(other) = due.iter().find(|due| due.migration.engine != Engine::Mongodb) {
        let what = format!("{} is for PostgreSQL, and this is MongoDB", other.path().display());
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("name a target of that engine, or the folder of the other migrations: --dir"));
    }
    let version = ground.session.version();
    if version < Version::new(4, 4, 0) {
        let what = format!("the server is MongoDB {version}; migrations run on 4.4 and newer");
        return Err(Error::new(ErrorKind::Unsupported, what).hint("upgrade the server"));
    }
    if !ground.deployment.writable {
        return Err(Error::new(ErrorKind::Refused, "this server is a secondary: it only reads")
            .hint("name the whole replica set in the address: mongodb://a,b,c/db?replicaSet=…"));
    }
    for due in due {
        pieces::check(due, ground.deployment)?;
    }
    rights(ground, due).await?;
    written::check(ground, due).await?;
    if !options.check_data {
        return Ok(());
    }
    room::check(ground, due).await?;
    // What an earlier step will have changed is looked at when its turn comes.
    let mut touched: HashSet<String> = HashSet::new();
    for due in due {
        for (at, step) in due.steps().iter().enumerate().skip(due.from()) {
            let how = pieces::how(due, step, ground.deployment);
            let collection = collection(&how);
            let begun =
                due.left().is_some_and(|record| record.current.is_some()) && at == due.from();
            if !begun && !touched.contains(&collection) && !due.options().transaction {
                data::check(ground, &how).await.map_err(|error| match error.kind() {
                    ErrorKind::Refused => error.at(due.place(at)),
                    _ => error,
                })?;
                let mut checked =
                    ground.checked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                checked.insert((key_of(due.migration), at));
            }
            touched.insert(collection);
        }
    }
    Ok(())
}

fn collection(how: &How) -> String {
    match how {
        How::Batches(batched) => batched.collection.clone(),
        How::Transaction(command) | How::Again(command) | How::Outside(command) => {
            let name = super::send::name(command);
            // What is renamed changes two; neither can be told from the other's data.
            command
                .get_str("to")
                .ok()
                .or(command.get_str(name).ok())
                .unwrap_or_default()
                .to_string()
        }
    }
}

/// What a user must be allowed to do for a command, and the role that gives it.
fn action(command: &str) -> Option<(&'static str, &'static str)> {
    Some(match command {
        "insert" => ("insert", "readWrite"),
        "update" | "findAndModify" => ("update", "readWrite"),
        "delete" => ("remove", "readWrite"),
        "create" => ("createCollection", "readWrite"),
        "drop" => ("dropCollection", "readWrite"),
        "createIndexes" => ("createIndex", "readWrite"),
        "dropIndexes" => ("dropIndex", "readWrite"),
        "collMod" => ("collMod", "dbAdmin"),
        _ => return None,
    })
}

/// Whether the user may write the history and do what is due, where users have rights at all.
async fn rights(ground: &Ground, due: &[Due<'_>]) -> Result<()> {
    let database = ground.session.database();
    let asked = database.run_command(doc! { "connectionStatus": 1, "showPrivileges": true }).await;
    let asked = asked.map_err(|error| ground.session.map(error))?;
    let Ok(auth) = asked.get_document("authInfo") else { return Ok(()) };
    let list = |key: &str| auth.get_array(key).ok().map(Vec::as_slice).unwrap_or_default();
    let users = list("authenticatedUsers");
    let Some(user) = users.first().and_then(|user| user.as_document()?.get_str("user").ok()) else {
        return Ok(());
    };
    let grants = |privilege: &Document, collection: &str, wanted: &str| {
        let Ok(resource) = privilege.get_document("resource") else { return false };
        let text = |key: &str| resource.get_str(key).ok();
        let here = resource.get_bool("anyResource").unwrap_or(false)
            || (text("db").is_some_and(|db| db.is_empty() || db == database.name())
                && text("collection").is_some_and(|c| c.is_empty() || c == collection));
        let actions = privilege.get_array("actions").ok().map(Vec::as_slice).unwrap_or_default();
        here && actions.iter().filter_map(Bson::as_str).any(|a| a == wanted || a == "anyAction")
    };
    let may = |collection: &str, wanted: &str| {
        let mut all = list("authenticatedUserPrivileges").iter().filter_map(Bson::as_document);
        all.any(|privilege| grants(privilege, collection, wanted))
    };
    let history = "marula.migrations";
    if !may(history, "insert") || !may(history, "update") {
        return Err(Error::new(
            ErrorKind::Denied,
            format!(
                "{user} may not write to {} (the history is its collection {history})",
                database.name()
            ),
        )
        .hint("grant the user the role readWrite on the database, and dbAdmin for collMod"));
    }
    for due in due {
        for (at, step) in due.steps().iter().enumerate().skip(due.from()) {
            let (name, own) = match pieces::how(due, step, ground.deployment) {
                How::Batches(batched) => match &batched.update {
                    Some(_) => ("update".to_string(), batched.collection.clone()),
                    None => ("delete".to_string(), batched.collection.clone()),
                },
                How::Transaction(command) | How::Again(command) | How::Outside(command) => {
                    let name = super::send::name(&command).to_string();
                    if command.contains_key("$db") {
                        continue;
                    }
                    (name.clone(), command.get_str(&name).unwrap_or_default().to_string())
                }
            };
            let Some((action, role)) = action(&name) else { continue };
            if !may(&own, action) {
                let what = format!("{user} may not {action} on {own}; nothing ran");
                return Err(Error::new(ErrorKind::Denied, what).at(due.place(at)).hint(format!(
                    "grant the user the role {role} on the database {}",
                    database.name()
                )));
            }
        }
    }
    Ok(())
}
