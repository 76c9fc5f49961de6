//! Brings collections and indexes into a database of the lab.

use std::path::{Path, PathBuf};

use bson::{Bson, Document, doc};
use marula_core::{Error, ErrorKind, Result};
use marula_mongodb::Session;
use serde_json::Value;

use super::super::definition;
use super::model::{self, Model};
use crate::files::Folder;
use crate::migration::StepKind;

/// Where collections come from.
pub enum Source<'a> {
    /// Nothing is there.
    Empty,
    /// A file that declares them: `{"collections": {"users": {"validator": …, "indexes": […]}}}`.
    Declared(PathBuf, String),
    /// Migrations that lead to them.
    Folder(&'a Folder),
    /// A database that has them; read only.
    Database(&'a Session),
}

/// Whether a text declares collections (rather than being a migration).
pub fn declares(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("collections").is_some())
}

/// Makes them in an empty database and reads them back.
pub(super) async fn load(source: &Source<'_>, lab: &Session) -> Result<Model> {
    match source {
        Source::Empty => {}
        Source::Declared(path, text) => {
            let wanted = declared(path, text)?;
            for command in super::plan::commands(&Model::new(), &wanted, lab.version()).0 {
                run(lab, command).await.map_err(|error| placed(error, path))?;
            }
        }
        Source::Folder(folder) => {
            for migration in &folder.migrations {
                for step in &migration.up {
                    if let StepKind::Command(command) = &step.kind {
                        run(lab, command.clone()).await.map_err(|error| {
                            let place = format!("{}:{}", migration.path.display(), step.line);
                            placed(error, Path::new(&place))
                        })?;
                    }
                }
            }
        }
        Source::Database(session) => {
            let wanted = model::read(session).await?;
            for command in super::plan::commands(&Model::new(), &wanted, lab.version()).0 {
                let shown = Bson::Document(command.clone()).into_relaxed_extjson();
                run(lab, command).await.map_err(|error| {
                    let what = format!("the lab does not take {shown}: {}", error.message());
                    let mut failed = Error::new(error.kind(), what)
                        .at(session.spec().to_string())
                        .hint("its version and that of the lab may differ: give --server-version");
                    if let Some(code) = error.server_code() {
                        failed = failed.code(code);
                    }
                    failed
                })?;
            }
        }
    }
    model::read(lab).await
}

fn placed(error: Error, path: &Path) -> Error {
    let mut placed = Error::new(error.kind(), error.message().to_string())
        .at(path.display().to_string())
        .hint("the collections are made in the lab first: mend the file");
    if let Some(code) = error.server_code() {
        placed = placed.code(code);
    }
    error.hints().iter().fold(placed, |placed, hint| placed.hint(hint.clone()))
}

/// Sends a command; documents of a migration are written as well, they do no harm in the lab.
pub(super) async fn run(lab: &Session, command: Document) -> Result<()> {
    let first = command.keys().next().map(String::as_str).unwrap_or_default();
    const SCHEMA: [&str; 12] = [
        "create",
        "createIndexes",
        "dropIndexes",
        "drop",
        "collMod",
        "convertToCapped",
        "insert",
        "update",
        "delete",
        "renameCollection",
        "findAndModify",
        "cloneCollectionAsCapped",
    ];
    if !SCHEMA.contains(&first) {
        // What reads, counts or aggregates makes no schema.
        return Ok(());
    }
    if first == "renameCollection" {
        let own = lab.database().name().to_string();
        let name = |key: &str| {
            let text = command.get_str(key).unwrap_or_default();
            let bare = text.split_once('.').map_or(text, |(_, bare)| bare);
            format!("{own}.{bare}")
        };
        let mut renamed = command.clone();
        renamed.insert("renameCollection", name("renameCollection"));
        renamed.insert("to", name("to"));
        let admin = lab.client().database("admin");
        return admin.run_command(renamed).await.map(drop).map_err(|error| lab.map(error));
    }
    lab.database().run_command(command).await.map(drop).map_err(|error| lab.map(error))
}

/// A file that declares collections.
fn declared(path: &Path, text: &str) -> Result<Model> {
    let wrong = |what: String| {
        Error::new(ErrorKind::Syntax, what).at(path.display().to_string()).hint(
            "write {\"collections\": {\"users\": {\"validator\": {…}, \"indexes\": [{\"key\": \
             {\"email\": 1}, \"unique\": true}]}}}",
        )
    };
    let value: Value =
        serde_json::from_str(text).map_err(|error| wrong(format!("this is not JSON: {error}")))?;
    let Some(Value::Object(collections)) = value.get("collections") else {
        return Err(wrong("collections is no document".into()));
    };
    let mut model = Model::new();
    for (name, value) in collections {
        let Ok(Bson::Document(mut options)) = Bson::try_from(value.clone()) else {
            return Err(wrong(format!("{name} is no document")));
        };
        let mut namespace = model::Namespace::default();
        let indexes = match options.remove("indexes") {
            None => Vec::new(),
            Some(Bson::Array(indexes)) => indexes,
            Some(_) => return Err(wrong(format!("the indexes of {name} are no list"))),
        };
        for index in indexes {
            let Bson::Document(mut index) = index else {
                return Err(wrong(format!("an index of {name} is no document")));
            };
            let Ok(keys) = index.get_document("key").cloned() else {
                return Err(wrong(format!("an index of {name} has no key")));
            };
            let named = index.get_str("name").map(String::from).unwrap_or_else(|_| {
                let parts = keys.iter().map(|(key, value)| match value {
                    Bson::String(text) => format!("{key}_{text}"),
                    value => format!("{key}_{}", definition::plain(value)),
                });
                parts.collect::<Vec<_>>().join("_")
            });
            index.insert("name", named.clone());
            namespace.indexes.insert(named, index);
        }
        namespace.options = options;
        model.insert(name.clone(), namespace);
    }
    Ok(model)
}

/// An empty database of a server of the lab.
pub(super) async fn open(server: &marula_lab::MongoServer) -> Result<Session> {
    let spec = server.create_database().await?;
    let session = Session::open(&spec, &marula_mongodb::SessionOptions::lab()).await?;
    // The database is there as soon as something is in it.
    let _ = session.database().run_command(doc! { "ping": 1 }).await;
    Ok(session)
}
