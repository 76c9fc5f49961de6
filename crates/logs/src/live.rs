//! A running server's own log, as files that can be read: those of this machine as they are, those
//! of another copied piece by piece into a folder that only this program's user can enter.

use std::io::Write;
use std::path::{Path, PathBuf};

use marula_core::{Digest, Error, ErrorKind, Result};

/// A copy that is followed begins anew at this size: what was copied has been read.
const COPY: u64 = 32 << 20;

/// A server's log.
pub struct LiveLog {
    /// Its files, the oldest first.
    pub inputs: Vec<PathBuf>,
    /// Which it is, and what of it is left out, in words.
    pub about: String,
    copies: Option<Copies>,
}

/// Copies of files of another machine.
struct Copies {
    folder: tempfile::TempDir,
    names: Vec<(PathBuf, String)>,
}

impl LiveLog {
    /// Files of this machine.
    pub(crate) fn local(inputs: Vec<PathBuf>, about: String) -> Self {
        LiveLog { inputs, about, copies: None }
    }

    /// Copies, none yet.
    ///
    /// # Errors
    /// `Io` when there is no room for them.
    pub(crate) fn copied(about: String) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("marula-log-").tempdir().map_err(no_room)?;
        Ok(LiveLog {
            inputs: Vec::new(),
            about,
            copies: Some(Copies { folder, names: Vec::new() }),
        })
    }

    /// Adds `bytes` to the copy of the file `name`.
    pub(crate) fn append(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let Some(copies) = &mut self.copies else { return Ok(()) };
        let path = match copies.names.iter().find(|(_, known)| known == name) {
            Some((path, _)) => path.clone(),
            None => {
                let path = copies.folder.path().join(format!("{:06}.log", copies.names.len()));
                copies.names.push((path.clone(), name.to_owned()));
                self.inputs.push(path.clone());
                path
            }
        };
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(bytes)).map_err(no_room)
    }

    /// Whether these are copies.
    pub(crate) fn is_copied(&self) -> bool {
        self.copies.is_some()
    }

    /// Empties copies that grew large. Only after what is in them was read.
    pub fn trim(&self) {
        let Some(copies) = &self.copies else { return };
        for (path, _) in &copies.names {
            if std::fs::metadata(path).is_ok_and(|about| about.len() > COPY) {
                let _ = std::fs::write(path, b"");
            }
        }
    }

    /// Gives the sources the names they have on the server.
    pub fn name(&self, digest: &mut Digest) {
        let names = self.copies.iter().flat_map(|copies| &copies.names);
        for (path, name) in names {
            let shown = path.display().to_string();
            for source in digest.sources.iter_mut().filter(|source| source.name == shown) {
                source.name.clone_from(name);
            }
        }
    }

    /// Whether `path` is among the files.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.inputs.iter().any(|known| known == path)
    }
}

fn no_room(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("the log cannot be copied: {error}"))
        .at(std::env::temp_dir().display().to_string())
        .hint("make room there, or name another folder in TMPDIR")
}
