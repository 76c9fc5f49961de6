use std::path::{Path, PathBuf};

use marula_core::{Error, ErrorKind, Result, nearest};

use super::Environment;
use super::keywords::{Parameters, known};

/// The parameters of a service: from PGSERVICEFILE or `~/.pg_service.conf`, then from
/// `pg_service.conf` in PGSYSCONFDIR or the usual folders.
pub(super) fn find(name: &str, environment: &Environment) -> Result<Parameters> {
    let own = match environment.variable("PGSERVICEFILE") {
        Some(file) => Some(PathBuf::from(file)),
        None => environment.at_home(".pg_service.conf"),
    };
    let folders = match environment.variable("PGSYSCONFDIR") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => vec!["/etc/postgresql-common".into(), "/etc".into(), "/usr/local/etc".into()],
    };
    let system = folders.into_iter().map(|folder| folder.join("pg_service.conf"));
    let mut names = Vec::new();
    let mut read = Vec::new();
    for file in own.into_iter().chain(system) {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        if let Some(found) = section(&text, name, &file, &mut names)? {
            return Ok(found);
        }
        read.push(file.display().to_string());
    }
    let error = Error::new(ErrorKind::NotFound, format!("no service is called '{name}'"));
    Err(if read.is_empty() {
        error.hint("write it into ~/.pg_service.conf, or name the file in PGSERVICEFILE")
    } else {
        let error = error.at(read.join(", "));
        match nearest(name, names.iter().map(String::as_str)).first() {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error.hint(format!("write it into {}", read.join(" or "))),
        }
    })
}

fn section(
    text: &str,
    wanted: &str,
    file: &Path,
    names: &mut Vec<String>,
) -> Result<Option<Parameters>> {
    let mut found: Option<Parameters> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if found.is_some() {
                break;
            }
            names.push(name.to_string());
            if name == wanted {
                found = Some(Parameters::new());
            }
            continue;
        }
        let Some(parameters) = &mut found else { continue };
        let place = || format!("{}, line {}", file.display(), number + 1);
        let (key, value) = line.split_once('=').ok_or_else(|| {
            Error::new(ErrorKind::Usage, "the service file has a line without '='")
                .at(place())
                .hint("write it like: host=db.example.com")
        })?;
        let key = key.trim();
        known(key).map_err(|error| error.at(place()))?;
        // The first line of a keyword counts, as in libpq.
        parameters.entry(key.to_string()).or_insert_with(|| value.trim().to_string());
    }
    Ok(found)
}
