//! The safe form of a file: how each finding is mended, as a rewritten file.
//!
//! A statement is replaced by a few that lead to the same schema and keep nobody waiting; the
//! tool's own way of switching its transaction off is written where one of them needs it. What was
//! written must parse and be better than before, or nothing is given.

mod column;
mod constraint;
mod partition;
mod parts;
mod statement;
mod write;

use std::path::PathBuf;
use std::rc::Rc;

use marula_core::{Blocks, MigrationHazard, MigrationWork, Result, Severity, Version};

use super::context::Context;
use super::lint::{lint, walk};
use super::schema::{Schema, table_key};
use super::state;
pub(crate) use column::LAST_PASS;

pub use crate::lint::Fixed;
use crate::lint::LintOptions;
use crate::migration::{Migration, Step, StepKind, Tool};
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

/// Why a rule's finding has no rewritten form, for who asked for one.
pub fn why_none(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "domain-constraint" => {
            "even VALIDATE on a domain keeps writers out of every table that uses it while all rows \
             are read: put the condition on the tables, as CHECK … NOT VALID and VALIDATE"
        }
        "full-rewrite" => {
            "no statement writes a table anew while others work on it: pg_repack does, outside of \
             migrations"
        }
        "add-exclusion" => {
            "no server has an online form of it: an exclusion constraint is neither added NOT VALID nor \
             put on an index. Add it while nobody writes, with a lock_timeout; or make another table \
             with it, and copy the rows while a trigger brings what is written meanwhile"
        }
        "create-index" | "add-unique" | "add-primary-key" | "foreign-key-partitioned" => {
            "on a partitioned table it takes one on the parent alone (ON ONLY), one built CONCURRENTLY on \
             each partition, and ALTER INDEX … ATTACH PARTITION (a foreign key: NOT VALID on each, \
             VALIDATE, then on the parent). That is written here where the partitions are known (--schema, \
             a target) and have nothing like it yet, without IF NOT EXISTS; an index that is there under \
             another name, or a statement that replaces a key, is for a person"
        }
        "change-type"
        | "change-type-timestamptz"
        | "add-column-stored"
        | "set-expression"
        | "change-collation"
        | "add-column-domain" => {
            "it takes several migrations: marula migrate change-type writes them"
        }
        "add-column-identity" => {
            "add the column without it, fill it with marula migrate backfill, and make it an \
             identity that begins behind what is there"
        }
        "add-column-volatile-default" => {
            "the default may be NULL for a row, or stands beside something that is not rewritten \
             here: add the column without it, SET DEFAULT, and fill the rows that are there with \
             marula migrate backfill"
        }
        "rename" => "it takes several migrations: marula migrate rename writes them",
        "attach-partition" | "partition-beside-default" => {
            "only bounds of one column, by range or list, and plain indexes are written here: add a \
             CHECK with the bounds NOT VALID, VALIDATE it, build the indexes, then ATTACH"
        }
        "create-partition" => {
            "CREATE TABLE by itself, then ATTACH PARTITION, locks the parent less"
        }
        "truncate" | "drop-column" => "what is lost is lost in any form",
        _ => return None,
    })
}

/// Rules that are content when the file runs without a transaction around it.
const LOOSENED: [&str; 4] = [
    "validate-under-lock",
    "held-lock",
    "concurrently-in-transaction",
    "enum-value-in-transaction",
];

