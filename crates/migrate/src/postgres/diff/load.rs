//! Brings a schema into a database of the lab.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use marula_core::{Error, ErrorKind, Marked, Result};
use marula_lab::PostgresServer;
use marula_postgres::sql::{self, ParsedStatement};
use marula_postgres::{Session, SessionOptions, from_server};
use pg_query::NodeEnum;

use super::model::{Kind, Model};
use super::{plan, read};
use crate::files::Folder;
use crate::migration::{Step, StepKind, Tool, line_of};
use crate::postgres::schema::Schema;

/// Where a schema comes from.
pub enum Source<'a> {
    /// Nothing is there.
    Empty,
    /// SQL that makes it: its file and text.
    Sql(PathBuf, String),
    /// Migrations that lead to it.
    Folder(&'a Folder),
    /// A database that has it; read only.
    Database(&'a Session),
}

/// A database of the lab with a session on it; its name is added to `opened`.
pub(super) async fn open(server: &PostgresServer, opened: &mut Vec<String>) -> Result<Session> {
    let spec = server.create_database().await?;
    let session = Session::open(&spec, &SessionOptions::lab()).await?;
    opened.push(sql::quote_ident(session.database()));
    // Functions may name what is made after them.
    let set = "SET check_function_bodies = off; SET client_min_messages = error";
    session.client().batch_execute(set).await.map_err(|error| from_server(&error))?;
    Ok(session)
}

/// Loads a schema into an empty database and reads it back. What could not be brought over is told.
pub(super) async fn load(
    source: &Source<'_>,
    lab: &Session,
    owners: bool,
    notes: &mut Vec<String>,
) -> Result<Model> {
    match source {
        Source::Empty => {}
        Source::Sql(path, text) => file(lab, path, text).await?,
        Source::Folder(folder) => migrations(lab, folder).await?,
        Source::Database(session) => {
            let wanted = read::read(session, owners).await?;
            return database(lab, &wanted, owners, notes).await;
        }
    }
    let reset = "RESET ALL; SET check_function_bodies = off; SET client_min_messages = error";
    lab.client().batch_execute(reset).await.map_err(|error| from_server(&error))?;
    read::read(lab, owners).await
}

/// Loads a schema into an empty database.
pub(super) async fn make(source: &Source<'_>, lab: &Session, owners: bool) -> Result<()> {
    match source {
        Source::Sql(path, text) => file(lab, path, text).await?,
        Source::Folder(folder) => migrations(lab, folder).await?,
        _ => {
            load(source, lab, owners, &mut Vec::new()).await?;
        }
    }
    let reset = "RESET ALL; SET check_function_bodies = off; SET client_min_messages = error";
    lab.client().batch_execute(reset).await.map_err(|error| from_server(&error))
}

/// Makes what a database holds, without its rows.
async fn database(
    lab: &Session,
    wanted: &Model,
    owners: bool,
    notes: &mut Vec<String>,
) -> Result<Model> {
    roles(lab, &roles_of(wanted)).await?;
    let mut there = read::read(lab, owners).await?;
    for strict in [false, true] {
        let manner = plan::Manner { strict, whole: false };
        let plan = plan::plan(&there, wanted, &Schema::default(), lab.version(), manner)?;
        for planned in plan.parts.iter().flat_map(|part| &part.statements) {
            lab.client().batch_execute(&planned.text).await.map_err(|error| {
                let error = from_server(&error);
                Error::new(
                    ErrorKind::Lab,
                    format!("{} cannot be made in the lab: {}", planned.about, error.message()),
                )
                .hint(
                    "give the schema as an SQL file (pg_dump --schema-only) instead of the target",
                )
            })?;
        }
        there = read::read(lab, owners).await?;
    }
    for line in super::outline::differences(&there, wanted) {
        notes.push(format!("not brought over exactly: {line}"));
    }
    // What cannot be made in the lab is compared as the database has it.
    there.others.clone_from(&wanted.others);
    Ok(there)
}

/// Whoever is named in a schema.
pub(super) fn roles_of(model: &Model) -> BTreeSet<String> {
    let mut roles = BTreeSet::new();
    for object in model.objects.values() {
        let acl = ["acl", "sequence_acl"].into_iter().flat_map(|fact| object.get(fact).lines());
        let acl = acl.filter_map(|line| line.split_once(' '));
        roles.extend(acl.map(|(_, role)| role.to_string()));
        roles.extend(["owner", "role"].map(|fact| object.get(fact).to_string()));
        if object.id.kind == Kind::Policy {
            roles.extend(object.get("roles").split(", ").map(String::from));
        }
    }
    roles.retain(|role| !role.is_empty() && role != "PUBLIC");
    roles
}

/// Makes the roles (quoted) that the lab does not have; they can do nothing.
pub(super) async fn roles(lab: &Session, wanted: &BTreeSet<String>) -> Result<()> {
    for role in wanted {
        if let Err(error) = lab.client().batch_execute(&format!("CREATE ROLE {role}")).await {
            let there = error.code().is_some_and(|code| {
                [
                    tokio_postgres::error::SqlState::DUPLICATE_OBJECT,
                    tokio_postgres::error::SqlState::RESERVED_NAME,
                    tokio_postgres::error::SqlState::UNIQUE_VIOLATION,
                ]
                .contains(code)
            });
            if !there {
                return Err(from_server(&error));
            }
        }
    }
    Ok(())
}

/// Runs a script, as psql would, but for psql's own commands.
async fn file(lab: &Session, path: &Path, text: &str) -> Result<()> {
    // pg_dump writes \restrict and \connect.
    let text: String = text
        .split_inclusive('\n')
        .map(|line| if line.starts_with('\\') { "\n" } else { line })
        .collect();
    let steps = crate::postgres::files::steps(path, &text, 0..text.len(), Tool::Plain)?;
    for step in &steps {
        run(lab, path, &text, step).await?;
    }
    Ok(())
}

async fn migrations(lab: &Session, folder: &Folder) -> Result<()> {
    for migration in &folder.migrations {
        let transaction = migration.options.transaction
            && !migration.up.iter().any(|step| plan::outside(&step.text));
        let say = |sql: &'static str| async move {
            lab.client().batch_execute(sql).await.map_err(|error| from_server(&error))
        };
        if transaction {
            say("BEGIN").await?;
        }
        for step in &migration.up {
            run(lab, &migration.path, &migration.text, step).await?;
        }
        if transaction {
            say("COMMIT").await?;
        }
    }
    Ok(())
}

