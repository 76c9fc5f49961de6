//! A folder beside a history: what is due, and where the two disagree.

use std::collections::HashMap;

use marula_core::{Drift, DriftKind, MigrationState, MigrationStatus};

use super::record::{Record, State, digest, file_name, key_of};
use crate::files::FileName;
use crate::migration::{Migration, MigrationKind};

/// What comes of it.
#[derive(Debug)]
pub struct Compared {
    /// The indexes in the folder of those whose up part is to run, in order.
    pub due: Vec<usize>,
    /// Where folder and history disagree.
    pub drift: Vec<Drift>,
    /// All of both, in the order in which they run.
    pub list: Vec<MigrationStatus>,
}

/// Compares. `out_of_order` lets what was slipped in between run all the same.
pub fn compare(folder: &[Migration], history: &[Record], out_of_order: bool) -> Compared {
    let records: HashMap<&str, &Record> =
        history.iter().map(|record| (record.key.as_str(), record)).collect();
    let ran = |record: &Record| record.state != State::Reverted;
    let last = history
        .iter()
        .filter(|record| ran(record))
        .filter_map(|record| record.version.as_deref())
        // Other tools' names of what they ran are in no order with numbers.
        .filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        .max_by_key(|version| FileName::order(version));
    let mut compared = Compared { due: Vec::new(), drift: Vec::new(), list: Vec::new() };
    let missing: Vec<&Record> = history
        .iter()
        .filter(|record| ran(record) && !folder.iter().any(|m| key_of(m) == record.key))
        .collect();
    let mut moved: Vec<&str> = Vec::new();
    for (at, migration) in folder.iter().enumerate() {
        let key = key_of(migration);
        let record = records.get(key.as_str()).copied().filter(|record| ran(record));
        compared.list.push(status(migration, record));
        let Some(record) = record else {
            compared.due.push(at);
            let version = migration.version.as_deref();
            if let Some(old) = missing.iter().find(|old| old.checksum == migration.checksum) {
                moved.push(&old.key);
                compared.drift.push(renumbered(migration, &key, old));
            } else if let (Some(version), Some(last)) = (version, last)
                && migration.kind == MigrationKind::Versioned
                && FileName::order(version) < FileName::order(last)
                && !out_of_order
            {
                compared.drift.push(reordered(migration, &key, last));
            }
            continue;
        };
        match record.state {
            State::Applied if record.checksum == migration.checksum => {}
            State::Applied if migration.kind == MigrationKind::Repeatable => compared.due.push(at),
            State::Applied => compared.drift.push(changed(migration, &key)),
            State::Applying => {
                compared.due.push(at);
                if let Some(step) = changed_step(&migration.up, record) {
                    compared.drift.push(changed_in_the_middle(migration, &key, step));
                }
            }
            State::Reverting => {
                let down = migration.down.as_deref().unwrap_or_default();
                if let Some(step) = changed_step(down, record) {
                    compared.drift.push(changed_in_the_middle(migration, &key, step));
                }
            }
            State::Reverted => {}
        }
    }
    for record in missing {
        compared.list.push(only_known(record));
        // Of another tool's files that are not read here only the name was taken over.
        let by_name_only = record.adopted_from.is_some() && record.checksum.is_empty();
        if !by_name_only && !moved.contains(&record.key.as_str()) {
            compared.drift.push(gone(record));
        }
    }
    compared.list.sort_by_key(|status| {
        let repeatable = status.key.starts_with("R__");
        let foreign = status.file.is_none() && status.adopted_from.is_some();
        (!foreign, repeatable, FileName::order(&status.key), status.key.clone())
    });
    compared
}

/// The first step that is done or begun and reads differently now, from 1.
fn changed_step(steps: &[crate::Step], record: &Record) -> Option<usize> {
    let mut known: Vec<&str> = record.done.iter().map(String::as_str).collect();
    if let Some(current) = &record.current {
        known.push(&current.digest);
    }
    let same = |at: usize| steps.get(at).is_some_and(|step| digest(step) == known[at]);
    (0..known.len()).find(|at| !same(*at)).map(|at| at + 1)
}

