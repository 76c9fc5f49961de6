use std::path::Path;
use std::sync::Arc;

use marula_core::{Engine, Error, ErrorKind, Progress, Rehearsal, Report, Result, Version};
use marula_migrate::lint::LintOptions;
use marula_migrate::rehearse::Stage;
use marula_migrate::{Migration, RehearseOptions, files, mongodb, postgres};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Operation, Outcome};
use crate::answer::{self, FindingBrief, Truncated};
use crate::aside::aside;
use crate::confirm::{self, Word};
use crate::plans::{Matter, Plan};
use crate::text;

pub struct ReviewMigration;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The whole file: SQL, or MongoDB commands as JSON, YAML or migrate-mongo JavaScript.
    migration: String,
    /// Its file name, which tells the tool (Flyway, goose, dbmate, sqlx …).
    file_name: Option<String>,
    /// Alias where it will run: sizes and types are minded.
    target: Option<String>,
    /// Also run this plan of plan_change on a copy, under load.
    plan_id: Option<String>,
    digest: Option<String>,
    /// Without a target.
    engine: Option<Engine>,
    /// Without a target: 15, 6.0.
    #[schemars(with = "Option<String>")]
    server_version: Option<Version>,
}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    tool: String,
    statements: usize,
    /// Locks, whom they stop, and the safe form.
    #[schemars(with = "Vec<answer::Loose>")]
    findings: Vec<FindingBrief>,
    /// The file in its safe form, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    safe_form: Option<String>,
    /// What each statement did to clients on a copy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<answer::Loose>")]
    rehearsed: Vec<RehearsedBrief>,
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<answer::Loose>")]
    truncated: Option<Truncated>,
    next: Vec<String>,
}

/// A statement of a migration that ran on a copy, under load.
#[derive(Serialize, JsonSchema)]
struct RehearsedBrief {
    statement: String,
    duration_ms: f64,
    longest_stall_ms: f64,
    locks: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

impl Operation for ReviewMigration {
    const NAME: &'static str = "review_migration";
    const TITLE: &'static str = "Review a migration";
    const ABOUT: &'static str = "Check a schema migration or DDL script before it runs: which locks ALTER \
        TABLE, CREATE INDEX or a backfill takes, who is blocked and for how long, whether rows are \
        rewritten, and the safe form without downtime (NOT NULL, new column or field, type change, \
        foreign key, rename, drop). Runs nothing; a plan it rehearses on a copy, once a human agrees.";
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, input: Input) -> Result<Outcome<Output>> {
        let read = read(call, &input).await?;
        let rehearsed = match (&input.plan_id, &input.digest) {
            (None, None) => Vec::new(),
            (plan, digest) => match allowed(call, plan, digest).await? {
                Outcome::Ask(question) => return Ok(Outcome::Ask(question)),
                Outcome::Done(plan) => rehearse(call, &plan).await?,
            },
        };
        let safe_form = safe_form(&read);
        let findings = &read.findings;
        let worst = findings.iter().map(|finding| finding.severity).max();
        let summary = match worst {
            None => "nothing in it stops anybody".to_string(),
            Some(worst) => format!(
                "{} findings, the worst is {}: {}",
                findings.len(),
                crate::rules::severity(worst),
                findings
                    .iter()
                    .find(|finding| finding.severity == worst)
                    .map(|finding| text::cut(&finding.title, 200))
                    .unwrap_or_default()
            ),
        };
        let mut next = Vec::new();
        if safe_form.is_some() {
            next.push("review_migration with the safe form".into());
        } else if call.state.has("plan_change") && input.target.is_some() {
            next.push("plan_change with this migration".into());
        }
        let left = findings.len().saturating_sub(answer::MOST);
        let shown = answer::findings(findings);
        let mut report = Report::new("migrate lint");
        report.findings.clone_from(&read.findings);
        let truncated = (left > 0).then(|| {
            let id = call.state.reports.keep("review of a migration".into(), report);
            Truncated::rest(
                format!("{left} findings"),
                format!("read the resource marula://labs/{id}/report"),
            )
        });
        Ok(Outcome::Done(Output {
            summary,
            tool: read.migration.tool.name().into(),
            statements: read.migration.up.len(),
            findings: shown,
            safe_form,
            rehearsed,
            notes: read.notes,
            truncated,
            next,
        }))
    }
}

