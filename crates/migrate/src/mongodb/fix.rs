//! The safe form of a file of commands, as a rewritten file.
//!
//! A command is replaced by a few that leave the same collections and keep nobody waiting. What was
//! written must parse and be better than before, or nothing is given.

use std::rc::Rc;

use bson::{Bson, Document, doc};
use marula_core::{Result, Version};

use super::context::{Context, each_key};
use super::lint::{lint, walk};
use super::schema::Schema;
pub use crate::lint::Fixed;
use crate::lint::LintOptions;
use crate::migration::{Migration, Tool};

/// How long a change that is done in a moment may wait, in milliseconds.
const MOMENT: i32 = 500;
/// Documents in one batch of a backfill.
const BATCH: i64 = 1000;

/// Rules that are content when the file runs without a transaction around it.
const LOOSENED: [&str; 2] = ["ddl-in-transaction", "collection-transaction"];

/// What one command becomes.
struct Safe {
    steps: Vec<Document>,
    note: Option<String>,
}

/// The safe form of a file, when something in it can be mended. `schema` is what it meets.
///
/// # Errors
/// None so far: what cannot be mended is left as it is.
pub fn fix(migration: &Migration, schema: &Schema, version: Version) -> Result<Option<Fixed>> {
    // A program is not rewritten.
    if migration.tool == Tool::MigrateMongo {
        return Ok(None);
    }
    let ignores = crate::ignore::of(&migration.text, &["//", "/*", "#", "\""]);
    let mut edits: Vec<(usize, usize, Vec<Document>)> = Vec::new();
    let mut notes = Vec::new();
    let mut loose = false;
    let mut previous_end = 0;
    let mut state = Rc::new(schema.clone());
    walk(0, migration, &mut state, version, &mut |_, step, context, drafts| {
        let last = crate::migration::line_of(&migration.text, step.end);
        let silent = |rule: &str| {
            let lines = (step.line, last);
            ignores.iter().any(|i| !i.reason.is_empty() && i.covers(rule, lines, previous_end))
        };
        let rules: Vec<&str> =
            drafts.iter().map(|draft| draft.rule).filter(|rule| !silent(rule)).collect();
        previous_end = last;
        loose |= context.transaction && rules.iter().any(|rule| LOOSENED.contains(rule));
        // A step of which the place is not known cannot be written over.
        if step.end > step.start
            && let Some(safe) = safe(context, &rules)
            && (migration.tool != Tool::GolangMigrate || !is_ours(&safe.steps))
        {
            edits.push((step.start, step.end, safe.steps));
            notes.extend(safe.note.filter(|note| !notes.contains(note)));
        }
    });
    if edits.is_empty() && !loose {
        return Ok(None);
    }
    let mut text = migration.text.clone();
    for (start, end, steps) in edits.iter().rev() {
        text = written(&text, *start, *end, steps);
    }
    if loose {
        let Some(switched) = without_transaction(&text) else { return Ok(None) };
        text = switched;
        notes.push(
            "the commands no longer run in one transaction: a failure leaves those before it in place"
                .into(),
        );
    }
    let path = &migration.path;
    let Ok(parsed) = crate::files::parse(path, &text, migration.tool, migration.engine) else {
        return Ok(None);
    };
    let options = LintOptions { version: Some(version) };
    let of = |migration: &Migration| {
        let mut linted = lint(std::slice::from_ref(migration), schema.clone(), &options);
        linted.pop().map(|linted| linted.findings).unwrap_or_default()
    };
    let mended = crate::lint::mended(&of(migration), &of(&parsed));
    let fixed = Fixed { text, mended, beside: None, notes };
    Ok((!fixed.mended.is_empty()).then_some(fixed))
}

/// Whether a step is one that this program alone runs.
fn is_ours(steps: &[Document]) -> bool {
    steps.iter().any(|step| step.contains_key("backfill"))
}

