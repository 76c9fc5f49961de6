//! Reads all objects of a database in one snapshot.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::{Session, from_server};

use super::model::{Id, Kind, Model, Object};
use super::queries;
use crate::postgres::apply::HISTORIES;

/// A row of pg_depend's addresses: class, object, column.
type Address = (u32, u32, i32);

/// Reads the model. The session's search_path is emptied, so that all names are written in full.
///
/// # Errors
/// The server's, when it refuses to tell.
pub async fn read(session: &Session, owners: bool) -> Result<Model> {
    let client = session.client();
    let failed = |error: tokio_postgres::Error| from_server(&error);
    client
        .batch_execute("SET search_path = ''; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .map_err(failed)?;
    let mut objects = BTreeMap::new();
    let mut places: HashMap<Address, Id> = HashMap::new();
    for sql in queries::objects(session.version().major) {
        for row in client.query(&sql, &[]).await.map_err(failed)? {
            let (kind, name): (String, String) = (row.get(0), row.get(4));
            let Some(kind) = Kind::from_name(&kind) else {
                return Err(Error::new(ErrorKind::Internal, format!("'{kind}' is no kind")));
            };
            let id = Id::new(kind, name);
            let parent = match (row.get::<_, Option<String>>(5), row.get::<_, Option<String>>(6)) {
                (Some(kind), Some(name)) => Kind::from_name(&kind).map(|kind| Id::new(kind, name)),
                _ => None,
            };
            let facts: BTreeMap<String, Option<String>> =
                serde_json::from_str(&row.get::<_, String>(7)).map_err(|error| {
                    Error::new(ErrorKind::Internal, format!("facts of {id}: {error}"))
                })?;
            let facts = facts
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)))
                .filter(|(key, value)| !value.is_empty() && (owners || key != "owner"))
                .collect();
            places.insert((row.get(1), row.get(2), row.get(3)), id.clone());
            let implied = row.get(8);
            let object =
                Object { id: id.clone(), parent, facts, depends: BTreeSet::new(), implied };
            objects.insert(id, object);
        }
    }
    let mut aliases: HashMap<(u32, u32), Address> = HashMap::new();
    for row in client.query(queries::ALIASES, &[]).await.map_err(failed)? {
        aliases.insert((row.get(0), row.get(1)), (row.get(2), row.get(3), row.get(4)));
    }
    let find = |mut at: Address| -> Option<Id> {
        for _ in 0..5 {
            if let Some(id) = places.get(&at).or_else(|| places.get(&(at.0, at.1, 0))) {
                return Some(id.clone());
            }
            at = *aliases.get(&(at.0, at.1))?;
        }
        None
    };
    for row in client.query(queries::DEPENDS, &[]).await.map_err(failed)? {
        let (from, to) =
            ((row.get(0), row.get(1), row.get(2)), (row.get(3), row.get(4), row.get(5)));
        if let (Some(from), Some(to)) = (find(from), find(to))
            && from != to
            && let Some(object) = objects.get_mut(&from)
        {
            object.depends.insert(to);
        }
    }
    for object in objects.values_mut() {
        if let Some(parent) = object.parent.clone() {
            object.depends.insert(parent);
        }
        if object.id.kind == Kind::OwnedBy {
            object.depends.insert(Id::new(Kind::Sequence, object.id.name.clone()));
        }
        // A table's own parts are made with it or after it, never before.
        let own = object.id.clone();
        if matches!(own.kind, Kind::Table | Kind::Sequence) {
            object.depends.retain(|other| {
                !matches!(other.kind, Kind::Column | Kind::Default | Kind::OwnedBy)
                    || !other.name.starts_with(&format!("{}.", own.name))
            });
        }
        if own.kind == Kind::Sequence {
            // Ownership is an object of its own.
            object.depends.retain(|other| !matches!(other.kind, Kind::Column | Kind::Table));
        }
    }
    let mut others: BTreeMap<(String, String), String> = BTreeMap::new();
    for row in client.query(queries::OTHERS, &[]).await.map_err(failed)? {
        others.insert((row.get(0), row.get(1)), row.get(2));
    }
    client.batch_execute("COMMIT").await.map_err(failed)?;
    leave_histories(&mut objects);
    Ok(Model { objects, version: session.version(), others })
}

/// Takes out where tools keep what they have run: it is theirs, and no part of the schema.
fn leave_histories(objects: &mut BTreeMap<Id, Object>) {
    let is_history = |id: &Id| {
        let name = id.name.rsplit('.').next().unwrap_or_default().trim_matches('"');
        id.kind == Kind::Table && HISTORIES.contains(&name.to_lowercase().as_str())
    };
    let mut gone: BTreeSet<Id> = objects.keys().filter(|id| is_history(id)).cloned().collect();
    if gone.is_empty() {
        return;
    }
    // What belongs to them, however deep, and the sequences their columns own.
    loop {
        let before = gone.len();
        for object in objects.values() {
            if object.parent.as_ref().is_some_and(|parent| gone.contains(parent)) {
                gone.insert(object.id.clone());
                if object.id.kind == Kind::OwnedBy {
                    gone.insert(Id::new(Kind::Sequence, object.id.name.clone()));
                }
            }
        }
        if gone.len() == before {
            break;
        }
    }
    objects.retain(|id, _| !gone.contains(id));
    for object in objects.values_mut() {
        object.depends.retain(|id| !gone.contains(id));
    }
}
