//! What clients do while a migration runs, made up from the collections.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use marula_core::{Engine, Error, ErrorKind, LoadOperation, Result, Workload};
use marula_mongodb::{Session, shell};

/// Keys that clients go through.
const KEYS: i64 = 400;
/// The field that clients write; it is taken out at the end.
pub(super) const MARK: &str = "marula_load";

/// What one operation sends.
#[derive(Debug, Clone)]
enum Form {
    /// A read of the document with each of these keys.
    Read(Arc<Vec<Bson>>),
    /// An update of it: operators, or stages.
    Update(Arc<Vec<Bson>>, Bson),
    /// A document like this one, with another key and other values in these fields.
    Insert(Arc<Document>, Arc<Vec<String>>),
    /// A command as it is.
    Command(Arc<Document>),
}

/// One sort of operation.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    /// What it is called.
    pub about: LoadOperation,
    /// How many clients in ten do it.
    pub weight: u32,
    form: Form,
    fresh: Arc<AtomicI64>,
}

/// The whole load.
#[derive(Debug, Clone, Default)]
pub(super) struct Load {
    /// What clients do.
    pub kinds: Vec<Kind>,
    /// The collections that standing transactions read, each with a key of theirs alone.
    pub stands: Vec<(String, Option<Bson>)>,
    /// What cannot be done, and why.
    pub notes: Vec<String>,
}

impl Kind {
    /// Whether it writes.
    pub(super) fn writes(&self) -> bool {
        match &self.form {
            Form::Read(_) => false,
            Form::Update(..) | Form::Insert(..) => true,
            Form::Command(command) => !["find", "aggregate", "count", "distinct"]
                .iter()
                .any(|name| command.contains_key(name)),
        }
    }

    /// Whether it changes documents that are there.
    pub(super) fn updates(&self) -> bool {
        match &self.form {
            Form::Read(_) | Form::Insert(..) => false,
            Form::Update(..) => true,
            Form::Command(command) => {
                let changing = ["update", "delete", "findAndModify"];
                changing.iter().any(|name| command.contains_key(name))
            }
        }
    }

    /// What is sent this time, and the key of the document it makes.
    pub(super) fn command(&self, turn: usize) -> (Document, Option<Bson>) {
        let name = self.about.object.as_str();
        let key = |keys: &[Bson]| keys.get(turn % keys.len().max(1)).cloned().unwrap_or(Bson::Null);
        match &self.form {
            Form::Read(keys) => {
                let filter = doc! { "_id": key(keys) };
                (doc! { "find": name, "filter": filter, "limit": 1, "singleBatch": true }, None)
            }
            Form::Update(keys, update) => {
                let update = match update {
                    Bson::Null => {
                        let number = self.fresh.fetch_add(1, Ordering::Relaxed);
                        Bson::Document(doc! { "$set": { MARK: number } })
                    }
                    other => other.clone(),
                };
                let one = doc! { "q": { "_id": key(keys) }, "u": update };
                (doc! { "update": name, "updates": [one] }, None)
            }
            Form::Insert(like, fields) => {
                let mut made = (**like).clone();
                let number = self.fresh.fetch_add(1, Ordering::Relaxed);
                let id = Bson::ObjectId(ObjectId::new());
                made.insert("_id", id.clone());
                for field in fields.iter() {
                    let other = match made.get(field) {
                        Some(Bson::String(text)) => Bson::String(format!("{text}~{number}")),
                        Some(Bson::ObjectId(_)) => Bson::ObjectId(ObjectId::new()),
                        _ => Bson::Int64(number),
                    };
                    made.insert(field, other);
                }
                (doc! { "insert": name, "documents": [made] }, Some(id))
            }
            Form::Command(command) => ((**command).clone(), None),
        }
    }
}

