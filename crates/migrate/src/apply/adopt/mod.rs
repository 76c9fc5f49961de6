//! Taking over what another tool remembers, with no file edited.

mod sums;

use marula_core::{Error, ErrorKind, Result, Timestamp};

pub use sums::Sum;

use super::record::{Record, State, digest, file_name, key_of};
use super::{Due, Ground, Stop};
use crate::files::FileName;
use crate::migration::{Migration, MigrationKind};

/// What another tool remembers in a target.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// The tool's name.
    pub tool: &'static str,
    /// Its table or collection.
    pub table: String,
    /// Whether its files are of a kind that is read here.
    pub readable: bool,
    /// What has run, in order.
    pub rows: Vec<ForeignRow>,
    /// A version up to which everything has run, when the tool keeps only that.
    pub up_to: Option<String>,
}

/// One migration as another tool remembers it.
#[derive(Debug, Clone, Default)]
pub struct ForeignRow {
    /// Its version, or what stands for one.
    pub version: String,
    /// Its name.
    pub name: String,
    /// Its file's name, when the tool keeps it.
    pub file: Option<String>,
    /// Its checksum.
    pub sum: Sum,
    /// Why it is not simply done: failed, dirty, half done.
    pub trouble: Option<String>,
    /// When it was done.
    pub finished: Option<Timestamp>,
}

/// Takes the history of another tool over, and says what was done, one line each.
///
/// # Errors
/// `NotFound` when no tool's history is there or a file is missing; `Usage` when there are several
/// and none is named; `Refused` for a checksum that does not agree or a migration that failed:
/// then nothing was written.
pub async fn adopt(
    ground: &impl Ground,
    folder: &[Migration],
    from: Option<&str>,
) -> Result<Vec<String>> {
    let foreign = choose(ground.foreign().await?, from)?;
    ground.lock(std::time::Duration::ZERO, &Stop::default(), &marula_core::Quiet).await?;
    let said = take(ground, folder, &foreign).await;
    ground.unlock().await;
    said
}

/// Refuses what another tool remembers to have run, while nothing of that was taken over: it would
/// run a second time.
pub(super) async fn refuse_forgotten(
    ground: &impl Ground,
    folder: &[Migration],
    records: &[Record],
    due: &[Due<'_>],
) -> Result<()> {
    if !records.is_empty() || due.is_empty() {
        return Ok(());
    }
    // A history that may not be read tells nothing.
    for foreign in ground.foreign().await.unwrap_or_default() {
        for row in rows(folder, &foreign) {
            let Some(found) = find(folder, &row) else { continue };
            if due.iter().any(|due| std::ptr::eq(due.migration, found)) {
                let what = format!(
                    "{} has run here already: {} remembers it (in {}); nothing ran",
                    file_name(found),
                    foreign.tool,
                    foreign.table
                );
                return Err(Error::new(ErrorKind::Refused, what)
                    .hint("take that history over first: marula migrate adopt"));
            }
        }
    }
    Ok(())
}

fn choose(all: Vec<Foreign>, from: Option<&str>) -> Result<Foreign> {
    let names: Vec<String> =
        all.iter().map(|one| format!("{} ({})", one.tool, one.table)).collect();
    let wanted = |one: &Foreign| match from {
        Some(from) => one.tool.eq_ignore_ascii_case(from) || one.table.eq_ignore_ascii_case(from),
        None => true,
    };
    let mut fitting: Vec<Foreign> = all.into_iter().filter(wanted).collect();
    match (fitting.len(), names.len()) {
        (1, _) => Ok(fitting.remove(0)),
        (0, 0) => Err(Error::new(ErrorKind::NotFound, "no other tool's history is here").hint(
            "known are sqlx, refinery, dbmate, Rails, golang-migrate, Flyway, Liquibase, goose, \
             Atlas, Prisma, Alembic, Django, Diesel; on MongoDB migrate-mongo, golang-migrate, Mongock",
        )),
        (0, _) => Err(Error::new(
            ErrorKind::NotFound,
            format!("no history of {} is here; there is: {}", from.unwrap_or("that"), names.join(", ")),
        )
        .hint("name one of these with --from")),
        _ => Err(Error::new(
            ErrorKind::Usage,
            format!("several tools have a history here: {}", names.join(", ")),
        )
        .hint("name the one to take over with --from")),
    }
}

async fn take(
    ground: &impl Ground,
    folder: &[Migration],
    foreign: &Foreign,
) -> Result<Vec<String>> {
    let known = ground.records().await?;
    let mut position = known.iter().map(|record| record.position).max().unwrap_or(0);
    let mut put: Vec<(Record, bool)> = Vec::new();
    for row in rows(folder, foreign) {
        if let Some(trouble) = &row.trouble {
            let what = format!("{} {} {trouble}; nothing was taken over", row.version, row.name);
            return Err(Error::new(ErrorKind::Refused, what)
                .at(foreign.table.clone())
                .hint(format!("settle it with {} first, as its manual says", foreign.tool)));
        }
        let migration = find(folder, &row);
        let key = match migration {
            Some(migration) => key_of(migration),
            None => row.version.clone(),
        };
        let there = known.iter().chain(put.iter().map(|(record, _)| record));
        if there.clone().any(|record| record.key == key && record.state != State::Reverted) {
            continue;
        }
        position += 1;
        put.push(match migration {
            Some(migration) => of_file(ground, folder, foreign, &row, migration, position)?,
            None if foreign.readable => return Err(without_file(foreign, &row)),
            None => (only_known(ground, foreign, &row, position), false),
        });
    }
    ground.prepare().await?;
    let checked = put.iter().filter(|(_, checked)| *checked).count();
    let without = put.iter().filter(|(record, _)| record.checksum.is_empty()).count();
    for (record, _) in &put {
        ground.put(record).await?;
    }
    let mut said = vec![format!(
        "{} migrations of {} ({}) are taken over; its table was not changed",
        put.len(),
        foreign.tool,
        foreign.table
    )];
    if checked > 0 {
        said.push(format!("{checked} checksums of {} agree with the files", foreign.tool));
    }
    let unchecked = put.len() - checked - without;
    if unchecked > 0 {
        said.push(format!(
            "{unchecked} have no checksum there: the files are taken as they are now"
        ));
    }
    if without > 0 {
        said.push(format!(
            "{without} are known by name only: files of {} are not read here",
            foreign.tool
        ));
    }
    Ok(said)
}

/// The rows, with those that only a highest version stands for.
fn rows(folder: &[Migration], foreign: &Foreign) -> Vec<ForeignRow> {
    let mut rows = Vec::new();
    if let Some(last) = &foreign.up_to {
        let before = folder.iter().filter(|migration| {
            migration.kind == MigrationKind::Versioned
                && migration
                    .version
                    .as_deref()
                    .is_some_and(|version| FileName::order(version) <= FileName::order(last))
        });
        rows.extend(before.map(|migration| ForeignRow {
            version: migration.version.clone().unwrap_or_default(),
            name: migration.name.clone(),
            ..ForeignRow::default()
        }));
    }
    rows.extend(foreign.rows.iter().cloned());
    rows
}

/// The file a row is about: by its name, else by its version.
fn find<'a>(folder: &'a [Migration], row: &ForeignRow) -> Option<&'a Migration> {
    let by_name = row.file.as_ref().and_then(|file| {
        let bare = file.rsplit(['/', '\\']).next().unwrap_or(file);
        folder.iter().find(|migration| file_name(migration) == bare)
    });
    let digits =
        row.version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'_');
    by_name.or_else(|| {
        folder.iter().find(|migration| {
            digits
                && !row.version.is_empty()
                && migration.kind == MigrationKind::Versioned
                && migration
                    .version
                    .as_deref()
                    .is_some_and(|own| FileName::order(own) == FileName::order(&row.version))
        })
    })
}

