//! `marula migrate new`.

use std::time::{SystemTime, UNIX_EPOCH};

use marula_core::{Engine, Error, ErrorKind, Report, Result, Timestamp};
use serde_json::json;

use crate::app::Outcome;
use crate::args::{FailOn, MigrateNew};

/// Makes an empty migration and says where.
pub fn run(args: &MigrateNew) -> Result<Outcome> {
    let name: String = args
        .name
        .trim()
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_lowercase().next().unwrap_or(c) } else { '_' })
        .collect();
    let name = name.trim_matches('_');
    if name.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "the name has no letter or digit")
            .hint("say what the migration is for: add_status"));
    }
    let (extension, text) = match args.engine {
        Engine::Postgres => ("sql", "-- migrate:up lock_timeout:2s\n\n\n-- migrate:down\n\n"),
        Engine::Mongodb => ("json", "{\n  \"up\": [],\n  \"down\": []\n}\n"),
    };
    let path = args.dir.join(format!("{}_{name}.{extension}", stamp()));
    let trouble = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("cannot be made: {error}"))
            .at(path.display().to_string())
            .hint("name another folder with --dir")
    };
    std::fs::create_dir_all(&args.dir).map_err(trouble)?;
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(trouble)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(trouble)?;
    let mut report = Report::new("migrate new");
    report.data = Some(json!({ "file": path.display().to_string() }));
    Ok(Outcome::Report(Box::new(report), FailOn::Never))
}

/// Now, in UTC, as migrations are numbered: `20260101120000`.
fn stamp() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ms = i64::try_from(now.as_millis()).unwrap_or_default();
    let (year, month, day, of_day) = Timestamp(ms).to_civil();
    let seconds = of_day / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}
