//! `marula migrate new`, `add-index`, `add-field`, `not-null`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use marula_core::{Engine, Error, ErrorKind, Report, Result, Timestamp};
use marula_migrate::{mongodb, postgres};
use serde_json::{Value, json};

use crate::app::Outcome;
use crate::args::{FailOn, MigrateAddField, MigrateAddIndex, MigrateNew, MigrateNotNull, NewFile};

/// Makes an empty migration and says where.
pub fn run(args: &MigrateNew) -> Result<Outcome> {
    let text = match args.file.engine {
        Engine::Postgres => "-- migrate:up lock_timeout:2s\n\n\n-- migrate:down\n\n",
        Engine::Mongodb => "{\n  \"up\": [],\n  \"down\": []\n}\n",
    };
    write(&args.name, &args.file, text)
}

/// Makes a migration that builds an index.
pub fn add_index(args: &MigrateAddIndex) -> Result<Outcome> {
    let (table, columns) = (args.table.as_str(), args.columns.as_slice());
    let text = match args.file.engine {
        Engine::Postgres => {
            postgres::generate::add_index(table, columns, args.unique, args.file.version())?
        }
        Engine::Mongodb => mongodb::generate::add_index(table, columns, args.unique),
    };
    write(&format!("add_index_{table}_{}", columns.join("_")), &args.file, &text)
}

/// Makes a migration that adds a column, or a field to all documents.
pub fn add_field(args: &MigrateAddField) -> Result<Outcome> {
    let (table, field) = parts(&args.field)?;
    let text = match args.file.engine {
        Engine::Postgres => {
            let (kind, default) = (args.data_type.as_str(), args.default.as_deref());
            postgres::generate::add_field(table, field, kind, default, args.file.version())?
        }
        Engine::Mongodb => {
            let Some(default) = &args.default else {
                return Err(Error::new(
                    ErrorKind::Usage,
                    "documents get a field with a value only",
                )
                .hint("give the value with --default"));
            };
            let text = || Value::String(default.clone());
            let value = serde_json::from_str(default).unwrap_or_else(|_| text());
            mongodb::generate::add_field(table, field, &value)
        }
    };
    write(&format!("add_{field}_to_{table}"), &args.file, &text)
}

/// Makes a migration that forbids NULL in a column.
pub fn not_null(args: &MigrateNotNull) -> Result<Outcome> {
    let (table, column) = parts(&args.column)?;
    if args.file.engine == Engine::Mongodb {
        return Err(Error::new(ErrorKind::Unsupported, "MongoDB has no NOT NULL")
            .hint("a validator says which fields documents must have"));
    }
    let text = postgres::generate::not_null(table, column, args.file.version())?;
    write(&format!("{table}_{column}_not_null"), &args.file, &text)
}

fn parts(name: &str) -> Result<(&str, &str)> {
    name.rsplit_once('.').filter(|(a, b)| !a.is_empty() && !b.is_empty()).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("'{name}' names no column of a table"))
            .hint("write it like users.status")
    })
}

fn write(name: &str, file: &NewFile, text: &str) -> Result<Outcome> {
    let name: String = name
        .trim()
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_lowercase().next().unwrap_or(c) } else { '_' })
        .collect();
    let name = name.trim_matches('_');
    if name.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "the name has no letter or digit")
            .hint("say what the migration is for: add_status"));
    }
    let extension = if file.engine == Engine::Postgres { "sql" } else { "json" };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_millis()).unwrap_or_default();
    // Two made within a second must not have one version.
    let version = (0..3600).map(|later| stamp(now + later * 1000)).find(|version| {
        let mut there = std::fs::read_dir(&file.dir).into_iter().flatten().flatten();
        !there.any(|entry| entry.file_name().to_string_lossy().starts_with(version.as_str()))
    });
    let version = version.unwrap_or_else(|| stamp(now));
    let path = file.dir.join(format!("{version}_{name}.{extension}"));
    make(&path, &file.dir, text).map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot be made: {error}"))
            .at(path.display().to_string())
            .hint("name another folder with --dir")
    })?;
    let mut report = Report::new("migrate new");
    report.data = Some(json!({ "file": path.display().to_string() }));
    Ok(Outcome::Report(Box::new(report), FailOn::Never))
}

fn make(path: &Path, folder: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())
}

/// A moment in UTC as migrations are numbered: `20260101120000`.
fn stamp(ms: i64) -> String {
    let (year, month, day, of_day) = Timestamp(ms).to_civil();
    let seconds = of_day / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}
