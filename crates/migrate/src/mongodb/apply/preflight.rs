//! What would fail, found before anything runs.

use std::collections::HashSet;

use bson::{Bson, Document, doc};
use marula_core::{Engine, Error, ErrorKind, Result, Version};

use super::pieces::{self, How};
use super::{Ground, data};
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
    rights(ground).await?;
    if !options.check_data {
        return Ok(());
    }
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

/// Whether the user may write the history, where users have rights at all.
async fn rights(ground: &Ground) -> Result<()> {
    let database = ground.session.database();
    let asked = database.run_command(doc! { "connectionStatus": 1, "showPrivileges": true }).await;
    let asked = asked.map_err(|error| ground.session.map(error))?;
    let Ok(auth) = asked.get_document("authInfo") else { return Ok(()) };
    let list = |key: &str| auth.get_array(key).ok().map(Vec::as_slice).unwrap_or_default();
    let users = list("authenticatedUsers");
    let Some(user) = users.first().and_then(|user| user.as_document()?.get_str("user").ok()) else {
        return Ok(());
    };
    let may = |privilege: &Document| {
        let Ok(resource) = privilege.get_document("resource") else { return false };
        let text = |key: &str| resource.get_str(key).ok();
        let here = resource.get_bool("anyResource").unwrap_or(false)
            || (text("db").is_some_and(|db| db.is_empty() || db == database.name())
                && text("collection").is_some_and(|c| c.is_empty() || c == "marula.migrations"));
        let actions = privilege.get_array("actions").ok().map(Vec::as_slice).unwrap_or_default();
        let has = |wanted: &str| {
            actions.iter().filter_map(Bson::as_str).any(|a| a == wanted || a == "anyAction")
        };
        here && has("insert") && has("update")
    };
    if list("authenticatedUserPrivileges").iter().filter_map(Bson::as_document).any(may) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Denied,
        format!(
            "{user} may not write to {} (the history is its collection marula.migrations)",
            database.name()
        ),
    )
    .hint("grant the user the role readWrite on the database, and dbAdmin for collMod"))
}