fn status(migration: &Migration, record: Option<&Record>) -> MigrationStatus {
    let state = match record.map(|record| record.state) {
        None | Some(State::Reverted) => MigrationState::Pending,
        Some(State::Applying) => MigrationState::Half,
        Some(State::Applied) => MigrationState::Applied,
        Some(State::Reverting) => MigrationState::HalfReverted,
    };
    let steps = match (state, &migration.down) {
        (MigrationState::HalfReverted, Some(down)) => down.len(),
        _ => migration.up.len(),
    };
    let batch = record.and_then(|record| record.current.as_ref()?.batch.as_ref());
    MigrationStatus {
        key: key_of(migration),
        name: migration.name.clone(),
        file: Some(migration.path.display().to_string()),
        tool: migration.tool.name().to_string(),
        state,
        steps: u32::try_from(steps).unwrap_or(u32::MAX),
        done: match (state, record) {
            (MigrationState::Applied, _) => u32::try_from(steps).unwrap_or(u32::MAX),
            (_, Some(record)) => u32::try_from(record.done.len()).unwrap_or(u32::MAX),
            _ => 0,
        },
        rows: batch.map(|batch| batch.rows),
        reversible: reversible(migration),
        started: record.and_then(|record| record.started),
        finished: record.and_then(|record| record.finished),
        by: record.map(|record| record.by.clone()),
        adopted_from: record.and_then(|record| record.adopted_from.clone()),
        ms: None,
        statements: Vec::new(),
    }
}

/// Whether there is a way back.
pub fn reversible(migration: &Migration) -> bool {
    migration.down.as_ref().is_some_and(|down| !down.is_empty())
}

fn only_known(record: &Record) -> MigrationStatus {
    MigrationStatus {
        key: record.key.clone(),
        name: record.name.clone(),
        file: None,
        tool: record.tool.clone(),
        state: match record.state {
            State::Applying => MigrationState::Half,
            State::Reverting => MigrationState::HalfReverted,
            _ => MigrationState::Applied,
        },
        steps: record.steps,
        done: u32::try_from(record.done.len()).unwrap_or(u32::MAX),
        rows: None,
        reversible: false,
        started: record.started,
        finished: record.finished,
        by: Some(record.by.clone()),
        adopted_from: record.adopted_from.clone(),
        ms: None,
        statements: Vec::new(),
    }
}

fn drift(kind: DriftKind, key: &str, message: String, ways: [String; 3]) -> Drift {
    Drift { kind, key: key.to_string(), message, ways: ways.to_vec() }
}

fn changed(migration: &Migration, key: &str) -> Drift {
    let file = file_name(migration);
    drift(
        DriftKind::Changed,
        key,
        format!("{file} was changed after it had run"),
        [
            format!("put {file} back as it was when it ran"),
            "or write what was changed into a new migration".into(),
            format!(
                "or take the file as it is now, if the target agrees with it: repair --accept {key}"
            ),
        ],
    )
}

fn changed_in_the_middle(migration: &Migration, key: &str, step: usize) -> Drift {
    let file = file_name(migration);
    drift(
        DriftKind::Changed,
        key,
        format!("{file} is half done, and its statement {step}, which ran, was changed"),
        [
            format!("put statement {step} back as it was; those behind it may be changed"),
            "or write what was changed into a new migration".into(),
            format!("or take the statements as they are now as done: repair --accept {key}"),
        ],
    )
}

fn gone(record: &Record) -> Drift {
    let (key, file) = (&record.key, &record.file);
    drift(
        DriftKind::Missing,
        key,
        format!("{file} has run here, and is not in the folder"),
        [
            format!("bring {file} back"),
            "or name the folder it is in: --dir".into(),
            format!("or forget that it ran, if the target does without it: repair --forget {key}"),
        ],
    )
}

fn reordered(migration: &Migration, key: &str, last: &str) -> Drift {
    let file = file_name(migration);
    drift(
        DriftKind::Reordered,
        key,
        format!("{file} has not run, and {last}, which comes after it, has"),
        [
            format!("give {file} a version after {last}"),
            "or run it all the same: apply --out-of-order".into(),
            format!("or note that what it does is there already: repair --applied {key}"),
        ],
    )
}

fn renumbered(migration: &Migration, key: &str, old: &Record) -> Drift {
    let file = file_name(migration);
    drift(
        DriftKind::Renumbered,
        key,
        format!("{file} has run already, as {}", old.file),
        [
            format!("call it {} again", old.file),
            format!("or note the new version: repair --forget {} --applied {key}", old.key),
            format!("or run it a second time: repair --forget {}, then apply", old.key),
        ],
    )
}
