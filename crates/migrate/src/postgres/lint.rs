//! The way through the files: each statement meets what the ones before it left.

use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use marula_core::{Result, Severity, Version};
use marula_postgres::sql::ParsedStatement;

use super::blocks::{self, Body};
use super::context::Context;
use super::schema::Schema;
use super::transaction::Transaction;
use super::{Lock, rules, state};
use crate::lint::{LintOptions, Linted, Teller};
use crate::migration::{Migration, Step, StepKind, Tool};
use crate::rule::Draft;

/// The version that is assumed when none is said.
pub const NEWEST: Version = Version::new(18, 0, 0);

/// Lints migrations in order. `schema` is what is there before the first one, as far as it is
/// known; it follows them.
pub fn lint(migrations: &[Migration], schema: Schema, options: &LintOptions) -> Vec<Linted> {
    let version = options.version.unwrap_or(NEWEST);
    let mut schema = Rc::new(schema);
    migrations
        .iter()
        .enumerate()
        .map(|(file, migration)| one(file, migration, &mut schema, version))
        .collect()
}

/// The schema that a text of statements makes, for what is there before a migration.
///
/// # Errors
/// `Syntax` with the place marked.
pub fn schema_of(path: &Path, text: &str) -> Result<Schema> {
    let mut schema = Schema::default();
    let text = text.trim_start_matches('\u{feff}');
    for step in super::files::steps(path, text, 0..text.len(), Tool::Plain)? {
        if let StepKind::Sql(statement) = &step.kind {
            follow_one(&mut schema, statement, None);
        }
    }
    Ok(schema)
}

/// Follows migrations that have run already, without a word on them.
pub fn follow(schema: &mut Schema, migrations: &[Migration]) {
    for step in migrations.iter().flat_map(|migration| &migration.up) {
        if let StepKind::Sql(statement) = &step.kind {
            follow_one(schema, statement, None);
        }
    }
}

/// Follows a statement, and what it runs if it is a block.
fn follow_one(schema: &mut Schema, statement: &ParsedStatement, file: Option<usize>) {
    for statement in blocks::with_body(statement) {
        if let Some(node) = statement.root() {
            state::apply(schema, node, file);
        }
    }
}

/// What is seen of each statement: its index, itself, where it stands, what was found.
pub(super) type Visit<'a> = &'a mut dyn FnMut(usize, &Step, &Context);

/// Goes through a file; `schema` follows it.
pub(super) fn walk(
    file: usize,
    migration: &Migration,
    schema: &mut Rc<Schema>,
    version: Version,
    visit: Visit<'_>,
) {
    let mut transaction = Rc::new(Transaction::begin(&migration.options));
    for (index, step) in migration.up.iter().enumerate() {
        let StepKind::Sql(statement) = &step.kind else { continue };
        let mut context = check(Context {
            statement: statement.clone(),
            schema: schema.clone(),
            transaction: transaction.clone(),
            version,
            file,
            found: Vec::new(),
        });
        if let Some(body) = blocks::body(statement) {
            let found = inside(&context, body);
            context.found.extend(found);
        }
        visit(index, step, &context);
        let found = context.found;
        drop((context.schema, context.transaction));
        let now = Rc::make_mut(&mut transaction);
        hold(now, &found);
        let block = blocks::with_body(statement);
        if let Some(node) = statement.root() {
            now.apply(node);
        }
        // What a block drops is dropped for those behind it; its settings end with it.
        now.dropped.extend(dropped(&block));
        follow_one(Rc::make_mut(schema), statement, Some(file));
    }
}

/// The indexes that statements drop.
fn dropped(statements: &[ParsedStatement]) -> Vec<String> {
    let mut own = Transaction::begin(&crate::Options::default());
    statements.iter().filter_map(ParsedStatement::root).for_each(|node| own.apply(node));
    own.dropped
}

/// What the statements of a block's body are found to do, one after the other.
fn inside(block: &Context, body: Body) -> Vec<Draft> {
    let mut schema = block.schema.clone();
    let mut transaction = block.transaction.clone();
    let mut all = Vec::new();
    {
        let now = Rc::make_mut(&mut transaction);
        now.open = true;
        now.batched |= body.commits;
    }
    for (statement, below) in body.statements {
        let context = check(Context {
            statement: statement.clone(),
            schema: schema.clone(),
            transaction: transaction.clone(),
            version: block.version,
            file: block.file,
            found: Vec::new(),
        });
        let found = context.found;
        drop((context.schema, context.transaction));
        let now = Rc::make_mut(&mut transaction);
        hold(now, &found);
        if let Some(node) = statement.root() {
            now.apply(node);
        }
        // What ends a transaction begins the next.
        now.open = true;
        follow_one(Rc::make_mut(&mut schema), &statement, Some(block.file));
        all.extend(found.into_iter().map(|draft| Draft { below, ..draft }));
    }
    for (text, below) in body.unread {
        let title = format!("not read: {}", text.chars().take(120).collect::<String>());
        let why =
            "What it runs is put together as it runs: nothing is said of its locks. Rehearse it.";
        let draft = Draft::plain(Severity::Info, title, why);
        all.push(Draft { rule: UNREAD, below, ..draft });
    }
    all
}

/// What is said of statements that are put together at run time.
const UNREAD: &str = "unread-sql";

/// Notes what a statement has locked till the transaction ends.
fn hold(transaction: &mut Transaction, found: &[Draft]) {
    if !transaction.open {
        return;
    }
    for draft in found {
        let lock = draft.lock.and_then(Lock::from_name).filter(|lock| *lock >= Lock::Share);
        if let (Some(lock), Some(object)) = (lock, &draft.object) {
            transaction.held.push((object.clone(), lock));
        }
    }
}

fn one(file: usize, migration: &Migration, schema: &mut Rc<Schema>, version: Version) -> Linted {
    let began = Instant::now();
    let mut teller = Teller::new(migration);
    walk(file, migration, schema, version, &mut |index, step, context| {
        let patient = !context.transaction.waits_briefly();
        let shown = context.found.iter().filter(|draft| patient || !draft.brief).cloned().collect();
        teller.tell(index, step, shown, &|name| context.table(name)?.size);
    });
    let mut known: Vec<&'static str> = rules().iter().map(|rule| rule.info.id).collect();
    known.push(UNREAD);
    let (findings, ignored) = teller.finish(&known);
    Linted { file: migration.path.display().to_string(), findings, ignored, took: began.elapsed() }
}

/// The statement with what all rules of the version find in it.
fn check(mut context: Context) -> Context {
    for rule in rules() {
        if rule.info.since.is_some_and(|since| context.version.major < since.major) {
            continue;
        }
        let mut drafts = (rule.check)(&context);
        drafts.retain(|draft| {
            let new = draft.object.as_deref().is_some_and(|object| context.is_new(object));
            draft.even_new || !new
        });
        for draft in &mut drafts {
            draft.rule = rule.info.id;
            draft.severity = draft.severity.min(rule.info.severity);
        }
        context.found.append(&mut drafts);
    }
    context
}
