//! Settling by hand what only a person can know.

use marula_core::{Error, ErrorKind, Result};

use super::record::{Record, State, digest, key_of};
use super::{Ground, Stop};
use crate::migration::Migration;

/// What is to be settled, each by name.
#[derive(Debug, Clone, Default)]
pub struct Repair {
    /// Versions whose file is taken as it is now.
    pub accept: Vec<String>,
    /// Versions that are forgotten: their file is gone, or they are to run again.
    pub forget: Vec<String>,
    /// Versions that are noted as done without being run.
    pub applied: Vec<String>,
    /// The half-done version whose begun step is to run again.
    pub again: Option<String>,
    /// The half-done version whose begun step is noted as done.
    pub done: Option<String>,
}

impl Repair {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.accept.is_empty()
            && self.forget.is_empty()
            && self.applied.is_empty()
            && self.again.is_none()
            && self.done.is_none()
    }
}

/// Settles, and says what was done, one line each.
///
/// # Errors
/// `NotFound` for a name that is not there; `Refused` for what does not need it.
pub async fn repair(
    ground: &impl Ground,
    folder: &[Migration],
    asked: &Repair,
) -> Result<Vec<String>> {
    ground.lock(std::time::Duration::ZERO, &Stop::default(), &marula_core::Quiet).await?;
    let said = settle(ground, folder, asked).await;
    ground.unlock().await;
    said
}

async fn settle(ground: &impl Ground, folder: &[Migration], asked: &Repair) -> Result<Vec<String>> {
    ground.prepare().await?;
    let records = ground.records().await?;
    let record = |key: &String| {
        records.iter().find(|record| record.key == *key).cloned().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the history does not know '{key}'"))
                .hint("see what it knows: marula migrate status")
        })
    };
    let file = |key: &String| {
        folder.iter().find(|migration| key_of(migration) == *key).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no file of the folder has '{key}'"))
                .hint("name the folder it is in: --dir")
        })
    };
    // Everything is looked up before anything is written.
    let mut put: Vec<(Record, String)> = Vec::new();
    for key in &asked.accept {
        let (mut record, migration) = (record(key)?, file(key)?);
        record.checksum.clone_from(&migration.checksum);
        if matches!(record.state, State::Applying | State::Reverting) {
            let steps = match record.state {
                State::Applying => migration.up.as_slice(),
                _ => migration.down.as_deref().unwrap_or_default(),
            };
            let known = record.done.len();
            if known > steps.len() {
                let what = format!("{known} statements are done, and the file has {}", steps.len());
                return Err(Error::new(ErrorKind::Refused, what)
                    .at(record.file)
                    .hint("put the statements back that are done"));
            }
            record.done = steps.iter().take(known).map(digest).collect();
            record.current = None;
        }
        put.push((record, format!("{key}: its file is taken as it is now")));
    }
    for key in &asked.forget {
        record(key)?;
    }
    let first = records.iter().map(|record| record.position).max().unwrap_or(0) + 1;
    for (at, key) in asked.applied.iter().enumerate() {
        let migration = file(key)?;
        if records.iter().any(|record| record.key == *key && record.state == State::Applied) {
            return Err(Error::new(ErrorKind::Refused, format!("{key} is applied already")));
        }
        let position = first + i64::try_from(at).unwrap_or_default();
        let mut record = Record::of(migration, position, ground.who());
        record.state = State::Applied;
        put.push((record, format!("{key}: noted as applied; nothing of it ran")));
    }
    for (key, again) in
        asked.again.iter().map(|k| (k, true)).chain(asked.done.iter().map(|k| (k, false)))
    {
        let mut record = record(key)?;
        let Some(current) = record.current.take() else {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("no step of {key} is in the middle"),
            )
            .hint("marula migrate apply goes on by itself"));
        };
        let number = current.step + 1;
        let said = if again {
            format!("{key}: statement {number} runs again from its beginning")
        } else {
            record.done.push(current.digest);
            format!("{key}: statement {number} is noted as done")
        };
        put.push((record, said));
    }
    let mut said = Vec::new();
    for key in &asked.forget {
        ground.forget(key).await?;
        said.push(format!("{key}: forgotten; the target itself was not changed"));
    }
    for (record, what) in put {
        ground.put(&record).await?;
        said.push(what);
    }
    Ok(said)
}
