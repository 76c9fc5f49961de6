mod append;
mod rows;
mod transaction;

use std::time::Instant;

use bson::{Bson, Document, RawDocumentBuf, doc};
use marula_core::{Error, ErrorKind, Result, SetAside};
use marula_mongodb::{ConnectSpec, Session, SessionOptions, shell};

use super::canonical::{Answer, NOTHING, number};
use super::entrants::Built;
use super::failing::constraint;
use super::jobs::Job;
use super::postgres::kinds;
use super::subject::Subject;
use crate::mongodb::load;
use crate::mongodb::schema::{SchemaOptions, advice, schema};
use crate::mongodb::statement::{Asked, command};
use crate::mongodb::write::{Step, steps};
use crate::question::{Question, start};
use crate::schema::{Schema, Stage};
use crate::search::Work;
use crate::structure::{Layout, Store, Structure, WantedIndex};
use crate::synth::{Value, World};
use rows::{at, taken_apart, text};
use transaction::{is_none, together};

/// A structure as collections in a database of its own.
pub struct Mongodb<'w> {
    world: &'w World<'w>,
    work: &'w Work,
    structure: Structure,
    layout: Layout,
    spec: ConnectSpec,
    admin: Session,
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
    ) -> Result<(Self, Built)> {
        let admin = Session::open(&spec, &SessionOptions::lab()).await?;
        let layout = Layout::new(world.model, &structure);
        let options = SchemaOptions::of(&admin).await?;
        let mut schema = schema(world.model, &structure, &layout, wanted, &options);
        let advice = advice(world.model, &structure, &layout, &options);
        schema.notes.extend(advice.to_lines());
        let started = Instant::now();
        let mut set_aside = Vec::new();
        run_all(&admin, &schema, Stage::BeforeLoading, &mut set_aside).await?;
        for store in &layout.stores {
            fill(&admin, world, &structure, store, &mut set_aside).await?;
        }
        run_all(&admin, &schema, Stage::AfterLoading, &mut set_aside).await?;
        let sync = admin.client().database("admin").run_command(doc! { "fsync": 1 }).await;
        sync.map_err(|failure| admin.map(failure))?;
        let filled_ms = started.elapsed().as_secs_f64() * 1000.0;
        let subject = Mongodb { world, work, structure, layout, spec, admin };
        Ok((subject, Built { schema, set_aside, filled_ms }))
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
                let read = |step: &Step| {
                    let refill = step.refill.as_ref()?;
                    let (from, stages) = (&refill.collection, &refill.pipeline);
                    let read = doc! { "aggregate": from, "pipeline": stages, "cursor": {} };
                    Some(shown(&read))
                };
                let lines = steps
                    .iter()
                    .flat_map(|step| read(step).into_iter().chain([shown(&step.command)]));
                lines.collect::<Vec<_>>().join("\n")
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
                [step @ Step { copies, refill: None, append, command }] if copies.is_empty() => {
                    let mut command = command.clone();
                    command.insert("writeConcern", doc! { "w": "majority", "j": true });
                    let reply = load::run(session, command).await?;
                    // Nothing was found to add to: that takes a transaction.
                    if append.is_some() && is_none(&reply) {
                        return together(session, std::slice::from_ref(step)).await;
                    }
                    Ok(())
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
        if let Some(first) = asked.first {
            answer.rows.truncate(first as usize);
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

/// Runs the commands of a stage. A unique index that the documents break is set aside.
async fn run_all(
    session: &Session,
    schema: &Schema,
    stage: Stage,
    aside: &mut Vec<SetAside>,
) -> Result<()> {
    for piece in schema.pieces.iter().filter(|piece| piece.stage == stage) {
        for text in &piece.statements {
            let mut command = shell::parse(text)?.to_command();
            match load::run(session, command.clone()).await {
                Ok(_) => {}
                Err(error) if error.server_code() == Some("DuplicateKey") => {
                    aside.push(constraint(piece.object.clone(), &error));
                    // What is looked up by it is still looked up by it.
                    let indexes = command.get_array_mut("indexes").into_iter().flatten();
                    for index in indexes.filter_map(Bson::as_document_mut) {
                        index.remove("unique");
                    }
                    load::run(session, command).await?;
                }
                Err(error) => return Err(error.at(text.to_owned())),
            }
        }
    }
    Ok(())
}

/// Fills a collection. A validator that the generated documents break is set aside.
async fn fill(
    session: &Session,
    world: &World<'_>,
    structure: &Structure,
    store: &Store,
    aside: &mut Vec<SetAside>,
) -> Result<()> {
    let filled = load::collection(session, world, structure, store).await;
    let Err(error) = filled else { return Ok(()) };
    if error.server_code() != Some(load::INVALID) {
        return Err(error);
    }
    let name = &store.entity;
    load::run(session, doc! { "delete": name, "deletes": [ { "q": {}, "limit": 0 } ] }).await?;
    load::run(session, doc! { "collMod": name, "validationLevel": "off" }).await?;
    aside.push(constraint(format!("the validator of {name}"), &error));
    load::collection(session, world, structure, store).await
}

/// A command as JSON a person can read.
fn shown(command: &Document) -> String {
    let json = Bson::Document(command.clone()).into_relaxed_extjson();
    serde_json::to_string(&json).unwrap_or_default()
}
