use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use futures_util::TryStreamExt;
use marula_core::model::{AttributeType, Model};
use marula_core::{Error, Parameter, ParameterOrigin, Result, SetAside, Statement};
use marula_postgres::sql::quote_ident;
use marula_postgres::{ConnectSpec, Session, SessionOptions, TextValue, from_server, run};
use tokio_postgres::types::ToSql;

use super::canonical::{Answer, from_text};
use super::entrants::Built;
use super::failing::constraint;
use super::jobs::Job;
use super::subject::Subject;
use crate::postgres::schema::{SchemaOptions, schema};
use crate::postgres::{load, statement, write};
use crate::question::Question;
use crate::schema::{Schema, Stage};
use crate::search::Work;
use crate::structure::{Layout, Store, Structure, WantedIndex};
use crate::synth::{Value, World};

/// A structure as tables in a database of its own.
pub struct Postgres<'w> {
    world: &'w World<'w>,
    work: &'w Work,
    structure: Structure,
    layout: Layout,
    options: SchemaOptions,
    spec: ConnectSpec,
    admin: Session,
}

/// A session and the statements it has prepared.
pub struct Connection {
    session: Session,
    prepared: HashMap<Arc<str>, tokio_postgres::Statement>,
}

/// Statements with their parameters, all of them or none.
pub struct Prepared {
    statements: Vec<(Arc<str>, Vec<Option<String>>)>,
}

impl<'w> Postgres<'w> {
    /// Makes the tables in an empty database, fills them and builds their indexes.
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
        let admin = open(&spec).await?;
        let layout = Layout::new(world.model, &structure);
        let options = SchemaOptions::of(&admin).await?;
        let schema = schema(world.model, &structure, &layout, wanted, &options);
        let started = Instant::now();
        let mut set_aside = Vec::new();
        run_all(&admin, &schema, Stage::BeforeLoading, &mut set_aside).await?;
        for store in &layout.stores {
            fill(&admin, world, &structure, &options, store, &mut set_aside).await?;
        }
        run_all(&admin, &schema, Stage::AfterLoading, &mut set_aside).await?;
        execute(&admin, "VACUUM (ANALYZE)").await?;
        execute(&admin, "CHECKPOINT").await?;
        let filled_ms = started.elapsed().as_secs_f64() * 1000.0;
        let subject = Postgres { world, work, structure, layout, options, spec, admin };
        Ok((subject, Built { schema, set_aside, filled_ms }))
    }

    fn question(&self, asked: usize) -> Question {
        self.work.asked[asked].question.of(self.world.model, &self.structure)
    }

    fn select(&self, question: &Question) -> String {
        statement::select(self.world.model, &self.structure, &self.layout, question)
    }
}

impl Subject for Postgres<'_> {
    type Connection = Connection;
    type Prepared = Prepared;

    async fn connect(&self) -> Result<Connection> {
        Ok(Connection { session: open(&self.spec).await?, prepared: HashMap::new() })
    }

    fn prepare(&self, job: &Job) -> Result<Prepared> {
        let statements = match job {
            Job::Ask { asked, values } => {
                let text = self.select(&self.question(*asked));
                vec![(Arc::from(text), values.iter().map(Value::to_text).collect())]
            }
            Job::Do(effects) => effects
                .iter()
                .flat_map(|effect| {
                    let (structure, layout) = (&self.structure, &self.layout);
                    write::statements(self.world, structure, layout, &self.options, effect)
                })
                .map(|bound| (Arc::from(bound.sql), bound.values))
                .collect(),
        };
        Ok(Prepared { statements })
    }

    fn text(&self, prepared: &Prepared) -> String {
        let mut texts: Vec<&str> = prepared.statements.iter().map(|(text, _)| &**text).collect();
        texts.dedup();
        texts.join(";\n")
    }

    async fn perform(&self, connection: &mut Connection, prepared: &Prepared) -> Result<()> {
        let together = prepared.statements.len() > 1;
        if together {
            execute(&connection.session, "BEGIN").await?;
        }
        for (text, values) in &prepared.statements {
            if let Err(error) = one(connection, text, values).await {
                if together {
                    execute(&connection.session, "ROLLBACK").await?;
                }
                return Err(error);
            }
        }
        if together {
            execute(&connection.session, "COMMIT").await?;
        }
        Ok(())
    }

    async fn answer(
        &self,
        connection: &mut Connection,
        asked: usize,
        values: &[Value],
    ) -> Result<Answer> {
        let question = self.question(asked).decided(self.world.model);
        let kinds = kinds(self.world.model, &question);
        let parameters = values
            .iter()
            .map(|value| Parameter { value: value.to_text(), origin: ParameterOrigin::Given })
            .collect();
        let statement = Statement {
            parameters,
            ..Statement::new(marula_core::Engine::Postgres, self.select(&question))
        };
        let mut answer = Answer { rows: Vec::new(), ordered: question.limit.is_some() };
        run::run(&connection.session, &statement, |row| {
            let kinds = kinds.iter().copied().chain(std::iter::repeat(AttributeType::Text));
            answer
                .rows
                .push(row.iter().zip(kinds).map(|(value, kind)| from_text(kind, *value)).collect());
        })
        .await?;
        Ok(answer)
    }

    async fn bytes(&self) -> Result<u64> {
        let text =
            "SELECT pg_database_size(current_database()) - (SELECT pg_database_size('template0'))";
        let row = self.admin.client().query_one(text, &[]).await.map_err(|e| from_server(&e))?;
        Ok(row.try_get::<_, i64>(0).unwrap_or_default().max(0) as u64)
    }
}

