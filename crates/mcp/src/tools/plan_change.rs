use std::sync::Arc;

use marula_core::{ChangeKind, Engine, Error, ErrorKind, Result};
use marula_migrate::MigrationKind;
use pg_query::NodeEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::review_migration::{Known, catalog, lint, parse};
use super::{Call, Operation, Outcome};
use crate::answer::{self, FindingBrief};
use crate::plans::{Matter, Plan, digest};
use crate::{Access, by_hand, text};

pub struct PlanChange;

/// The most statements of a plan, and the most bytes: a human has to read it.
const STATEMENTS: usize = 100;
const BYTES: usize = 32 * 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Alias of list_targets.
    target: String,
    /// CREATE INDEX or DROP INDEX statements; MongoDB: createIndex, dropIndex, hideIndex.
    #[serde(default)]
    indexes: Vec<String>,
    /// A report of this session, r1: its indexes are planned.
    report: Option<String>,
    /// Of the report, only these change ids.
    #[serde(default)]
    changes: Vec<String>,
    /// Instead of indexes: a whole migration file.
    migration: Option<String>,
    /// The migration's file name: 20260101120000_add_status.sql.
    file_name: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    plan_id: String,
    digest: String,
    /// What will be run, in order. Show it to the user.
    steps: Vec<String>,
    /// What to mind.
    #[schemars(with = "Vec<answer::Loose>")]
    findings: Vec<FindingBrief>,
    /// Whether apply_plan may run it.
    applicable: bool,
    notes: Vec<String>,
    next: Vec<String>,
}

impl Operation for PlanChange {
    const NAME: &'static str = "plan_change";
    const TITLE: &'static str = "Plan a change";
    const ABOUT: &'static str = "Prepare a change for approval without running it: create or drop an \
        index (also a composite index), the indexes of a report, or a migration. Gives the exact \
        steps, what to mind, a plan id and a digest for apply_plan. Show the steps to the user.";
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, input: Input) -> Result<Outcome<Output>> {
        let found = call.state.find(&input.target)?;
        let (matter, name, whole, up) = matter(call, &input, found.engine)?;
        if whole.len() > BYTES || up.len() > STATEMENTS {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("the plan has {} statements and {} bytes", up.len(), whole.len()),
            )
            .hint(format!("plan at most {STATEMENTS} statements and {BYTES} bytes at a time: a human has to read them")));
        }
        let findings = findings(call, &input.target, matter, &name, &whole, found.engine).await?;
        let plan = call.state.plans.keep(Plan {
            id: String::new(),
            alias: found.alias.clone(),
            engine: found.engine,
            matter,
            digest: digest(&found.alias, found.engine, &name, &whole),
            name,
            text: whole,
            up,
        });
        Ok(Outcome::Done(answer(call, &plan, found.access, &findings)))
    }
}

fn answer(
    call: &Call,
    plan: &Arc<Plan>,
    access: Access,
    findings: &[marula_core::Finding],
) -> Output {
    let mut notes = Vec::new();
    let applicable = access == Access::ReadWrite && call.state.has("apply_plan");
    if access == Access::ReadOnly {
        notes.push(format!(
            "'{}' is read-only: the user may run the steps, or allow writing with access = \
             \"read-write\" in marula.toml and start the server again",
            plan.alias
        ));
    }
    let next = if applicable {
        vec![format!(
            "apply_plan with plan_id '{}' and this digest, once the user has seen the steps",
            plan.id
        )]
    } else {
        vec!["give the steps to the user".into()]
    };
    Output {
        summary: format!(
            "{}: {} steps on '{}'; nothing was run",
            plan.id,
            plan.up.len(),
            plan.alias
        ),
        plan_id: plan.id.clone(),
        digest: plan.digest.clone(),
        steps: plan.up.clone(),
        findings: answer::findings(findings),
        applicable,
        notes,
        next,
    }
}

type Made = (Matter, String, String, Vec<String>);

