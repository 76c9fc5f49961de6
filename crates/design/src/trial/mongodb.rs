use std::time::Instant;

use bson::{Bson, Document, RawDocumentBuf, doc};
use marula_core::model::AttributeType;
use marula_core::{Error, ErrorKind, Result};
use marula_mongodb::{ConnectSpec, Session, SessionOptions, shell};

use super::canonical::{Answer, NOTHING, json, moment, number};
use super::jobs::Job;
use super::postgres::kinds;
use super::subject::Subject;
use crate::mongodb::load::written;
use crate::mongodb::schema::{SchemaOptions, advice, schema};
use crate::mongodb::statement::{Asked, command};
use crate::mongodb::write::{Step, steps};
use crate::mongodb::{CopyRead, load};
use crate::question::{Question, start};
use crate::schema::{Schema, Stage};
use crate::search::Work;
use crate::structure::{Layout, Structure, WantedIndex};
use crate::synth::{Value, World};

/// How often a transaction that met another one is tried again.
const RETRIES: u32 = 20;

/// A structure as collections in a database of its own.
pub struct Mongodb<'w> {
    world: &'w World<'w>,
    work: &'w Work,
    structure: Structure,
    layout: Layout,
    spec: ConnectSpec,
    admin: Session,
    /// What made it.
    pub schema: Schema,
    /// The time to fill it and build its indexes, in milliseconds.
    pub filled_ms: f64,
}

/// A find or aggregate, or writes that are all done or none.
pub enum Prepared {
    /// A command whose documents are fetched.
    Ask(RawDocumentBuf),
    /// Writing commands.
    Do(Vec<Step>),
}

impl<'w> Mongodb<'w> {
    /// Makes the collections in an empty database, fills them and builds their indexes.
    ///
    /// # Errors
    /// What the server says.
    pub async fn build(
        world: &'w World<'w>,
        work: &'w Work,
        structure: Structure,
        wanted: &[WantedIndex],
        spec: ConnectSpec,
    ) -> Result<Self> {
        let admin = Session::open(&spec, &SessionOptions::lab()).await?;
        let layout = Layout::new(world.model, &structure);
        let options = SchemaOptions::of(&admin).await?;
        let mut schema = schema(world.model, &structure, &layout, wanted, &options);
        let advice = advice(world.model, &structure, &layout, &options);
        schema.notes.extend(advice.to_lines());
        let started = Instant::now();
        run_all(&admin, &schema, Stage::BeforeLoading).await?;
        load::fill(&admin, world, &structure, &layout).await?;
        run_all(&admin, &schema, Stage::AfterLoading).await?;
        let sync = admin.client().database("admin").run_command(doc! { "fsync": 1 }).await;
        sync.map_err(|failure| admin.map(failure))?;
        let filled_ms = started.elapsed().as_secs_f64() * 1000.0;
        Ok(Mongodb { world, work, structure, layout, spec, admin, schema, filled_ms })
    }

    fn question(&self, asked: usize) -> Question {
        self.work.asked[asked].question.of(self.world.model, &self.structure)
    }

    fn asked(&self, question: &Question, values: &[Value]) -> Result<Asked> {
        let node = start(self.world.model, &self.structure, &self.layout, question);
        command(self.world.model, &self.structure, &self.layout, question, node, values)
    }
}

