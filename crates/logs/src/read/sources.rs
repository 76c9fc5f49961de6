use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use marula_core::{Error, ErrorKind, Result};

/// Folders inside folders that are gone into.
const DEPTH: usize = 32;

/// The files that `inputs` name, folders gone through. Rotated sets come oldest first
/// (`log.2.gz`, `log.1`, `log`), other names in their own order.
///
/// # Errors
/// `NotFound` when an input does not exist, `Io` when it cannot be looked at.
pub(crate) fn expand(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for input in inputs {
        if input.as_os_str() == "-" {
            files.push(input.clone());
            continue;
        }
        let about = std::fs::metadata(input).map_err(|error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::Io,
            };
            Error::new(kind, format!("the log cannot be opened: {error}"))
                .at(input.display().to_string())
                .hint("name a file, a folder, or - for standard input")
        })?;
        if about.is_dir() {
            let before = files.len();
            walk(input, &mut files, 0);
            if files.len() == before {
                return Err(Error::new(ErrorKind::NotFound, "the folder holds no files")
                    .at(input.display().to_string())
                    .hint("name the folder the logs are in"));
            }
        } else {
            files.push(input.clone());
        }
    }
    Ok(files)
}

/// Adds the files below a folder. What cannot be looked into is left out.
fn walk(folder: &Path, files: &mut Vec<PathBuf>, depth: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        // A link may lead to a file, but not into a folder: it might lead in circles.
        let is_file = kind.is_file() || kind.is_symlink() && path.is_file();
        if !hidden && (is_file || kind.is_dir()) {
            found.push((rotation(&path), kind.is_dir(), path));
        }
    }
    found.sort();
    for (_, is_folder, path) in found {
        if !is_folder {
            files.push(path);
        } else if depth < DEPTH {
            walk(&path, files, depth + 1);
        }
    }
}

/// What a file is sorted by: its name without compression and number, then its number, the
/// highest (oldest) first, none last.
fn rotation(path: &Path) -> (String, Reverse<u64>) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name =
        [".gz", ".zst", ".xz"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    match name.rsplit_once('.') {
        Some((base, number)) if number.len() < 6 && !number.is_empty() => {
            match number.parse::<u64>() {
                Ok(number) => (base.to_owned(), Reverse(number + 1)),
                Err(_) => (name.to_owned(), Reverse(0)),
            }
        }
        _ => (name.to_owned(), Reverse(0)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rotated_sets_are_read_oldest_first() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "mongod.log",
            "pg.log",
            "pg.log.1",
            "pg.log.10.gz",
            "pg.log.2.gz",
            "postgresql-2026-01-02_000000.log",
            "postgresql-2026-01-01_000000.log",
            ".hidden",
        ];
        for name in names {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(folder.path().join("old")).unwrap();
        std::fs::write(folder.path().join("old/pg.log"), "x").unwrap();
        let found = expand(&[folder.path().to_owned()]).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            found,
            [
                "mongod.log",
                "old/pg.log",
                "pg.log.10.gz",
                "pg.log.2.gz",
                "pg.log.1",
                "pg.log",
                "postgresql-2026-01-01_000000.log",
                "postgresql-2026-01-02_000000.log",
            ]
        );
    }

    #[test]
    fn what_does_not_exist_is_said() {
        let error = expand(&["/no/such/log".into()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