/// Why no finding of a file can be mended within it, for who asked for it.
pub fn why_none_of(migration: &Migration) -> Option<String> {
    match migration.tool {
        Tool::MigrateMongo => Some("it is a program, which is not rewritten".into()),
        Tool::GolangMigrate => Some(
            "golang-migrate sends its commands as they are, and has no batches: write a .json of this \
             program's with a backfill"
                .into(),
        ),
        _ => None,
    }
}

/// The text with a step written over.
fn written(text: &str, start: usize, end: usize, steps: &[Document]) -> String {
    let (Some(head), Some(old), Some(tail)) =
        (text.get(..start), text.get(start..end), text.get(end..))
    else {
        return text.to_owned();
    };
    let line = head.rfind('\n').map_or(0, |at| at + 1);
    let indent: String = head[line..].chars().take_while(|c| *c == ' ' || *c == '\t').collect();
    let item = old.starts_with("- ");
    let each = steps.iter().map(|step| {
        let json = Bson::Document(step.clone()).into_relaxed_extjson().to_string();
        if item { format!("- {json}") } else { json }
    });
    let joint = if item { format!("\n{indent}") } else { format!(",\n{indent}") };
    let kept = &old[old.trim_end().len()..];
    format!("{head}{}{kept}{tail}", each.collect::<Vec<_>>().join(&joint))
}

/// The file with its transaction switched off.
fn without_transaction(text: &str) -> Option<String> {
    let at = text.find("transaction")?;
    let value = at + text.get(at..)?.find("true")?;
    let between = text.get(at + "transaction".len()..value)?;
    let plain = between.chars().all(|c| c.is_whitespace() || c == '"' || c == ':');
    plain.then(|| format!("{}false{}", &text[..value], &text[value + 4..]))
}

/// What leaves the same collections without the findings, when there is such a thing.
fn safe(context: &Context, rules: &[&str]) -> Option<Safe> {
    let fired = |rule: &str| rules.contains(&rule);
    if context.backfill.is_some() {
        return None;
    }
    let mut steps = vec![context.command.clone()];
    let mut note = None;
    if fired("throwing-conversion") {
        let converted = converting(&Bson::Document(context.command.clone()));
        if let Bson::Document(converted) = converted {
            steps = vec![converted];
            note = Some("what does not convert stays as it is: count it first".to_owned());
        }
    }
    if fired("unbatched-update-many")
        && let Some(fill) = steps.first().and_then(backfill)
    {
        steps = vec![fill];
    }
    if fired("commit-quorum")
        && let Some(command) = steps.first_mut()
    {
        command.remove("commitQuorum");
    }
    if fired("foreground-index")
        && let Some(command) = steps.first_mut()
    {
        for_indexes(command, &mut |index| drop(index.insert("background", true)));
    }
    if fired("unique-index") && context.version >= Version::new(6, 0, 0) {
        steps = prepared(steps);
    }
    if fired("many-index-builds") {
        steps = steps.into_iter().flat_map(one_by_one).collect();
    }
    if fired("strict-validator")
        && let Some(command) = steps.first_mut()
    {
        command.insert("validationLevel", "moderate");
        note = Some(
            "the validator does not look at documents that do not conform yet: mend them, then make it \
             strict in a migration of its own"
                .to_owned(),
        );
    }
    if fired("index-without-limit") {
        for command in &mut steps {
            if command.contains_key("collMod") || command.contains_key("dropIndexes") {
                command.insert("maxTimeMS", MOMENT);
            }
        }
    }
    (steps != [context.command.clone()]).then_some(Safe { steps, note })
}

fn for_indexes(command: &mut Document, change: &mut dyn FnMut(&mut Document)) {
    if let Ok(indexes) = command.get_array_mut("indexes") {
        indexes.iter_mut().filter_map(Bson::as_document_mut).for_each(change);
    }
}