impl Subject for Mongodb<'_> {
    type Connection = Session;
    type Prepared = Prepared;

    async fn connect(&self) -> Result<Session> {
        Session::open(&self.spec, &SessionOptions::lab()).await
    }

    fn prepare(&self, job: &Job) -> Result<Prepared> {
        match job {
            Job::Ask { asked, values } => {
                let asked = self.asked(&self.question(*asked), values)?;
                let raw = RawDocumentBuf::try_from(&asked.command);
                raw.map(Prepared::Ask)
                    .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
            }
            Job::Do(effects) => {
                let all = effects
                    .iter()
                    .flat_map(|effect| steps(self.world, &self.structure, &self.layout, effect));
                Ok(Prepared::Do(all.collect()))
            }
        }
    }

    fn text(&self, prepared: &Prepared) -> String {
        match prepared {
            Prepared::Ask(raw) => {
                Document::try_from(raw.as_ref()).map(|d| shown(&d)).unwrap_or_default()
            }
            Prepared::Do(steps) => {
                steps.iter().map(|step| shown(&step.command)).collect::<Vec<_>>().join("\n")
            }
        }
    }

    async fn perform(&self, session: &mut Session, prepared: &Prepared) -> Result<()> {
        match prepared {
            Prepared::Ask(command) => {
                let running = session.database().run_raw_cursor_command(command.clone());
                let mut cursor = running.await.map_err(|failure| session.map(failure))?;
                while cursor.advance().await.map_err(|failure| session.map(failure))? {}
                Ok(())
            }
            Prepared::Do(steps) => match steps.as_slice() {
                [] => Ok(()),
                [Step { copies, command }] if copies.is_empty() => {
                    let mut command = command.clone();
                    command.insert("writeConcern", doc! { "w": "majority", "j": true });
                    load::run(session, command).await.map(drop)
                }
                several => together(session, several).await,
            },
        }
    }

    async fn answer(
        &self,
        session: &mut Session,
        asked: usize,
        values: &[Value],
    ) -> Result<Answer> {
        let question = self.question(asked).decided(self.world.model);
        let asked = self.asked(&question, values)?;
        let raw = RawDocumentBuf::try_from(&asked.command)
            .map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))?;
        let mut cursor = session
            .database()
            .run_raw_cursor_command(raw)
            .await
            .map_err(|failure| session.map(failure))?;
        let kinds = kinds(self.world.model, &question);
        let mut answer = Answer { rows: Vec::new(), ordered: question.limit.is_some() };
        while cursor.advance().await.map_err(|failure| session.map(failure))? {
            let document = Document::try_from(cursor.current())
                .map_err(|e| Error::new(ErrorKind::Server, e.to_string()))?;
            for document in taken_apart(document, &asked.arrays) {
                let row = asked
                    .columns
                    .iter()
                    .zip(&kinds)
                    .map(|(path, kind)| text(*kind, at(&document, path)));
                answer.rows.push(row.collect());
            }
        }
        // Of no rows the server gives no group; SQL gives one.
        if question.groups() && question.group.is_empty() && answer.rows.is_empty() {
            let empty = question.aggregates.iter().map(|aggregate| match aggregate.function {
                marula_core::model::AggregateFunction::Count => number("0"),
                _ => NOTHING.to_owned(),
            });
            answer.rows.push(empty.collect());
        }
        Ok(answer)
    }

    async fn bytes(&self) -> Result<u64> {
        let stats = self
            .admin
            .database()
            .run_command(doc! { "dbStats": 1 })
            .await
            .map_err(|f| self.admin.map(f))?;
        let number = |name: &str| match stats.get(name) {
            Some(Bson::Double(number)) => *number as u64,
            Some(Bson::Int64(number)) => *number as u64,
            Some(Bson::Int32(number)) => *number as u64,
            _ => 0,
        };
        Ok(number("storageSize") + number("indexSize"))
    }
}

async fn run_all(session: &Session, schema: &Schema, stage: Stage) -> Result<()> {
    for text in schema.statements(stage) {
        let command = shell::parse(text)?.to_command();
        load::run(session, command).await.map_err(|error| error.at(text.to_owned()))?;
    }
    Ok(())
}

/// Several writes, all done or none; tried again when another transaction was in the way.
async fn together(session: &Session, steps: &[Step]) -> Result<()> {
    let mut tries = 0;
    loop {
        let mut transaction = session.client().start_session().await.map_err(|f| session.map(f))?;
        let begun = transaction.start_transaction().write_concern(durable()).await;
        begun.map_err(|failure| session.map(failure))?;
        let mut done = Ok(());
        for step in steps {
            done = match sent(session, &mut transaction, step).await {
                Ok(reply) => match written(&reply) {
                    Ok(()) => Ok(()),
                    Err(error) => return abort(session, &mut transaction, error).await,
                },
                Err(failure) => Err(failure),
            };
            if done.is_err() {
                break;
            }
        }
        if done.is_ok() {
            done = transaction.commit_transaction().await;
        }
        match done {
            Ok(()) => return Ok(()),
            Err(failure)
                if failure.contains_label("TransientTransactionError") && tries < RETRIES =>
            {
                let _ = transaction.abort_transaction().await;
                tries += 1;
            }
            Err(failure) => {
                let _ = transaction.abort_transaction().await;
                return Err(session.map(failure));
            }
        }
    }
}

