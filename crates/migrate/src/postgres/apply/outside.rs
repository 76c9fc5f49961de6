//! What cannot run in a transaction: noted before with what was there, found out afterwards.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::from_server;
use marula_postgres::sql::quote_literal;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::leftover::{self, Index};
use super::run::{Work, marked, passing};
use super::{history, pieces};
use crate::apply::record::{Current, digest};
use crate::apply::retry;
use crate::postgres::classify;

/// Runs a step that was not begun, or finds out how far it came and goes on.
pub(super) async fn run(work: &Work<'_>, step: usize) -> Result<()> {
    let own = &work.due.steps()[step];
    let Some(statement) = pieces::statement(own) else { return Ok(()) };
    let Some(node) = statement.root() else { return Ok(()) };
    let kind = Kind::of(node, &own.text);
    let begun = work
        .due
        .left()
        .and_then(|record| record.current.as_ref())
        .filter(|current| current.step == step);
    let mut before = match begun {
        Some(current) => {
            if kind.took_effect(work, &current.before).await? {
                return done(work, step).await;
            }
            current.before.clone()
        }
        None => kind.before(work).await?,
    };
    let mut tries = 1;
    loop {
        kind.clear(work, &before).await?;
        if tries == 1 {
            let current = Current {
                step,
                digest: digest(own),
                text: own.text.clone(),
                before: before.clone(),
                batch: None,
            };
            history::current(work.ground, work.due, step, Some(&current)).await?;
        }
        // A build that waits for old transactions must not be cancelled for waiting.
        work.ground.execute("SET lock_timeout = 0").await?;
        work.ground.begins(step, false).await;
        let Err(error) = work.ground.execute(&own.text).await else {
            work.ground.has_run(step, false).await;
            return done(work, step).await;
        };
        if work.ground.session.is_closed() {
            return Err(marked(error, work, step));
        }
        // The server said no: what it left is cleared, and the step is as if it had not begun.
        kind.clear(work, &before).await?;
        let code = error.server_code().unwrap_or_default().to_string();
        if passing(&code) && tries < work.options.tries.min(8) {
            tokio::time::sleep(retry::pause(tries)).await;
            work.options.stop.check()?;
            tries += 1;
            before = kind.before(work).await?;
            continue;
        }
        history::current(work.ground, work.due, step, None).await?;
        let error = match code.as_str() {
            "55P03" => work.unlocked(error, step, tries).await,
            _ => error,
        };
        return Err(marked(error, work, step));
    }
}

async fn done(work: &Work<'_>, step: usize) -> Result<()> {
    let ground = work.ground;
    ground.execute("BEGIN").await?;
    work.as_ourselves().await?;
    history::advance(ground, work.due, step..step + 1, work.last).await?;
    ground.execute("COMMIT").await
}

/// What a statement does, as far as its effect can be seen.
enum Kind<'a> {
    /// CREATE INDEX CONCURRENTLY.
    Build(&'a pb::IndexStmt),
    /// DROP INDEX CONCURRENTLY.
    Drop(Vec<String>),
    /// REINDEX CONCURRENTLY.
    Reindex,
    /// DETACH PARTITION CONCURRENTLY: parent, partition.
    Detach(String, String),
    /// CREATE DATABASE and TABLESPACE: the question whether it is there.
    Make(String),
    /// DROP DATABASE and TABLESPACE: the question whether it is gone.
    Unmake(String),
    /// Does the same when it is run twice: VACUUM, ALTER SYSTEM …
    Again,
    /// Commits by itself in the middle, and only its author knows whether it may run twice.
    Unknown,
}

