//! Where marula keeps what it needs between runs.

use std::path::{Path, PathBuf};

/// marula's own folder: `$MARULA_HOME`, else `/var/lib/marula` for root, else
/// `$XDG_DATA_HOME/marula` or `~/.local/share/marula`.
///
/// Below it: `servers/` holds server programs, `cache/` what is costly to make again, `labs/`
/// the named labs, `run/` the servers that are running now.
pub fn home() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(home) = folder("MARULA_HOME") {
        return std::path::absolute(&home).unwrap_or(home);
    }
    let user = rustix::process::geteuid();
    if user.is_root() {
        return PathBuf::from("/var/lib/marula");
    }
    // A relative XDG_DATA_HOME is to be ignored, says the XDG base directory specification.
    folder("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| folder("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("marula"))
        .unwrap_or_else(|| std::env::temp_dir().join(format!("marula-{}", user.as_raw())))
}

/// The folder of the server programs that were set up for marula alone.
pub(crate) fn servers() -> PathBuf {
    home().join("servers")
}

/// The folder of what can be made again.
pub(crate) fn cache() -> PathBuf {
    home().join("cache")
}

/// The folder of the named labs.
pub(crate) fn labs() -> PathBuf {
    home().join("labs")
}

/// The folder of the servers running now, by the process that holds them.
pub(crate) fn run() -> PathBuf {
    home().join("run")
}

/// Writes `text` so that a reader sees the old or the new content, never a part.
pub(crate) fn write_whole(path: &Path, text: &[u8], mode: u32) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let unique = format!("{}.{:08x}.new", path.display(), rand::random::<u32>());
    let new = Path::new(&unique);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(new)?;
    let written = file.write_all(text).and_then(|()| std::fs::rename(new, path));
    if written.is_err() {
        let _ = std::fs::remove_file(new);
    }
    written
}