/// Reads by key, updates and inserts on each of the collections.
pub(super) async fn mix(session: &Session, touched: &[String]) -> Result<Load> {
    let mut load = Load::default();
    for name in touched {
        let collection = session.database().collection::<Document>(name);
        let Ok(found) = collection.find(doc! {}).limit(KEYS).await else { continue };
        let documents: Vec<Document> = found.try_collect().await.unwrap_or_default();
        let keys: Vec<Bson> = documents.iter().filter_map(|d| d.get("_id").cloned()).collect();
        let (Some(first), Some(like)) = (keys.first().cloned(), documents.first()) else {
            load.notes.push(format!("no client works on {name}: it is empty"));
            continue;
        };
        // The first key is the standing writer's alone: nobody queues behind it by design.
        let others = Arc::new(if keys.len() > 1 { keys[1..].to_vec() } else { keys });
        load.stands.push((name.clone(), Some(first)));
        let start = 1_000_000_000 + i64::from(rand::random::<u16>()) * 1_000_000;
        let kind = |what: &str, form: Form, statement: String, weight: u32| Kind {
            about: LoadOperation { name: what.into(), object: name.clone(), statement },
            weight,
            form,
            fresh: Arc::new(AtomicI64::new(start)),
        };
        let read = format!("db.{name}.findOne({{_id: …}})");
        load.kinds.push(kind("read", Form::Read(others.clone()), read, 5));
        let marked = format!("db.{name}.updateOne({{_id: …}}, {{$set: {{{MARK}: …}}}})");
        let mut update = kind("update", Form::Update(others.clone(), Bson::Null), marked, 3);
        if trial(session, &update).await.is_err() {
            // A validator that allows no other field: a field is written as it is.
            let field = like.keys().find(|key| *key != "_id").cloned().unwrap_or_default();
            let same =
                Bson::Array(vec![Bson::Document(doc! { "$set": { &field: format!("${field}") } })]);
            let text =
                format!("db.{name}.updateOne({{_id: …}}, [{{$set: {{{field}: '${field}'}}}}])");
            update = kind("update", Form::Update(others, same), text, 3);
        }
        let mut fields = Vec::new();
        if let Ok(mut indexes) = collection.list_indexes().await {
            while let Ok(Some(index)) = indexes.try_next().await {
                let unique = index.options.as_ref().and_then(|o| o.unique).unwrap_or(false);
                fields.extend(index.keys.keys().next().filter(|_| unique).cloned());
            }
        }
        let fields = Arc::new(fields);
        let text = format!("db.{name}.insertOne(…)");
        let insert = kind("insert", Form::Insert(Arc::new(like.clone()), fields), text, 2);
        for kind in [update, insert] {
            match trial(session, &kind).await {
                Ok(()) => load.kinds.push(kind),
                Err(why) => load
                    .notes
                    .push(format!("no client does the {} on {name}: {why}", kind.about.name)),
            }
        }
    }
    Ok(load)
}

/// Runs it once; what it makes is taken out.
async fn trial(session: &Session, kind: &Kind) -> Result<()> {
    let (command, made) = kind.command(0);
    let done = send(session, command).await;
    if let Some(id) = made {
        let collection = session.database().collection::<Document>(&kind.about.object);
        let _ = collection.delete_one(doc! { "_id": id }).await;
    }
    done.map_err(|what| Error::new(ErrorKind::Server, what))
}

/// Sends a command; the server's complaint, also one about a single write.
pub(super) async fn send(session: &Session, command: Document) -> Result<(), String> {
    let reply = session.database().run_command(command).await;
    let reply = reply.map_err(|error| session.map(error).to_string())?;
    let first = reply.get_array("writeErrors").ok().and_then(|all| all.first()?.as_document());
    match first {
        Some(error) => Err(error.get_str("errmsg").unwrap_or("a write failed").to_owned()),
        None => Ok(()),
    }
}

/// A given workload as a load: what reads in it, since what writes cannot be taken back.
///
/// # Errors
/// `Usage` when it is of the other engine, or none of it runs.
pub(super) async fn given(session: &Session, given: &Workload, touched: &[String]) -> Result<Load> {
    if given.engine != Engine::Mongodb {
        let what = format!("the workload is of {}, the migration is not", given.engine.title());
        return Err(
            Error::new(ErrorKind::Usage, what).hint("give a workload of the migration's engine")
        );
    }
    let mut load = Load::default();
    let mut left_out = BTreeSet::new();
    let most = given.statements.iter().map(|one| one.calls).max().unwrap_or(1).max(1);
    for (at, one) in given.statements.iter().take(50).enumerate() {
        let parsed = shell::parse(&one.statement.text);
        let command = parsed.and_then(|command| {
            marula_mongodb::guard::check(&command)?;
            let (object, command) = (command.collection.clone(), command.to_command());
            let reads = ["find", "aggregate", "count", "distinct"];
            match reads.iter().any(|name| command.contains_key(name)) {
                true => Ok((object, command)),
                false => Err(Error::new(
                    ErrorKind::Refused,
                    "what writes takes no part, since it cannot be taken back",
                )),
            }
        });
        match command {
            Ok((object, command)) => {
                let text = one.statement.text.clone();
                let name = format!("statement {}", at + 1);
                let kind = Kind {
                    about: LoadOperation { name, object, statement: text },
                    weight: u32::try_from((one.calls * 10).div_ceil(most)).unwrap_or(1),
                    form: Form::Command(Arc::new(command)),
                    fresh: Arc::default(),
                };
                match trial(session, &kind).await {
                    Ok(()) => load.kinds.push(kind),
                    Err(error) => drop(left_out.insert(error.to_string())),
                }
            }
            Err(error) => drop(left_out.insert(error.to_string())),
        }
    }
    load.stands = mix(session, touched).await?.stands;
    if load.kinds.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "no statement of the workload runs on the copy")
            .hint("leave --workload out for the default mix"));
    }
    if let Some(first) = left_out.first() {
        load.notes.push(format!("not all statements of the workload take part: {first}"));
    }
    Ok(load)
}
