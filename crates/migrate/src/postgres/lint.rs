//! The way through the files: each statement meets what the ones before it left.

use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use marula_core::{Result, Version};

use super::context::Context;
use super::schema::Schema;
use super::transaction::Transaction;
use super::{Lock, rules, state};
use crate::lint::{LintOptions, Linted, Teller};
use crate::migration::{Migration, Step, StepKind, Tool};

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
        if let StepKind::Sql(statement) = &step.kind
            && let Some(node) = statement.root()
        {
            state::apply(&mut schema, node, None);
        }
    }
    Ok(schema)
}

/// Follows migrations that have run already, without a word on them.
pub fn follow(schema: &mut Schema, migrations: &[Migration]) {
    for step in migrations.iter().flat_map(|migration| &migration.up) {
        if let StepKind::Sql(statement) = &step.kind
            && let Some(node) = statement.root()
        {
            state::apply(schema, node, None);
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
        let context = check(Context {
            statement: statement.clone(),
            schema: schema.clone(),
            transaction: transaction.clone(),
            version,
            file,
            found: Vec::new(),
        });
        visit(index, step, &context);
        let found = context.found;
        drop((context.schema, context.transaction));
        let now = Rc::make_mut(&mut transaction);
        for draft in &found {
            let lock = draft.lock.and_then(Lock::from_name);
            if let (Some(lock), Some(object), true) = (lock, &draft.object, now.open)
                && lock >= Lock::Share
            {
                now.held.push((object.clone(), lock));
            }
        }
        if let Some(node) = statement.root() {
            now.apply(node);
            state::apply(Rc::make_mut(schema), node, Some(file));
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
    let known: Vec<&'static str> = rules().iter().map(|rule| rule.info.id).collect();
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