async fn run(lab: &Session, path: &Path, text: &str, step: &Step) -> Result<()> {
    let StepKind::Sql(statement) = &step.kind else { return Ok(()) };
    let placed = |error: Error| {
        let mark = Marked {
            name: path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            text: text.to_string(),
            start: step.start,
            end: step.end,
        };
        let mut placed = Error::new(error.kind(), error.message().to_string())
            .at(format!("{}:{}", path.display(), line_of(text, step.start)))
            .mark(mark);
        if let Some(code) = error.server_code() {
            placed = placed.code(code);
        }
        error.hints().iter().fold(placed, |placed, hint| placed.hint(hint.clone()))
    };
    allowed(statement).map_err(placed)?;
    roles(lab, &named(statement)).await?;
    let Err(error) = lab.client().batch_execute(&step.text).await else { return Ok(()) };
    let of_role = matches!(statement.root(), Some(NodeEnum::CreateRoleStmt(_)));
    if of_role && error.code() == Some(&tokio_postgres::error::SqlState::DUPLICATE_OBJECT) {
        return Ok(());
    }
    Err(placed(from_server(&error).hint("the schema is made in the lab first: mend the file")))
}

/// What reaches out of the database is not run, not even in the lab.
fn allowed(statement: &ParsedStatement) -> Result<()> {
    let what = match statement.root() {
        Some(NodeEnum::CopyStmt(copy)) if copy.is_program => "COPY with a program",
        Some(NodeEnum::CopyStmt(copy)) if !copy.filename.is_empty() => "COPY with a file",
        Some(NodeEnum::CopyStmt(_)) => "COPY with rows in the file",
        Some(NodeEnum::LoadStmt(_)) => "LOAD",
        Some(NodeEnum::AlterSystemStmt(_)) => "ALTER SYSTEM",
        Some(NodeEnum::CreateSubscriptionStmt(_)) => "CREATE SUBSCRIPTION",
        Some(NodeEnum::CreatedbStmt(_) | NodeEnum::DropdbStmt(_)) => "a statement on databases",
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Refused, format!("{what} makes no schema"))
        .hint("leave it out: a schema is wanted, such as pg_dump --schema-only writes"))
}

/// The roles a statement names, quoted.
fn named(statement: &ParsedStatement) -> BTreeSet<String> {
    use pg_query::protobuf::{RoleSpec, RoleSpecType};
    let mut roles = BTreeSet::new();
    let mut see = |role: &RoleSpec| {
        if role.roletype == RoleSpecType::RolespecCstring as i32 {
            roles.insert(sql::quote_ident(&role.rolename));
        }
    };
    let lists = match statement.root() {
        Some(NodeEnum::GrantStmt(grant)) => vec![&grant.grantees],
        Some(NodeEnum::CreatePolicyStmt(policy)) => vec![&policy.roles],
        Some(NodeEnum::AlterPolicyStmt(policy)) => vec![&policy.roles],
        Some(NodeEnum::AlterOwnerStmt(owner)) => {
            owner.newowner.iter().for_each(&mut see);
            Vec::new()
        }
        Some(NodeEnum::CreateSchemaStmt(schema)) => {
            schema.authrole.iter().for_each(&mut see);
            Vec::new()
        }
        Some(NodeEnum::AlterTableStmt(alter)) => {
            for node in &alter.cmds {
                if let Some(NodeEnum::AlterTableCmd(cmd)) = &node.node {
                    cmd.newowner.iter().for_each(&mut see);
                }
            }
            Vec::new()
        }
        Some(NodeEnum::AlterDefaultPrivilegesStmt(alter)) => {
            let mut lists: Vec<_> = alter.action.iter().map(|grant| &grant.grantees).collect();
            for node in &alter.options {
                if let Some(NodeEnum::DefElem(option)) = &node.node
                    && let Some(NodeEnum::List(list)) =
                        option.arg.as_ref().and_then(|arg| arg.node.as_ref())
                {
                    lists.push(&list.items);
                }
            }
            lists
        }
        _ => Vec::new(),
    };
    for node in lists.into_iter().flatten() {
        if let Some(NodeEnum::RoleSpec(role)) = &node.node {
            see(role);
        }
    }
    roles
}
