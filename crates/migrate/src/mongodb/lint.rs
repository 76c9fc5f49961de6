//! The way through the files: each command meets what the ones before it left.

use std::rc::Rc;
use std::time::Instant;

use bson::doc;
use marula_core::Version;

use super::context::Context;
use super::rules;
use super::schema::Schema;
use crate::lint::{LintOptions, Linted, Teller};
use crate::migration::{Migration, Step, StepKind, Tool};
use crate::rule::Draft;

/// The version that is assumed when none is said.
pub const NEWEST: Version = Version::new(8, 0, 0);

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

/// Follows migrations that have run already, without a word on them.
pub fn follow(schema: &mut Schema, migrations: &[Migration]) {
    for step in migrations.iter().flat_map(|migration| &migration.up) {
        if let StepKind::Command(command) = &step.kind {
            schema.apply(command, None);
        }
    }
}

/// What is seen of each command: its index, itself, where it stands, what was found.
pub(super) type Visit<'a> = &'a mut dyn FnMut(usize, &Step, &Context, Vec<Draft>);

/// Goes through a file; `schema` follows it.
pub(super) fn walk(
    file: usize,
    migration: &Migration,
    schema: &mut Rc<Schema>,
    version: Version,
    visit: Visit<'_>,
) {
    for (index, step) in migration.up.iter().enumerate() {
        let (command, backfill) = match &step.kind {
            StepKind::Command(command) => (command.clone(), None),
            StepKind::Backfill(backfill) => (
                doc! { "update": &backfill.collection, "updates": [{
                    "q": backfill.filter.clone(), "u": backfill.update.clone(), "multi": true,
                }] },
                Some(backfill.clone()),
            ),
            StepKind::Sql(_) => continue,
        };
        let context = Context {
            command,
            backfill,
            schema: schema.clone(),
            transaction: migration.options.transaction,
            version,
            file,
            limited: migration.tool == Tool::Marula && migration.version.is_some(),
        };
        visit(index, step, &context, check(&context));
        let command = context.command.clone();
        drop(context);
        Rc::make_mut(schema).apply(&command, Some(file));
    }
}

fn one(file: usize, migration: &Migration, schema: &mut Rc<Schema>, version: Version) -> Linted {
    let began = Instant::now();
    let mut teller = Teller::new(migration);
    walk(file, migration, schema, version, &mut |index, step, context, drafts| {
        teller.tell(index, step, drafts, &|name| context.schema.collections.get(name)?.size);
    });
    let known: Vec<&'static str> = rules().iter().map(|rule| rule.info.id).collect();
    let (findings, ignored) = teller.finish(&known);
    Linted { file: migration.path.display().to_string(), findings, ignored, took: began.elapsed() }
}

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for rule in rules() {
        if rule.info.since.is_some_and(|since| context.version < since) {
            continue;
        }
        let mut drafts = (rule.check)(context);
        drafts.retain(|draft| {
            draft.even_new || !draft.object.as_deref().is_some_and(|name| context.is_new(name))
        });
        for draft in &mut drafts {
            draft.rule = rule.info.id;
            draft.severity = draft.severity.min(rule.info.severity);
        }
        found.append(&mut drafts);
    }
    found
}
