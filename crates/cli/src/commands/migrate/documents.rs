//! `marula migrate` commands that write migrations for MongoDB, in their safe form.

use marula_core::{Collection, Engine, Error, ErrorKind, Result, nearest};
use marula_migrate::mongodb::generate;
use marula_migrate::mongodb::special::Special;
use marula_migrate::mongodb::validator as own;
use marula_mongodb::catalog::{self, Scope};
use serde_json::{Value, json};

use super::generate::{For, one, several, what_for};
use crate::app::{App, Outcome, read_input};
use crate::args::{
    Droppable, MigrateAddField, MigrateAddIndex, MigrateBackfill, MigrateChangeType, MigrateDrop,
    MigrateRename, MigrateShardKeyField, MigrateValidator,
};

/// A field of a collection.
struct Field {
    collection: String,
    field: String,
    /// What the reader should know of how the name was read.
    note: Option<String>,
}

/// What a name means: the collection up to a dot, the field behind it. Without a target the first
/// dot parts the two; the target knows which collections have dots in their names, and they come
/// first. The collection's documents must be such that a migration can change them.
async fn field(given: &For, name: &str) -> Result<Field> {
    let inside = |at: &usize| *at > 0 && *at + 1 < name.len();
    let dots: Vec<usize> = name.match_indices('.').map(|(at, _)| at).filter(inside).collect();
    let cut = |at: usize, note| Field {
        collection: name[..at].to_string(),
        field: name[at + 1..].to_string(),
        note,
    };
    let Some(first) = dots.first() else { return Err(no_field(name)) };
    let Some(session) = given.mongodb() else { return Ok(cut(*first, None)) };
    let names = catalog::names(session).await?;
    let there: Vec<usize> = dots
        .iter()
        .rev()
        .copied()
        .filter(|at| names.iter().any(|known| *known == name[..*at]))
        .collect();
    let found = match there.as_slice() {
        [] if names.iter().any(|known| known == name) => return Err(no_field(name)),
        [] => {
            let known = || names.iter().map(String::as_str);
            let near = dots.iter().rev().find(|at| !nearest(&name[..**at], known()).is_empty());
            let meant = &name[..*near.unwrap_or(first)];
            return Err(catalog::unknown_collection(session, meant, known()));
        }
        [at] => cut(*at, None),
        [at, other, ..] => {
            let (meant, of) = (&name[*at + 1..], &name[..*at]);
            let note = format!(
                "{meant} of the collection {of} is meant, and not {} of {}",
                &name[*other + 1..],
                &name[..*other]
            );
            cut(*at, Some(note))
        }
    };
    writable(given, &found.collection).await?;
    Ok(found)
}

fn no_field(name: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("'{name}' names no field of a collection"))
        .hint("write it like users.status, or users.address.city for a field inside a document")
}

/// A collection as the target has it, when one is named.
async fn collection(given: &For, name: &str) -> Result<Option<Collection>> {
    let Some(session) = given.mongodb() else { return Ok(None) };
    let wanted = [name.to_string()];
    let read = catalog::read(session, Scope::Collections(&wanted), None).await?;
    Ok(read.collections.into_iter().next())
}

/// Refuses a collection that the target does not have, or whose documents no migration changes.
async fn writable(given: &For, name: &str) -> Result<()> {
    let known = collection(given, name).await?;
    match known.as_ref().and_then(Special::of) {
        Some(special) => Err(special.refusal(name)),
        None => Ok(()),
    }
}

/// Refuses a collection that the target does not have, or that shows another's documents.
async fn stored(given: &For, name: &str) -> Result<Option<Collection>> {
    let known = collection(given, name).await?;
    match known.as_ref().and_then(Special::of) {
        Some(Special::View) => Err(Special::View.refusal(name)),
        _ => Ok(known),
    }
}

/// An index.
pub async fn add_index(app: &App, args: &MigrateAddIndex, given: &For) -> Result<Outcome> {
    let text = generate::add_index(&args.table, &args.columns, args.unique)?;
    stored(given, &args.table).await?;
    let name = format!("add_index_{}_{}", args.table, args.columns.join("_"));
    one(app, &args.file, given.engine, &name, text)
}