/// The safe form of a file, when something in it can be mended. `schema` is what it meets.
///
/// # Errors
/// `Internal` when a statement cannot be written.
pub fn fix(migration: &Migration, schema: &Schema, version: Version) -> Result<Option<Fixed>> {
    let mut edits: Vec<(usize, usize, Vec<String>)> = Vec::new();
    let mut loose = false;
    let mut failed = None;
    let ignores = crate::ignore::of(&migration.text, &["--", "/*"]);
    let mut state = Rc::new(schema.clone());
    let mut previous_end = 0;
    let wrapped = wrapped(migration);
    let mut inner = false;
    walk(0, migration, &mut state, version, &mut |_, step, context| {
        if let Some(NodeEnum::TransactionStmt(control)) = context.node() {
            if wrapped {
                // The file is one transaction: it ends where the tool's own does.
                edits.push((step.start, after(&migration.text, step.end), Vec::new()));
                return;
            }
            inner = opens(control) || inner && !closes(control);
        }
        let last = crate::migration::line_of(&migration.text, step.end);
        let silent = |rule: &str| {
            let lines = (step.line, last);
            ignores.iter().any(|i| !i.reason.is_empty() && i.covers(rule, lines, previous_end))
        };
        let rules: Vec<&str> =
            context.found.iter().map(|draft| draft.rule).filter(|rule| !silent(rule)).collect();
        previous_end = last;
        if context.transaction.of_tool {
            loose |= rules.iter().any(|rule| LOOSENED.contains(rule));
        }
        // goose sends what stands between its brackets as one.
        let first = step.start + super::files::blank_prefix(&step.text);
        let before = migration.text.get(..first).unwrap_or_default();
        let before = before.trim_end().lines().last().unwrap_or_default();
        if migration.tool == Tool::Goose && before.contains("StatementBegin") {
            return;
        }
        // The user wrote BEGIN: what is inside belongs together.
        if !wrapped && (inner || context.transaction.open && !context.transaction.of_tool) {
            return;
        }
        match statement::safe(context, &rules) {
            Ok(Some(safe)) => {
                loose = true;
                edits.push((step.start, step.end, safe));
            }
            Ok(None) => {}
            Err(error) => failed = Some(error),
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    if edits.iter().all(|(_, _, safe)| safe.is_empty()) && !loose {
        return Ok(None);
    }
    if (migration.options.transaction || wrapped) && needs_transaction(migration).is_some() {
        return Ok(None);
    }
    let mut text = migration.text.clone();
    for (start, end, safe) in edits.iter().rev() {
        match bracketed(migration, safe) {
            Some(lines) => text.replace_range(*start..after(&migration.text, *end), &lines),
            None => text.replace_range(*start..*end, &safe.join(";\n")),
        }
    }
    let mut beside = None;
    let mut notes = Vec::new();
    if edits.iter().any(|(_, _, safe)| safe.iter().any(|one| one.contains(LAST_PASS))) {
        notes.push(
            "the rows that are there are filled by UPDATE, in batches: UPDATE triggers of the table \
             fire for each of them"
                .to_string(),
        );
    }
    if migration.options.transaction {
        let Some(switched) = without_transaction(migration, text, &mut beside) else {
            return Ok(None);
        };
        text = switched;
    }
    if (migration.options.transaction || wrapped) && migration.up.len() > 1 {
        notes.push(
            "the statements no longer run in one transaction: a failure leaves those before it in \
             place"
                .to_string(),
        );
    }
    checked(migration, schema, version, Fixed { text, mended: Vec::new(), beside, notes })
}

/// Statements as goose wants them where one has semicolons of its own: it cuts at those.
fn bracketed(migration: &Migration, statements: &[String]) -> Option<String> {
    if migration.tool != Tool::Goose || !statements.iter().any(|one| one.contains(';')) {
        return None;
    }
    let one = |one: &String| match one.contains(';') {
        true => format!("-- +goose StatementBegin\n{one};\n-- +goose StatementEnd\n"),
        false => format!("{one};\n"),
    };
    Some(statements.iter().map(one).collect())
}

/// Whether a file is wrapped in a transaction of its own, and has no other.
fn wrapped(migration: &Migration) -> bool {
    let control = |step: &Step| match &step.kind {
        StepKind::Sql(statement) => match statement.root() {
            Some(NodeEnum::TransactionStmt(control)) => Some(control.clone()),
            _ => None,
        },
        _ => None,
    };
    let all: Vec<_> = migration.up.iter().map(control).collect();
    let ends = matches!(all.as_slice(), [Some(first), .., Some(last)]
        if opens(first) && last.kind == pb::TransactionStmtKind::TransStmtCommit as i32);
    ends && all.iter().flatten().count() == 2
}

fn opens(control: &pb::TransactionStmt) -> bool {
    use pb::TransactionStmtKind as Kind;
    [Kind::TransStmtBegin as i32, Kind::TransStmtStart as i32].contains(&control.kind)
}

fn closes(control: &pb::TransactionStmt) -> bool {
    use pb::TransactionStmtKind as Kind;
    [Kind::TransStmtCommit as i32, Kind::TransStmtRollback as i32].contains(&control.kind)
}

/// Behind a statement's semicolon and the end of its line.
fn after(text: &str, end: usize) -> usize {
    let rest = &text[end..];
    let blank = rest.len() - rest.trim_start_matches([';', ' ', '\t']).len();
    let line = usize::from(rest[blank..].starts_with('\n'));
    end + blank + line
}

/// What in a file means something in a transaction alone.
fn needs_transaction(migration: &Migration) -> Option<&'static str> {
    use pb::TransactionStmtKind as Kind;
    let statements = migration.up.iter().filter_map(|step| match &step.kind {
        StepKind::Sql(statement) => statement.root(),
        _ => None,
    });
    let temporary = |relation: &Option<pb::RangeVar>, on_commit: i32| {
        relation.as_ref().is_some_and(|relation| relation.relpersistence == "t")
            && [
                pb::OnCommitAction::OncommitDrop as i32,
                pb::OnCommitAction::OncommitDeleteRows as i32,
            ]
            .contains(&on_commit)
    };
    statements.into_iter().find_map(|node| match node {
        NodeEnum::TransactionStmt(control)
            if [
                Kind::TransStmtSavepoint as i32,
                Kind::TransStmtRelease as i32,
                Kind::TransStmtRollbackTo as i32,
            ]
            .contains(&control.kind) =>
        {
            Some("SAVEPOINT")
        }
        NodeEnum::VariableSetStmt(set) if set.is_local => Some("SET LOCAL"),
        NodeEnum::LockStmt(_) => Some("LOCK TABLE"),
        NodeEnum::DeclareCursorStmt(_) => Some("DECLARE … CURSOR"),
        NodeEnum::CreateStmt(create) => {
            temporary(&create.relation, create.oncommit).then_some("ON COMMIT")
        }
        NodeEnum::CreateTableAsStmt(create) => create
            .into
            .as_ref()
            .is_some_and(|into| temporary(&into.rel, into.on_commit))
            .then_some("ON COMMIT"),
        _ => None,
    })
}

/// Why no finding of a file can be mended within it, for who asked for it.
pub fn why_none_of(migration: &Migration) -> Option<String> {
    if let Some(what) = needs_transaction(migration) {
        return Some(format!(
            "it has a {what}, which means something in a transaction alone, and what is safe needs \
             several: divide the file"
        ));
    }
    let name = migration.tool.name();
    match migration.tool {
        Tool::GolangMigrate | Tool::Prisma => Some(format!(
            "{name} sends a file as one query, which is one transaction when it has several \
             statements: give each statement of the safe form a file of its own"
        )),
        Tool::Diesel if migration.options.transaction => Some(format!(
            "{name} runs it in a transaction: write run_in_transaction = false in metadata.toml \
             beside it"
        )),
        _ => None,
    }
}

/// Whether its tool runs the file's only statement by itself, so that several would become a
/// transaction.
fn alone(migration: &Migration) -> bool {
    matches!(migration.tool, Tool::GolangMigrate | Tool::Prisma)
}

/// Switches the tool's transaction off.
fn without_transaction(
    migration: &Migration,
    text: String,
    beside: &mut Option<(PathBuf, String)>,
) -> Option<String> {
    match migration.tool {
        Tool::Marula | Tool::Dbmate => {
            let Some(line) = text.lines().find(|line| {
                line.trim_start()
                    .strip_prefix("--")
                    .is_some_and(|l| l.trim().starts_with("migrate:up"))
            }) else {
                return Some(format!("-- migrate:up transaction:false\n{text}"));
            };
            let switched = if line.contains("transaction:true") {
                line.replace("transaction:true", "transaction:false")
            } else {
                format!("{} transaction:false", line.trim_end())
            };
            Some(text.replacen(line, &switched, 1))
        }
        Tool::Goose => Some(format!("-- +goose NO TRANSACTION\n{text}")),
        Tool::Sqlx => Some(format!("-- no-transaction\n{text}")),
        Tool::Flyway => {
            let conf = PathBuf::from(format!("{}.conf", migration.path.display()));
            *beside = Some((conf, "executeInTransaction=false\n".into()));
            Some(text)
        }
        // They send a file as one query, which is one transaction: only several files would do.
        Tool::GolangMigrate | Tool::Diesel | Tool::Prisma => None,
        // It becomes a migration when it is given a version.
        Tool::Plain => Some(format!("-- migrate:up transaction:false\n{text}")),
        Tool::MigrateMongo => Some(text),
    }
}

/// Whether the rewritten file parses and is better.
fn checked(
    migration: &Migration,
    schema: &Schema,
    version: Version,
    mut fixed: Fixed,
) -> Result<Option<Fixed>> {
    let parsed =
        crate::files::parse(&migration.path, &fixed.text, migration.tool, migration.engine);
    let Ok(mut parsed) = parsed else { return Ok(None) };
    if fixed.beside.is_some() {
        parsed.options.transaction = false;
    }
    if alone(&parsed) && parsed.up.len() > 1 {
        return Ok(None);
    }
    let options = LintOptions { version: Some(version) };
    let of = |migration: &Migration| {
        let mut linted = lint(std::slice::from_ref(migration), schema.clone(), &options);
        linted.pop().map(|linted| linted.findings).unwrap_or_default()
    };
    let (before, after) = (of(migration), of(&parsed));
    fixed.mended = crate::lint::mended(&before, &after);
    // Another statement of a rule that is mended elsewhere.
    let left = after.iter().filter(|finding| {
        finding.severity > Severity::Info
            && finding.hazard.as_ref().is_some_and(MigrationHazard::grows_while_blocking)
            && fixed.mended.contains(&finding.rule)
    });
    let left = left.filter_map(|finding| {
        let why = why_none(&finding.rule)?;
        Some(format!("{} as before: {why}", finding.title))
    });
    fixed.notes.extend(left);
    let better = !fixed.mended.is_empty();
    Ok(better.then_some(fixed))
}

/// A statement's safe form, and what it does to others without it.
pub(crate) struct Planned {
    /// The statements that take its place: itself when it has no other form.
    pub forms: Vec<String>,
    /// The most that it does while others wait for it.
    pub work: MigrationWork,
}

/// The table that an index or a constraint is made on.
fn table_of(context: &Context) -> Option<String> {
    match context.node() {
        Some(NodeEnum::IndexStmt(index)) => index.relation.as_ref().map(table_key),
        Some(NodeEnum::AlterTableStmt(alter)) => alter.relation.as_ref().map(table_key),
        _ => None,
    }
}

/// Whether a statement detaches a partition: what attaches it again gives it other bounds.
fn moves_partition(context: &Context) -> bool {
    let Some(NodeEnum::AlterTableStmt(alter)) = context.node() else { return false };
    alter.cmds.iter().any(|node| {
        matches!(&node.node, Some(NodeEnum::AlterTableCmd(cmd))
            if cmd.subtype == pg_query::protobuf::AlterTableType::AtDetachPartition as i32)
    })
}

/// Each of these statements in its safe form, which may be several; a statement that has none is
/// given back as it is, and so is one on a table of which they change the partitions, for they may run
/// in another order. `schema` is what they meet, in their order. With each stands what it does to others
/// as it is.
///
/// # Errors
/// `Syntax` when one does not parse, `Internal` when one cannot be written.
pub(crate) fn planned(texts: &[String], schema: &Schema, version: Version) -> Result<Vec<Planned>> {
    let mut forms: Vec<Planned> = texts
        .iter()
        .map(|text| Planned { forms: vec![text.clone()], work: MigrationWork::None })
        .collect();
    let text = format!("-- migrate:up transaction:false\n{};\n", texts.join(";\n"));
    let path = std::path::Path::new("00000000000001_plan.sql");
    let engine = marula_core::Engine::Postgres;
    let migration = crate::files::parse(path, &text, Tool::Marula, engine)?;
    if migration.up.len() != texts.len() {
        return Ok(forms);
    }
    let mut failed = None;
    let mut safe_on: Vec<(usize, String)> = Vec::new();
    let mut moved: Vec<String> = Vec::new();
    let mut state = Rc::new(schema.clone());
    walk(0, &migration, &mut state, version, &mut |at, _, context| {
        let rules: Vec<&str> = context.found.iter().map(|draft| draft.rule).collect();
        moved.extend(table_of(context).filter(|_| moves_partition(context)));
        let waits = context.found.iter().filter(|draft| draft.blocks != Blocks::Nothing);
        forms[at].work = waits.map(|draft| draft.work).max().unwrap_or(MigrationWork::None);
        match statement::safe(context, &rules) {
            Ok(Some(safe)) => {
                forms[at].forms = safe;
                safe_on.extend(table_of(context).map(|table| (at, table)));
            }
            Ok(None) => {}
            Err(error) => failed = Some(error),
        }
    });
    for (at, table) in safe_on {
        let (before, after) = (state::below(schema, &table), state::below(&state, &table));
        let moved = moved.iter().any(|parent| *parent == table || after.contains(parent));
        if before != after || moved {
            forms[at].forms = vec![texts[at].clone()];
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(forms),
    }
}
