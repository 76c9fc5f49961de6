//! Where new migrations go, and under which names.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use marula_core::{Engine, Error, ErrorKind, Result, Timestamp};

/// Writes migrations in order, each under a version of its own, and says where.
pub fn all(dir: &Path, engine: Engine, migrations: &[(String, String)]) -> Result<Vec<String>> {
    let extension = if engine == Engine::Postgres { "sql" } else { "json" };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_millis()).unwrap_or_default();
    let there: Vec<String> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    // Two made within a second must not have one version, and those of one run stand together.
    let count = migrations.len() as i64;
    let begin = (0..3600).map(|later| now + later * 1000).find(|begin| {
        (0..count).all(|at| {
            let version = stamp(begin + at * 1000);
            !there.iter().any(|name| name.starts_with(version.as_str()))
        })
    });
    let begin = begin.unwrap_or(now);
    let mut written = Vec::new();
    for (at, (name, text)) in (0_i64..).zip(migrations) {
        let name = bare(name)?;
        let path = dir.join(format!("{}_{name}.{extension}", stamp(begin + at * 1000)));
        make(&path, dir, text).map_err(|error| {
            Error::new(ErrorKind::Io, format!("cannot be made: {error}"))
                .at(path.display().to_string())
                .hint("name another folder with --dir")
        })?;
        written.push(path.display().to_string());
    }
    Ok(written)
}

/// A name as files have it.
pub fn bare(name: &str) -> Result<String> {
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
    Ok(name.to_string())
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