/// A field for all documents.
pub async fn add_field(app: &App, args: &MigrateAddField, given: &For) -> Result<Outcome> {
    let Some(default) = &args.default else {
        return Err(Error::new(ErrorKind::Usage, "documents get a field with a value only")
            .hint("give the value with --default"));
    };
    let found = field(given, &args.field).await?;
    let text = generate::add_field(&found.collection, &found.field, &value(default))?;
    let notes = found.note.into_iter().chain([generate::ADDED.to_string()]).collect();
    let name = format!("add_{}_to_{}", found.field, found.collection);
    several(app, &args.file, given.engine, &name, vec![("", text)], notes)
}

/// Another name for a field.
pub async fn rename(app: &App, args: &MigrateRename, given: &For) -> Result<Outcome> {
    let found = match field(given, &args.what).await {
        Err(error) if error.kind() == ErrorKind::Usage => {
            return Err(error.hint(format!(
                "a collection gets another name at one stroke, and what uses the old one fails from \
                 then on: marula migrate new NAME, and in it {{\"renameCollection\": \
                 \"DATABASE.{}\", \"to\": \"DATABASE.{}\"}}",
                args.what, args.new
            )));
        }
        found => found?,
    };
    let steps = generate::rename_field(&found.collection, &found.field, &args.new)?;
    let notes = found.note.into_iter().chain(generate::RENAMED.map(str::to_owned)).collect();
    let name = format!("rename_{}", args.what);
    several(app, &args.file, given.engine, &name, steps, notes)
}

/// Another type for a field's values.
pub async fn change_type(app: &App, args: &MigrateChangeType, given: &For) -> Result<Outcome> {
    let flags = [("--using", &args.using), ("--back", &args.back)];
    if let Some((flag, _)) = flags.iter().find(|(_, said)| said.is_some()) {
        let what = format!("{flag} is for PostgreSQL: on MongoDB values are converted by $convert");
        return Err(Error::new(ErrorKind::Unsupported, what).hint(
            "for an expression of your own: marula migrate backfill COLLECTION --set '[{\"$set\": \
             {\"FIELD\": …}}]' --where '{…}'",
        ));
    }
    let found = field(given, &args.column).await?;
    let steps = generate::change_type(&found.collection, &found.field, &args.data_type)?;
    let notes = found.note.into_iter().chain([generate::RETYPED.to_string()]).collect();
    let name = format!("{}_{}_type", found.collection, found.field);
    several(app, &args.file, given.engine, &name, steps, notes)
}

/// Something goes.
pub async fn drop(app: &App, args: &MigrateDrop, given: &For) -> Result<Outcome> {
    let mut notes = Vec::new();
    let steps = match args.kind {
        Droppable::Table => {
            collection(given, &args.name).await?;
            vec![("drop", generate::drop_collection(&args.name))]
        }
        Droppable::Column => {
            let found = field(given, &args.name).await?;
            notes.extend(found.note);
            vec![("drop", generate::drop_field(&found.collection, &found.field)?)]
        }
        Droppable::Index => {
            let (of, index, known) = index(given, &args.name).await?;
            generate::drop_index(&of, &index, known.as_ref())?
        }
        Droppable::Constraint => {
            return Err(Error::new(ErrorKind::Unsupported, "MongoDB has no constraints")
                .hint("a validator says what documents must be like"));
        }
    };
    several(app, &args.file, given.engine, &format!("drop_{}", args.name), steps, notes)
}

/// The collection and the index of a name. Both may have dots: what the target has is meant.
async fn index(given: &For, name: &str) -> Result<(String, String, Option<Collection>)> {
    let dots: Vec<usize> = name.match_indices('.').map(|(at, _)| at).collect();
    let cut = |at: usize| (name[..at].to_string(), name[at + 1..].to_string());
    let Some(first) = dots.first().copied().filter(|at| *at > 0 && at + 1 < name.len()) else {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("'{name}' names no index of a collection"),
        )
        .hint("write it like users.status_1"));
    };
    let Some(session) = given.mongodb() else {
        let (of, index) = cut(first);
        return Ok((of, index, None));
    };
    let names = catalog::names(session).await?;
    let mut last = None;
    for at in dots.into_iter().rev() {
        let (of, index) = cut(at);
        if !names.contains(&of) {
            continue;
        }
        let known = stored(given, &of).await?;
        let has = known.iter().any(|known| known.indexes.iter().any(|one| one.name == index));
        last = Some((of, index, known));
        if has {
            break;
        }
    }
    // Of one that has no such index it is told which it has.
    let known = names.iter().map(String::as_str);
    last.ok_or_else(|| catalog::unknown_collection(session, &name[..first], known))
}

