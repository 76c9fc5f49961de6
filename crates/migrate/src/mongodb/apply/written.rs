//! The collections whose documents are written: whether they are there, and can be written to by a
//! migration. An earlier step may make, rename or drop them.

use std::collections::HashMap;

use bson::{Bson, Document};
use marula_core::{ErrorKind, Result, nearest};
use marula_mongodb::catalog::{self, Scope};

use super::Ground;
use super::pieces::{self, How};
use super::send;
use crate::apply::{Due, file_name};
use crate::mongodb::special::Special;

/// What is known of the collections before a step, by name.
type Known = HashMap<String, Option<Special>>;

/// Refuses a step that writes where no migration can, and notes a change of documents of a
/// collection that is not there: it will do nothing.
pub(super) async fn check(ground: &Ground, due: &[Due<'_>]) -> Result<()> {
    let how = |due: &Due<'_>, at: usize| pieces::how(due, &due.steps()[at], ground.deployment);
    let database = ground.session.database().name();
    let names = match catalog::names(&ground.session).await {
        Ok(names) => names,
        // Who may not even see the names is told by the server when the step runs.
        Err(error) if error.kind() == ErrorKind::Denied => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut asked: Vec<String> = due
        .iter()
        .flat_map(|due| (due.from()..due.steps().len()).map(move |at| how(due, at)))
        .filter_map(|how| of(&how).map(str::to_string).or_else(|| renamed(&how, database)))
        .filter(|name| names.contains(name))
        .collect();
    asked.sort();
    asked.dedup();
    let mut known: Known = names.into_iter().map(|name| (name, None)).collect();
    if !asked.is_empty() {
        let read = catalog::read(&ground.session, Scope::Collections(&asked), None).await?;
        known.extend(read.collections.iter().map(|one| (one.name.clone(), Special::of(one))));
    }
    for due in due {
        for at in due.from()..due.steps().len() {
            let how = how(due, at);
            let special = of(&how).and_then(|name| Some((name, (*known.get(name)?)?)));
            if let Some((name, special)) = special
                && (special == Special::View || !matches!(how, How::Again(_)))
            {
                return Err(special.refusal(name).at(due.place(at)));
            }
            match &how {
                How::Batches(batched) if !known.contains_key(&batched.collection) => {
                    let name = &batched.collection;
                    let near = nearest(name, known.keys().map(String::as_str));
                    let meant = match near.first() {
                        Some(near) => format!(" (did you mean '{near}'?)"),
                        None => String::new(),
                    };
                    let file = file_name(due.migration);
                    ground.note(format!(
                        "there is no collection '{name}'{meant}: {file} changes no document of it"
                    ));
                }
                How::Batches(_) => {}
                How::Transaction(command) | How::Again(command) | How::Outside(command) => {
                    follow(&mut known, command, database);
                }
            }
        }
    }
    Ok(())
}

/// The collection whose documents a step writes.
fn of(how: &How) -> Option<&str> {
    match how {
        How::Batches(batched) => Some(&batched.collection),
        How::Transaction(command) | How::Again(command) => {
            // Those of another database are not looked at.
            let own = !command.contains_key("$db");
            command.get_str(send::name(command)).ok().filter(|_| own)
        }
        How::Outside(_) => None,
    }
}

/// The collection that a step gives another name.
fn renamed(how: &How, database: &str) -> Option<String> {
    let How::Outside(command) = how else { return None };
    here(command.get_str("renameCollection").ok()?, database)
}

/// The collection of a full name, when it is in this database.
fn here(full: &str, database: &str) -> Option<String> {
    let (own, name) = full.split_once('.')?;
    (own == database).then(|| name.to_string())
}

/// What a command leaves behind.
fn follow(known: &mut Known, command: &Document, database: &str) {
    let name = send::name(command);
    let of = command.get_str(name).unwrap_or_default().to_string();
    if command.contains_key("$db") || of.is_empty() && name != "dropDatabase" {
        return;
    }
    match name {
        "create" => {
            known.insert(of, Special::of_create(command));
        }
        "drop" => {
            known.remove(&of);
        }
        "dropDatabase" => known.clear(),
        "convertToCapped" => {
            known.insert(of, Some(Special::Capped));
        }
        "cloneCollectionAsCapped" => {
            let made = command.get_str("toCollection").unwrap_or_default().to_string();
            known.insert(made, Some(Special::Capped));
        }
        "renameCollection" => {
            let what = here(&of, database).and_then(|from| known.remove(&from));
            if let Some(to) = command.get_str("to").ok().and_then(|to| here(to, database)) {
                known.insert(to, what.flatten());
            }
        }
        "createIndexes" | "insert" | "update" | "findAndModify" => {
            known.entry(of).or_default();
        }
        "aggregate" => {
            let last = command.get_array("pipeline").ok().and_then(|stages| stages.last());
            if let Some(into) = last.and_then(Bson::as_document).and_then(into) {
                known.entry(into).or_default();
            }
        }
        _ => {}
    }
}

/// The collection that a stage writes into.
fn into(stage: &Document) -> Option<String> {
    let text = |value: &Bson, key: &str| match value {
        Bson::String(name) => Some(name.clone()),
        Bson::Document(to) => to.get_str(key).ok().map(str::to_string),
        _ => None,
    };
    if let Some(out) = stage.get("$out") {
        return text(out, "coll");
    }
    match stage.get("$merge")? {
        Bson::Document(merge) => text(merge.get("into")?, "coll"),
        name => text(name, "into"),
    }
}