/// What is to be planned: exactly one of the three ways to say it.
fn matter(call: &Call, input: &Input, engine: Engine) -> Result<Made> {
    let ways = usize::from(!input.indexes.is_empty())
        + usize::from(input.report.is_some())
        + usize::from(input.migration.is_some());
    if ways != 1 {
        return Err(Error::new(ErrorKind::Usage, "it is not clear what to plan")
            .hint("give exactly one of indexes, report and migration"));
    }
    if let Some(migration) = &input.migration {
        let read = parse(input.file_name.as_deref(), migration, engine)?;
        let nameless = read.version.is_none() && read.kind == MigrationKind::Versioned;
        let read = match (nameless, &input.file_name) {
            (false, _) => read,
            (true, None) => {
                let kind = read.path.extension().unwrap_or_default().to_string_lossy().into_owned();
                parse(Some(&format!("{}_change.{kind}", by_hand::now())), migration, engine)?
            }
            (true, Some(_)) => {
                return Err(Error::new(ErrorKind::Usage, "the file's name has no version")
                    .hint("call it TIMESTAMP_name.sql, such as 20260101120000_add_status.sql"));
            }
        };
        let up: Vec<String> = read.up.iter().map(|step| step.text.clone()).collect();
        if up.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "the migration has no statement")
                .hint("write what is to be applied into the file"));
        }
        let name = read.path.display().to_string();
        return Ok((Matter::Migration, name, read.text, up));
    }
    let given = match &input.report {
        Some(id) => of_report(call, id, &input.changes, engine)?,
        None => input.indexes.clone(),
    };
    let up = indexes(&given, engine)?;
    let separator = if engine == Engine::Postgres { ";\n" } else { "\n" };
    let whole = up.iter().map(|step| format!("{step}{separator}")).collect();
    Ok((Matter::Indexes, String::new(), whole, up))
}

/// The index statements of a report's changes.
fn of_report(call: &Call, id: &str, wanted: &[String], engine: Engine) -> Result<Vec<String>> {
    let id = id.trim_start_matches("marula://labs/").trim_end_matches("/report");
    let kept = call.state.reports.get(id)?;
    let known: Vec<&str> = kept.report.changes.iter().map(|change| change.id.0.as_str()).collect();
    for want in wanted {
        if !known.contains(&want.as_str()) {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the report has no change '{}'", text::cut(want, 50)),
            )
            .hint(format!("its changes are {}", known.join(", "))));
        }
    }
    let best = kept.report.best.as_ref().map(|best| best.changes.as_slice());
    let chosen = kept.report.changes.iter().filter(|change| {
        change.kind == ChangeKind::Index
            && change.engine == engine
            && match (wanted, best) {
                ([], Some(best)) => best.contains(&change.id),
                ([], None) => true,
                (wanted, _) => wanted.contains(&change.id.0),
            }
    });
    let up: Vec<String> = chosen.flat_map(|change| change.up.iter().cloned()).collect();
    if up.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            "the report proposes no index for this target",
        )
        .hint("name changes of kind index; a rewrite is for the application's code"));
    }
    Ok(up)
}

/// The statements one by one; each builds, drops or hides an index and does nothing else.
fn indexes(given: &[String], engine: Engine) -> Result<Vec<String>> {
    let mut up = Vec::new();
    for text in given {
        match engine {
            Engine::Postgres => {
                for statement in marula_postgres::sql::parse_all(text)? {
                    let fits = match statement.root() {
                        Some(NodeEnum::IndexStmt(_)) => true,
                        Some(NodeEnum::DropStmt(drop)) => {
                            drop.remove_type() == pg_query::protobuf::ObjectType::ObjectIndex
                        }
                        _ => false,
                    };
                    let text = statement.text().trim().trim_end_matches(';').trim().to_string();
                    up.push(if fits { Ok(text) } else { Err(no_index(&text)) }?);
                }
            }
            Engine::Mongodb => {
                let command = marula_mongodb::shell::parse(text)?;
                use marula_mongodb::Operation;
                let fits = command.database.is_none()
                    && match &command.operation {
                        Operation::CreateIndexes(_) | Operation::DropIndex(_) => true,
                        Operation::CollMod(change) => change.options.keys().eq(["index"]),
                        _ => false,
                    };
                up.push(if fits { Ok(command.to_shell()) } else { Err(no_index(text)) }?);
            }
        }
    }
    if up.is_empty() {
        return Err(
            Error::new(ErrorKind::Usage, "there is no statement").hint("give CREATE INDEX …")
        );
    }
    Ok(up)
}

fn no_index(statement: &str) -> Error {
    Error::new(
        ErrorKind::Refused,
        format!("'{}' does not make or drop an index", text::cut(statement, 80)),
    )
    .hint("plan anything else as a migration")
}

/// What the rules say of it, on the target as it is.
async fn findings(
    call: &Call,
    alias: &str,
    matter: Matter,
    name: &str,
    whole: &str,
    engine: Engine,
) -> Result<Vec<marula_core::Finding>> {
    if matter == Matter::Indexes && engine == Engine::Mongodb {
        return Ok(Vec::new());
    }
    let name = (!name.is_empty()).then_some(name);
    let migration = parse(name, whole, engine)?;
    let lease = call.state.lend(alias).await?;
    let version = lease.target.version;
    let read = catalog(&lease).await;
    let read = match lease.ended(read)? {
        Known::Postgres(schema) => lint(migration, Some(schema), None, version),
        Known::Mongodb(schema) => lint(migration, None, Some(schema), version),
    };
    Ok(read.findings)
}