/// A line for a migration whose file is here; and whether its checksum was compared.
fn of_file(
    ground: &impl Ground,
    folder: &[Migration],
    foreign: &Foreign,
    row: &ForeignRow,
    migration: &Migration,
    position: i64,
) -> Result<(Record, bool)> {
    let agrees = row.sum.agrees(migration, folder);
    if agrees == Some(false) {
        let file = file_name(migration);
        return Err(Error::new(
            ErrorKind::Refused,
            format!(
                "{file} is not what {} ran: the checksums differ; nothing was taken over",
                foreign.tool
            ),
        )
        .at(migration.path.display().to_string())
        .hint(format!("put {file} back as it was when it ran"))
        .hint("or write what was changed into a new migration")
        .hint(format!("or have {} accept the file first (Flyway: repair)", foreign.tool)));
    }
    // Repeatable ones that changed since run again, as they would have with the other tool.
    let mut record = Record::of(migration, position, ground.who());
    record.state = State::Applied;
    record.done = migration.up.iter().map(digest).collect();
    record.started = row.finished;
    record.finished = row.finished;
    record.adopted_from = Some(foreign.tool.to_string());
    Ok((record, agrees.is_some()))
}

/// A line for a migration whose file is not of a kind that is read here.
fn only_known(ground: &impl Ground, foreign: &Foreign, row: &ForeignRow, position: i64) -> Record {
    Record {
        key: row.version.clone(),
        position,
        version: Some(row.version.clone()),
        name: row.name.clone(),
        tool: foreign.tool.to_string(),
        file: row.file.clone().unwrap_or_else(|| row.version.clone()),
        checksum: String::new(),
        state: State::Applied,
        steps: 0,
        done: Vec::new(),
        current: None,
        started: row.finished,
        finished: row.finished,
        by: ground.who().to_string(),
        adopted_from: Some(foreign.tool.to_string()),
    }
}

fn without_file(foreign: &Foreign, row: &ForeignRow) -> Error {
    let what = format!(
        "{} {} has run with {}, and its file is not in the folder; nothing was taken over",
        row.version, row.name, foreign.tool
    );
    Error::new(ErrorKind::NotFound, what.replace("  ", " "))
        .at(foreign.table.clone())
        .hint("name the folder of the tool's migrations: --dir")
        .hint("or bring the file back")
}