/// Documents brought up to date in batches.
pub async fn backfill(app: &App, args: &MigrateBackfill, given: &For) -> Result<Outcome> {
    let filter = args.condition.as_deref().map_or(Ok(json!({})), document)?;
    let update = document(&args.set.join(" "))?;
    writable(given, &args.table).await?;
    let text = generate::backfill(&args.table, &filter, &update, args.batch);
    one(app, &args.file, given.engine, &format!("backfill_{}", args.table), text)
}

/// A validator, in two steps.
pub async fn validator(app: &App, args: &MigrateValidator) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    if given.engine == Engine::Postgres
        && (args.file.engine.is_some() || args.file.target.is_some())
    {
        return Err(Error::new(ErrorKind::Unsupported, "PostgreSQL has no validators")
            .hint("use marula migrate add-constraint"));
    }
    let text = match args.validator.strip_prefix('@') {
        Some(path) => read_input(path)?,
        None => args.validator.clone(),
    };
    let mut value = document(&text)?;
    let plain = value.get("properties").is_some() || value.get("bsonType").is_some();
    if plain || value.get("required").is_some() {
        value = json!({ "$jsonSchema": value });
    }
    stored(&given, &args.collection).await?;
    let (before, note) = match given.mongodb() {
        Some(session) => validated(session, &args.collection, &value).await?,
        None => (
            None,
            Some("the way back leaves no validator: with --target it is the one there is".into()),
        ),
    };
    let steps = generate::validator(&args.collection, &value, before.as_ref());
    let name = format!("validate_{}", args.collection);
    several(app, &args.file, Engine::Mongodb, &name, steps, note.into_iter().collect())
}

/// A collection's validator as it is, and how many of its documents the new one would refuse.
async fn validated(
    session: &marula_mongodb::Session,
    collection: &str,
    validator: &Value,
) -> Result<(Option<Value>, Option<String>)> {
    let found = own::of(session, collection).await?;
    let refused = own::refused(session, collection, validator).await?;
    let note = (refused > 0).then(|| {
        format!(
            "{refused} documents of {collection} do not pass: the second migration refuses to run \
             till they are mended"
        )
    });
    Ok((found, note))
}

/// A field for a shard key.
pub async fn shard_key_field(app: &App, args: &MigrateShardKeyField) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    if given.engine == Engine::Postgres
        && (args.file.engine.is_some() || args.file.target.is_some())
    {
        return Err(Error::new(ErrorKind::Unsupported, "PostgreSQL has no shard keys")
            .hint("see marula migrate add-field"));
    }
    let Field { collection, field, note } = field(&given, &args.field).await?;
    let steps = generate::shard_key_field(&collection, &field, &value(&args.value), &args.key)?;
    let key = args.key.iter().map(|part| format!("{part}: 1")).collect::<Vec<_>>().join(", ");
    let then = format!(
        "then, through a mongos: sh.shardCollection(\"DB.{collection}\", {{{key}}}), or for a sharded \
         collection refineCollectionShardKey (4.4+) or reshardCollection (5.0+)"
    );
    let notes = note.into_iter().chain([generate::ADDED.to_string(), then]).collect();
    let name = format!("shard_key_{collection}_{field}");
    several(app, &args.file, Engine::Mongodb, &name, steps, notes)
}

/// A value as JSON, or the text itself.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_string()))
}

fn document(text: &str) -> Result<Value> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Syntax, format!("this is not JSON: {error}"))
            .at(text.to_string())
            .hint("write a document such as '{\"status\": \"active\"}'")
    })?;
    if value.is_object() || value.is_array() {
        return Ok(value);
    }
    Err(Error::new(ErrorKind::Syntax, "this is no document")
        .at(text.to_string())
        .hint("write one such as '{\"status\": \"active\"}'"))
}