/// Reads what a step copies, and sends it.
async fn sent(
    session: &Session,
    transaction: &mut mongodb::ClientSession,
    step: &Step,
) -> mongodb::error::Result<Document> {
    let mut command = step.command.clone();
    let mut collections: Vec<&str> =
        step.copies.iter().map(|copy| copy.collection.as_str()).collect();
    collections.sort_unstable();
    collections.dedup();
    for name in collections {
        // One find for all that is copied from a collection.
        let copies = || step.copies.iter().filter(|copy| copy.collection == name);
        let any: Vec<Document> = copies().map(|copy| copy.filter.clone()).collect();
        let filter = match any.as_slice() {
            [one] => one.clone(),
            _ if any.iter().all(|filter| filter.len() == 1 && filter.contains_key("_id")) => {
                let ids: Vec<Bson> =
                    any.iter().filter_map(|filter| filter.get("_id").cloned()).collect();
                doc! { "_id": { "$in": ids } }
            }
            _ => doc! { "$or": any },
        };
        let collection = session.database().collection::<Document>(name);
        let mut cursor = collection.find(filter).session(&mut *transaction).await?;
        while let Some(found) = cursor.next(&mut *transaction).await.transpose()? {
            let is_it = |copy: &&CopyRead| {
                copy.filter.iter().all(|(field, value)| found.get(field) == Some(value))
            };
            for copy in copies().filter(is_it) {
                set(&mut command, &copy.into, found.get(&copy.field).cloned());
            }
        }
    }
    session.database().run_command(command).session(transaction).await
}

/// Sets or removes what is at a path of fields and places in arrays.
fn set(document: &mut Document, path: &str, value: Option<Bson>) {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if rest.is_empty() {
        match value {
            Some(value) => drop(document.insert(first, value)),
            None => drop(document.remove(first)),
        }
        return;
    }
    match document.get_mut(first) {
        Some(Bson::Document(inner)) => set(inner, rest, value),
        Some(Bson::Array(elements)) => {
            let (at, rest) = rest.split_once('.').unwrap_or((rest, ""));
            let element = at.parse().ok().and_then(|at: usize| elements.get_mut(at));
            if let Some(Bson::Document(inner)) = element {
                set(inner, rest, value);
            }
        }
        _ => {}
    }
}

async fn abort(
    session: &Session,
    transaction: &mut mongodb::ClientSession,
    error: Error,
) -> Result<()> {
    transaction.abort_transaction().await.map_err(|failure| session.map(failure))?;
    Err(error)
}

fn durable() -> mongodb::options::WriteConcern {
    let mut concern = mongodb::options::WriteConcern::majority();
    concern.journal = Some(true);
    concern
}

/// A document for each element of its arrays; one without elements gives none, as a join would.
fn taken_apart(document: Document, arrays: &[String]) -> Vec<Document> {
    let Some((path, rest)) = arrays.split_first() else { return vec![document] };
    let elements = match at(&document, path) {
        Some(Bson::Array(elements)) => elements.clone(),
        _ => return Vec::new(),
    };
    let each = elements.into_iter().map(|element| {
        let mut one = document.clone();
        put(&mut one, path, element);
        one
    });
    each.flat_map(|one| taken_apart(one, rest)).collect()
}

fn at<'d>(document: &'d Document, path: &str) -> Option<&'d Bson> {
    let (first, rest) =
        path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = document.get(first)?;
    match rest {
        None => Some(value),
        Some(rest) => at(value.as_document()?, rest),
    }
}

fn put(document: &mut Document, path: &str, value: Bson) {
    match path.split_once('.') {
        None => drop(document.insert(path, value)),
        Some((first, rest)) => {
            if let Some(Bson::Document(inner)) = document.get_mut(first) {
                put(inner, rest, value);
            }
        }
    }
}

/// A value in the form that is the same for both engines.
fn text(kind: AttributeType, value: Option<&Bson>) -> String {
    let Some(value) = value.filter(|value| **value != Bson::Null) else {
        return NOTHING.to_owned();
    };
    match (kind, value) {
        (_, Bson::Int32(value)) => number(&value.to_string()),
        (AttributeType::Duration, _) => "there".into(),
        (_, Bson::Int64(value)) => number(&value.to_string()),
        (_, Bson::Double(value)) => number(&value.to_string()),
        (_, Bson::Decimal128(value)) => number(&value.to_string()),
        (_, Bson::Boolean(value)) => value.to_string(),
        (AttributeType::Time, Bson::String(_)) => "there".into(),
        (_, Bson::String(value)) => value.clone(),
        (AttributeType::Date, Bson::DateTime(value)) => {
            moment(value.timestamp_millis())[..10].to_owned()
        }
        (_, Bson::DateTime(value)) => moment(value.timestamp_millis()),
        (AttributeType::Uuid | AttributeType::UuidV7, Bson::Binary(binary)) => {
            let bytes: [u8; 16] = binary.bytes.as_slice().try_into().unwrap_or_default();
            Value::Uuid(bytes).to_text().unwrap_or_default()
        }
        (AttributeType::Json, value) => json(&value.clone().into_relaxed_extjson().to_string()),
        _ => "there".into(),
    }
}

/// A command as JSON a person can read.
fn shown(command: &Document) -> String {
    let json = Bson::Document(command.clone()).into_relaxed_extjson();
    serde_json::to_string(&json).unwrap_or_default()
}
