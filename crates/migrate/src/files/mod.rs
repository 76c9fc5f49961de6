//! Migrations as people have them on disk: which tool's they are is told from the files.

mod detect;
mod directives;
mod folder;
mod name;

use std::path::Path;

use marula_core::{Engine, Error, ErrorKind, Result};

pub use detect::tool_of;
pub use folder::{Folder, read};
pub(crate) use name::FileName;

use crate::migration::{Migration, MigrationKind, Options, Step, Tool, checksum};

/// What a file is called where a place in it is shown.
pub(crate) fn label(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Reads one file's text.
///
/// # Errors
/// `Usage` when it cannot be read or is no text.
pub fn text_of(path: &Path) -> Result<String> {
    let place = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        Error::new(ErrorKind::Usage, format!("cannot be read: {error}"))
            .at(place.clone())
            .hint("check the path and its permissions")
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::new(ErrorKind::Usage, format!("is not text: byte {at} is not UTF-8"))
            .at(place)
            .hint("save it as UTF-8")
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_string())
}

/// Reads one migration from a text, as if it stood in the file `path`.
///
/// # Errors
/// `Syntax` with the place marked; `Refused` and `Unsupported` for what is not plain.
pub fn parse(path: &Path, text: &str, tool: Tool, engine: Engine) -> Result<Migration> {
    let text = text.trim_start_matches('\u{feff}');
    let name = FileName::of(path);
    let parts = match engine {
        Engine::Postgres => crate::postgres::files::parts(path, text, tool)?,
        Engine::Mongodb => crate::mongodb::files::parts(path, text, tool)?,
    };
    let repeatable = tool == Tool::Flyway && name.prefix == Some('R');
    Ok(Migration {
        tool,
        engine,
        kind: if repeatable { MigrationKind::Repeatable } else { MigrationKind::Versioned },
        version: name.version.clone().filter(|_| !repeatable),
        name: name.name.clone(),
        up: parts.up,
        down: parts.down,
        options: parts.options,
        down_options: parts.down_options,
        path: path.to_path_buf(),
        down_path: None,
        text: text.to_string(),
        up_range: parts.up_range,
        checksum: checksum(text),
    })
}

/// What a file holds.
pub(crate) struct Parts {
    /// What is applied.
    pub up: Vec<Step>,
    /// What takes it back.
    pub down: Option<Vec<Step>>,
    /// How the up part wants to run.
    pub options: Options,
    /// How the down part wants to run.
    pub down_options: Options,
    /// Which bytes are the up part.
    pub up_range: std::ops::Range<usize>,
}

pub(crate) use directives::{Sections, duration, sections};