/// What kind of value each column of an answer is.
pub(super) fn kinds(model: &Model, question: &Question) -> Vec<AttributeType> {
    use marula_core::model::AggregateFunction::{Max, Min};
    let kind = |at: &crate::question::At| {
        let entity = model.entity(&question.nodes[at.node].entity);
        // What is kept although it could be computed is a number.
        entity
            .and_then(|entity| entity.attribute(&at.attribute))
            .map_or(AttributeType::Decimal, |a| a.kind)
    };
    let plain = question.select.iter().chain(&question.group).map(kind);
    let computed =
        question.aggregates.iter().map(|aggregate| match (aggregate.function, &aggregate.of) {
            (Min | Max, Some(of)) if aggregate.times.is_none() => kind(of),
            _ => AttributeType::Decimal,
        });
    plain.chain(computed).collect()
}

async fn open(spec: &ConnectSpec) -> Result<Session> {
    let session = Session::open(spec, &SessionOptions::lab()).await?;
    // Answers are compared as text.
    execute(&session, "SET TimeZone = 'UTC'").await?;
    Ok(session)
}

/// Runs the statements of a stage. A constraint that the rows break is set aside.
async fn run_all(
    session: &Session,
    schema: &Schema,
    stage: Stage,
    aside: &mut Vec<SetAside>,
) -> Result<()> {
    for piece in schema.pieces.iter().filter(|piece| piece.stage == stage) {
        for text in &piece.statements {
            match execute(session, text).await {
                Ok(()) => {}
                Err(error) if is_broken(&error) => {
                    aside.push(constraint(piece.object.clone(), &error));
                    // What is looked up by it is still looked up by it.
                    if let Some(rest) = text.strip_prefix("CREATE UNIQUE INDEX ") {
                        execute(session, &format!("CREATE INDEX {rest}")).await?;
                    } else if let Some(index) = index_of_unique(text) {
                        execute(session, &index).await?;
                    }
                }
                Err(error) => return Err(error.at(text.to_owned())),
            }
        }
    }
    Ok(())
}

/// The plain index for a UNIQUE constraint that is added.
fn index_of_unique(text: &str) -> Option<String> {
    let rest = text.strip_prefix("ALTER TABLE ")?;
    let (table, rest) = rest.split_once(" ADD CONSTRAINT ")?;
    let (name, columns) = rest.split_once(" UNIQUE ")?;
    Some(format!("CREATE INDEX {name} ON {table} {columns}"))
}

/// Whether rows break a constraint: SQLSTATE class 23.
fn is_broken(error: &Error) -> bool {
    error.server_code().is_some_and(|code| code.starts_with("23"))
}

/// Fills a table. A check that the generated rows break is set aside.
async fn fill(
    session: &Session,
    world: &World<'_>,
    structure: &Structure,
    options: &SchemaOptions,
    store: &Store,
    aside: &mut Vec<SetAside>,
) -> Result<()> {
    let mut dropped: Vec<String> = Vec::new();
    loop {
        let refusal = match load::table(session, world, structure, options, store).await {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        let Some(name) = refusal.check.filter(|name| !dropped.contains(name)) else {
            return Err(refusal.error);
        };
        let table = quote_ident(&store.entity);
        let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {}", quote_ident(&name));
        execute(session, &drop).await?;
        let said = format!("the check {name} of {}", store.entity);
        aside.push(constraint(said, &refusal.error));
        dropped.push(name);
    }
}

async fn execute(session: &Session, text: &str) -> Result<()> {
    session.client().batch_execute(text).await.map_err(|error| from_server(&error))
}

async fn one(
    connection: &mut Connection,
    text: &Arc<str>,
    values: &[Option<String>],
) -> Result<()> {
    let client = connection.session.client();
    let statement = match connection.prepared.get(text) {
        Some(known) => known.clone(),
        None => {
            let prepared =
                client.prepare(text).await.map_err(|e| from_server(&e).at(text.to_string()))?;
            connection.prepared.insert(text.clone(), prepared.clone());
            prepared
        }
    };
    let values: Vec<TextValue<'_>> =
        values.iter().map(|value| TextValue(value.as_deref())).collect();
    let values = values.iter().map(|value| value as &(dyn ToSql + Sync));
    let failed = |error: tokio_postgres::Error| from_server(&error).at(text.to_string());
    let rows = client.query_raw(&statement, values).await.map_err(failed)?;
    let mut rows = std::pin::pin!(rows);
    while rows.try_next().await.map_err(failed)?.is_some() {}
    Ok(())
}