/// The update as a backfill, when it is one update of many that may be split: no document sees
/// another, and a batch that is done twice does no harm.
fn backfill(command: &Document) -> Option<Document> {
    let collection = command.get_str("update").ok()?;
    let updates = command.get_array("updates").ok()?;
    let [Bson::Document(update)] = updates.as_slice() else { return None };
    let known = ["q", "u", "multi", "upsert"];
    let plain = update.keys().all(|key| known.contains(&key.as_str()));
    let upserts = update.get_bool("upsert").unwrap_or(false);
    if !plain || upserts || !update.get_bool("multi").unwrap_or(false) {
        return None;
    }
    let change = update.get("u")?;
    let twice = [
        "$inc",
        "$mul",
        "$push",
        "$pop",
        "$bit",
        "$add",
        "$subtract",
        "$multiply",
        "$divide",
        "$concat",
        "$concatArrays",
        "$rand",
    ];
    let mut harmless = true;
    each_key(change, &mut |key, _| harmless &= !twice.contains(&key));
    let filter = update.get_document("q").cloned().unwrap_or_default();
    harmless.then(|| {
        doc! { "backfill": { "collection": collection, "filter": filter, "update": change.clone(),
        "batch": BATCH, "pace": "50ms" } }
    })
}

/// Unique indexes as ordinary ones, made unique when they are built.
fn prepared(steps: Vec<Document>) -> Vec<Document> {
    let mut all = Vec::new();
    for mut command in steps {
        let Ok(collection) = command.get_str("createIndexes").map(str::to_owned) else {
            all.push(command);
            continue;
        };
        let mut later: Vec<String> = Vec::new();
        for_indexes(&mut command, &mut |index| {
            let unique = index.get_bool("unique").unwrap_or(false);
            if let (true, Ok(name)) = (unique, index.get_str("name").map(str::to_owned)) {
                index.remove("unique");
                later.push(name);
            }
        });
        all.push(command);
        for name in later {
            for change in ["prepareUnique", "unique"] {
                all.push(doc! { "collMod": &collection, "index": { "name": &name, change: true },
                "maxTimeMS": if change == "unique" { 60_000 } else { MOMENT } });
            }
        }
    }
    all
}

/// A build of many indexes as one after the other.
fn one_by_one(command: Document) -> Vec<Document> {
    let Ok(indexes) = command.get_array("indexes").cloned() else { return vec![command] };
    if !command.contains_key("createIndexes") {
        return vec![command];
    }
    let one = |index: Bson| {
        let mut one = command.clone();
        one.insert("indexes", vec![index]);
        one
    };
    indexes.into_iter().map(one).collect()
}

/// Conversions that fail as ones that leave what they cannot convert.
fn converting(value: &Bson) -> Bson {
    const SHORT: [(&str, &str); 7] = [
        ("$toInt", "int"),
        ("$toLong", "long"),
        ("$toDouble", "double"),
        ("$toDecimal", "decimal"),
        ("$toDate", "date"),
        ("$toObjectId", "objectId"),
        ("$toBool", "bool"),
    ];
    // The driver's documents are at most a hundred levels deep.
    match value {
        Bson::Document(document) => {
            let only = document.iter().next().filter(|_| document.len() == 1);
            if let Some((key, inner)) = only {
                let inner = converting(inner);
                if let Some((_, to)) = SHORT.iter().find(|(short, _)| short == key) {
                    return Bson::Document(doc! { "$convert": { "input": inner.clone(), "to": *to,
                    "onError": inner, "onNull": Bson::Null } });
                }
                if key == "$convert"
                    && let Bson::Document(mut convert) = inner.clone()
                    && !convert.contains_key("onError")
                {
                    let input = convert.get("input").cloned().unwrap_or(Bson::Null);
                    convert.insert("onError", input);
                    return Bson::Document(doc! { "$convert": convert });
                }
            }
            let each = document.iter().map(|(key, value)| (key.clone(), converting(value)));
            Bson::Document(each.collect())
        }
        Bson::Array(all) => Bson::Array(all.iter().map(converting).collect()),
        other => other.clone(),
    }
}