/// The plan, when the human lets it run on a throw-away server. That server runs it as its
/// superuser, so what it says is as much the human's word as what is applied.
async fn allowed(
    call: &Call,
    plan: &Option<String>,
    digest: &Option<String>,
) -> Result<Outcome<Arc<Plan>>> {
    let (Some(plan), Some(digest)) = (plan, digest) else {
        return Err(Error::new(ErrorKind::Usage, "a plan is named by its id and its digest")
            .hint("give plan_id and digest as plan_change gave them"));
    };
    let plan = call.state.plans.get(plan, digest)?;
    if plan.matter != Matter::Migration {
        return Err(Error::new(
            ErrorKind::Usage,
            "this plan makes indexes; explain_query and advise_indexes measured them",
        ));
    }
    let alias = text::spelled(&plan.alias);
    let question = confirm::Question {
        message: format!(
            "Rehearse plan {} on a throw-away copy of '{alias}'? '{alias}' itself is only read. It runs:\n\n{}\n\nDigest {}",
            plan.id,
            text::spelled(&plan.text),
            plan.digest
        ),
        title: "Rehearse this plan",
        does: "Yes runs the statements above on a server of our own.",
    };
    let file = text::spelled(&plan.name);
    let by_hand = format!("the user can run: marula migrate rehearse {file} --target {alias}");
    let refused = |what: String| Err(Error::new(ErrorKind::Refused, what).hint(by_hand));
    match confirm::ask(call, &plan.id, question).await? {
        Word::Ask(question) => Ok(Outcome::Ask(question)),
        Word::Yes => Ok(Outcome::Done(plan)),
        Word::No(how) => refused(format!("the user {how}: nothing was run")),
        Word::NoChannel => refused(
            "this client cannot ask the user, and nothing is run without the user's yes".into(),
        ),
    }
}

/// Runs a plan's migration on a copy of its target while clients work there.
/// Rehearses on a stage of either engine, as the migrations are written.
async fn on(
    stage: Result<impl Stage>,
    migrations: &[Migration],
    progress: &dyn Progress,
) -> Result<(Rehearsal, Vec<String>)> {
    let options = RehearseOptions::default();
    marula_migrate::rehearse::rehearse(&stage?, migrations, false, &options, progress).await
}

async fn rehearse(call: &Call, plan: &Plan) -> Result<Vec<RehearsedBrief>> {
    let migrations = vec![parse(Some(&plan.name), &plan.text, plan.engine)?];
    let lab = call.state.lab(&call.progress).await?;
    let lease = call.state.lend(&plan.alias).await?;
    let told = call.progress.told();
    let (rehearsal, _) = aside(move || async move {
        let _lab = lab;
        let made = match &*lease {
            crate::Session::Postgres(session) => {
                let stage = postgres::rehearse::Stage::from_target(session, &migrations, &*told);
                on(stage.await, &migrations, &*told).await
            }
            crate::Session::Mongodb(session) => {
                let stage = mongodb::rehearse::Stage::from_target(session, &migrations, &*told);
                on(stage.await, &migrations, &*told).await
            }
        };
        lease.ended(made)
    })
    .await?;
    let statements = rehearsal.runs.into_iter().flat_map(|run| run.statements);
    let brief = statements.take(answer::MOST).map(|one| RehearsedBrief {
        statement: text::cut(&one.text, 200),
        duration_ms: one.duration_ms,
        longest_stall_ms: one.longest_stall_ms,
        locks: one.locks.iter().map(|lock| format!("{} on {}", lock.lock, lock.object)).collect(),
        failed: one.failed.map(|failed| text::cut(&failed, 400)),
    });
    Ok(brief.collect())
}

/// A migration that was read and linted.
pub(super) struct Read {
    /// It.
    pub migration: Migration,
    /// What was found.
    pub findings: Vec<marula_core::Finding>,
    notes: Vec<String>,
    version: Option<Version>,
    base: Option<postgres::Schema>,
}

