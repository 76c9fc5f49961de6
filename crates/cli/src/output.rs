//! Where results go: stdout alone, or the file the user named.

use std::io::{ErrorKind as Io, Write};
use std::path::{Path, PathBuf};

use marula_core::{Engine, Error, ErrorKind, Result};

use crate::app::App;

/// The file that takes a script rather than the report, when `--output` names one.
pub fn script_file(app: &App) -> Option<PathBuf> {
    let file = app.global.output.as_deref()?;
    let any = [Engine::Postgres, Engine::Mongodb];
    any.iter().any(|engine| is_script_of(file, *engine)).then(|| file.to_path_buf())
}

/// Whether a file is called as a script of an engine: `.sql`, `.js`.
pub fn is_script_of(file: &Path, engine: Engine) -> bool {
    let kind = if engine == Engine::Postgres { "sql" } else { "js" };
    file.extension().and_then(|kind| kind.to_str()).is_some_and(|is| is.eq_ignore_ascii_case(kind))
}

/// Writes a result. A reader that goes away (`| head`) is no error.
pub fn write(text: &str, file: Option<&Path>) -> Result<()> {
    match file {
        Some(path) => to_file(text, path),
        None => {
            let mut out = std::io::stdout().lock();
            match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                Err(error) if error.kind() == Io::BrokenPipe => Ok(()),
                Err(error) => Err(Error::new(ErrorKind::Io, error.to_string()).at("stdout")),
                Ok(()) => Ok(()),
            }
        }
    }
}

/// Says before the work begins when its result could not be kept.
pub fn check(file: Option<&Path>) -> Result<()> {
    let Some(path) = file else { return Ok(()) };
    let trouble = |what: &str| {
        Err(Error::new(ErrorKind::Usage, what.to_string())
            .at(path.display().to_string())
            .hint("name a file in a folder that is there with --output"))
    };
    if path.is_dir() {
        return trouble("is a folder, not a file");
    }
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => trouble("its folder is not there"),
        _ => Ok(()),
    }
}

/// A file is replaced in one step; a device or pipe is written to.
fn to_file(text: &str, path: &Path) -> Result<()> {
    let special = std::fs::metadata(path).is_ok_and(|found| !found.is_file());
    let trouble = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("cannot be written: {error}"))
            .at(path.display().to_string())
            .hint("check the folder's permissions and the free space")
    };
    if special {
        return std::fs::write(path, text).map_err(trouble);
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let done = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path));
    if done.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    done.map_err(trouble)
}