impl<'a> Kind<'a> {
    fn of(node: &'a NodeEnum, text: &str) -> Kind<'a> {
        let database = |name: &str| {
            format!(
                "EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = {})",
                quote_literal(name)
            )
        };
        let space = |name: &str| {
            format!(
                "EXISTS (SELECT FROM pg_catalog.pg_tablespace WHERE spcname = {})",
                quote_literal(name)
            )
        };
        match node {
            NodeEnum::IndexStmt(index) => Kind::Build(index),
            NodeEnum::DropStmt(drop) => {
                Kind::Drop(drop.objects.iter().filter_map(qualified).collect())
            }
            NodeEnum::ReindexStmt(reindex) if classify::flag(&reindex.params, "concurrently") => {
                Kind::Reindex
            }
            NodeEnum::AlterTableStmt(alter) => detach(alter).unwrap_or(Kind::Again),
            NodeEnum::CreatedbStmt(create) => Kind::Make(database(&create.dbname)),
            NodeEnum::DropdbStmt(drop) => Kind::Unmake(format!("NOT {}", database(&drop.dbname))),
            NodeEnum::CreateTableSpaceStmt(create) => Kind::Make(space(&create.tablespacename)),
            NodeEnum::DropTableSpaceStmt(drop) => {
                Kind::Unmake(format!("NOT {}", space(&drop.tablespacename)))
            }
            // A loop that ends when its own UPDATE finds nothing more passes over what is done.
            NodeEnum::DoStmt(_)
                if text.contains(crate::postgres::fix::LAST_PASS)
                    || text.to_ascii_uppercase().contains("EXIT WHEN NOT FOUND") =>
            {
                Kind::Again
            }
            NodeEnum::DoStmt(_) | NodeEnum::CallStmt(_) | NodeEnum::SelectStmt(_) => Kind::Unknown,
            _ => Kind::Again,
        }
    }

    /// What is there before it begins.
    async fn before(&self, work: &Work<'_>) -> Result<Vec<String>> {
        let ground = work.ground;
        Ok(match self {
            Kind::Build(index) => {
                let Some(table) = &index.relation else { return Ok(Vec::new()) };
                let there = leftover::of_table(ground, table).await?;
                // An invalid index of the same name is in the way, and is no index to keep.
                there
                    .into_iter()
                    .filter(|old| old.valid || old.name != index.idxname)
                    .map(|old| old.oid)
                    .collect()
            }
            Kind::Reindex => {
                leftover::invalid(ground).await?.into_iter().map(|old| old.oid).collect()
            }
            Kind::Drop(names) => {
                let mut there = Vec::new();
                for name in names {
                    if exists(work, name).await? {
                        there.push(name.clone());
                    }
                }
                there
            }
            Kind::Make(question) | Kind::Unmake(question) => match ask(work, question).await? {
                true => vec!["so already".into()],
                false => Vec::new(),
            },
            Kind::Detach(..) | Kind::Again | Kind::Unknown => Vec::new(),
        })
    }

    /// Whether it came to its end, when it had begun and nobody saw the end.
    async fn took_effect(&self, work: &Work<'_>, before: &[String]) -> Result<bool> {
        Ok(match self {
            Kind::Build(index) => {
                let Some(table) = &index.relation else { return Ok(false) };
                let there = leftover::of_table(work.ground, table).await?;
                there.iter().any(|new| {
                    new.valid && !before.contains(&new.oid) && is_named(new, &index.idxname)
                })
            }
            Kind::Drop(_) => {
                let mut left = false;
                for name in before {
                    left |= exists(work, name).await?;
                }
                !before.is_empty() && !left
            }
            Kind::Detach(parent, partition) => {
                let sql = format!(
                    "SELECT count(*) FILTER (WHERE inhdetachpending) FROM pg_catalog.pg_inherits \
                     WHERE inhparent = pg_catalog.to_regclass({}) \
                     AND inhrelid = pg_catalog.to_regclass({}) GROUP BY inhrelid",
                    quote_literal(parent),
                    quote_literal(partition)
                );
                let rows = work.ground.session.client().query(&sql, &[]).await;
                let rows = rows.map_err(|error| from_server(&error))?;
                match rows.first().map(|row| row.get::<_, i64>(0)) {
                    None => true,
                    Some(0) => false,
                    Some(_) => {
                        let finish =
                            format!("ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE");
                        work.ground.execute(&finish).await?;
                        true
                    }
                }
            }
            Kind::Make(question) | Kind::Unmake(question) => {
                before.is_empty() && ask(work, question).await?
            }
            Kind::Reindex | Kind::Again => false,
            Kind::Unknown => return Err(unknown(work)),
        })
    }

    /// Takes away what a broken run left.
    async fn clear(&self, work: &Work<'_>, before: &[String]) -> Result<()> {
        let ground = work.ground;
        let new = |old: &Index| !old.valid && !before.contains(&old.oid);
        let left: Vec<Index> = match self {
            Kind::Build(index) => {
                let Some(table) = &index.relation else { return Ok(()) };
                let there = leftover::of_table(ground, table).await?;
                there.into_iter().filter(|old| new(old) && is_named(old, &index.idxname)).collect()
            }
            Kind::Reindex => {
                let of_reindex =
                    |old: &Index| old.name.contains("_ccnew") || old.name.contains("_ccold");
                let mut left = leftover::invalid(ground).await?;
                // What somebody else rebuilds at the same time is theirs.
                left.retain(|old| new(old) && of_reindex(old) && old.builder.is_none());
                left
            }
            _ => return Ok(()),
        };
        for index in &left {
            leftover::drop(ground, index).await?;
        }
        Ok(())
    }
}

/// Whether an index has the name the statement gives, or the statement gives none.
fn is_named(index: &Index, name: &str) -> bool {
    name.is_empty() || index.name == name
}

fn unknown(work: &Work<'_>) -> Error {
    let key = crate::apply::key_of(work.due.migration);
    Error::new(
        ErrorKind::Refused,
        "this statement commits in the middle and was interrupted: how far it came cannot be seen from outside",
    )
    .hint(format!("if it may run again from its beginning: marula migrate repair TARGET --again {key}"))
    .hint(format!("if all of it is done: marula migrate repair TARGET --done {key}"))
    .hint("or write it as an UPDATE with -- migrate:up batch:1000, which can be resumed")
}

async fn exists(work: &Work<'_>, name: &str) -> Result<bool> {
    ask(work, &format!("pg_catalog.to_regclass({}) IS NOT NULL", quote_literal(name))).await
}

async fn ask(work: &Work<'_>, question: &str) -> Result<bool> {
    let row = work.ground.session.client().query_one(&format!("SELECT {question}"), &[]).await;
    Ok(row.map_err(|error| from_server(&error))?.get(0))
}

fn qualified(node: &pb::Node) -> Option<String> {
    let Some(NodeEnum::List(list)) = node.node.as_ref() else { return None };
    let parts: Vec<String> = list
        .items
        .iter()
        .filter_map(|item| match item.node.as_ref() {
            Some(NodeEnum::String(text)) => Some(marula_postgres::sql::quote_ident(&text.sval)),
            _ => None,
        })
        .collect();
    Some(parts.join("."))
}

fn detach(alter: &pb::AlterTableStmt) -> Option<Kind<'_>> {
    let parent = leftover::written(alter.relation.as_ref()?);
    alter.cmds.iter().find_map(|cmd| {
        let Some(NodeEnum::AlterTableCmd(cmd)) = cmd.node.as_ref() else { return None };
        let Some(NodeEnum::PartitionCmd(partition)) = cmd.def.as_deref()?.node.as_ref() else {
            return None;
        };
        let name = leftover::written(partition.name.as_ref()?);
        partition.concurrent.then(|| Kind::Detach(parent.clone(), name))
    })
}