async fn read(call: &Call, input: &Input) -> Result<Read> {
    let found = input.target.as_deref().map(|alias| call.state.find(alias)).transpose()?;
    let engine = match (&found, input.engine) {
        (Some(found), Some(engine)) if found.engine != engine => {
            return Err(Error::new(ErrorKind::Usage, "the target is of the other engine")
                .hint("leave engine out, or name a target of that engine"));
        }
        (Some(found), _) => found.engine,
        (None, Some(engine)) => engine,
        (None, None) => {
            return Err(Error::new(ErrorKind::Usage, "neither a target nor an engine is given")
                .hint("give target, or engine: postgres or mongodb"));
        }
    };
    let migration = parse(input.file_name.as_deref(), &input.migration, engine)?;
    let Some(found) = found else {
        return Ok(lint(migration, None, None, input.server_version));
    };
    let lease = call.state.lend(&found.alias).await?;
    let version = lease.target.version;
    let read = catalog(&lease).await;
    match lease.ended(read)? {
        Known::Postgres(schema) => Ok(lint(migration, Some(schema), None, version)),
        Known::Mongodb(schema) => Ok(lint(migration, None, Some(schema), version)),
    }
}

/// What is there before the migration.
pub(super) enum Known {
    /// On PostgreSQL.
    Postgres(postgres::Schema),
    /// On MongoDB.
    Mongodb(mongodb::Schema),
}

/// Reads what is there before the migration.
pub(super) async fn catalog(lease: &crate::pool::Lease) -> Result<Known> {
    Ok(match &**lease {
        crate::Session::Postgres(session) => {
            use marula_postgres::catalog::{Scope, read};
            Known::Postgres(postgres::Schema::from_catalog(&read(session, Scope::All).await?))
        }
        crate::Session::Mongodb(session) => {
            use marula_mongodb::catalog::{Scope, read};
            Known::Mongodb(mongodb::Schema::from_catalog(&read(session, Scope::All, None).await?))
        }
    })
}

/// Reads a migration. Of its name only the last part is taken: nothing on this machine is looked
/// at.
pub(crate) fn parse(name: Option<&str>, text: &str, engine: Engine) -> Result<Migration> {
    let given =
        name.and_then(|name| name.rsplit(['/', '\\']).next()).filter(|name| !name.is_empty());
    let name = match (given, engine) {
        (Some(name), _) => name.chars().take(200).collect(),
        (None, Engine::Postgres) => "migration.sql".to_string(),
        (None, Engine::Mongodb) => match text.trim_start().chars().next() {
            Some('[' | '{') => "migration.json".into(),
            _ if text.contains("module.exports") || text.contains("export ") => {
                "migration.js".into()
            }
            _ => "migration.yaml".into(),
        },
    };
    let path = Path::new("/nowhere").join(name);
    let tool = files::tool_of(&path, text);
    let mut migration =
        files::parse(&path, text, tool, engine).map_err(|error| match error.place() {
            Some(place) if place.starts_with("/nowhere") => error.at("migration"),
            _ => error,
        })?;
    migration.path = path.strip_prefix("/nowhere").unwrap_or(&path).to_path_buf();
    Ok(migration)
}

/// Asks every rule.
pub(super) fn lint(
    migration: Migration,
    relational: Option<postgres::Schema>,
    documents: Option<mongodb::Schema>,
    version: Option<Version>,
) -> Read {
    let options = LintOptions { version };
    let one = std::slice::from_ref(&migration);
    let linted = match migration.engine {
        Engine::Postgres => {
            postgres::lint::lint(one, relational.clone().unwrap_or_default(), &options)
        }
        Engine::Mongodb => mongodb::lint::lint(one, documents.unwrap_or_default(), &options),
    };
    let ignored: usize = linted.iter().map(|one| one.ignored).sum();
    let findings = linted.into_iter().flat_map(|one| one.findings).collect();
    let mut notes = Vec::new();
    if ignored > 0 {
        notes.push(format!("comments in the file silence {ignored} findings"));
    }
    if relational.is_none() && migration.engine == Engine::Postgres {
        notes.push("without a target, sizes and types of what is there are not known".into());
    }
    Read { migration, findings, notes, version, base: relational }
}

/// The file rewritten, where that is better.
fn safe_form(read: &Read) -> Option<String> {
    if read.migration.engine != Engine::Postgres || read.findings.is_empty() {
        return None;
    }
    let schema = read.base.clone().unwrap_or_default();
    let version = read.version.unwrap_or(postgres::lint::NEWEST);
    let fixed = postgres::fix::fix(&read.migration, &schema, version).ok()??;
    (fixed.text.len() < 32 * 1024).then_some(fixed.text)
}
