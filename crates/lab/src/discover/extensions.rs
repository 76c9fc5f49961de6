use std::path::{Path, PathBuf};

/// The folders that may hold the control files of the extensions of the server in `bin`.
pub(crate) fn folders(bin: &Path, major: u16) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(root) = bin.parent() {
        // Where a build under its own prefix keeps them.
        folders.push(root.join("share/postgresql/extension"));
        folders.push(root.join("share/extension"));
        // Homebrew's `postgresql@17`, and Fedora's.
        folders.push(root.join(format!("share/postgresql@{major}/extension")));
        folders.push(root.join("share/pgsql/extension"));
    }
    // Debian parts the programs from what they share.
    if bin.starts_with("/usr/lib/postgresql") {
        folders.push(PathBuf::from(format!("/usr/share/postgresql/{major}/extension")));
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

/// The names of the extensions of the server in `bin`, sorted.
pub(super) fn available(bin: &Path, major: u16) -> Vec<String> {
    let mut names: Vec<String> = folders(bin, major)
        .iter()
        .filter_map(|folder| folder.read_dir().ok())
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(".control").map(str::to_owned)
        })
        .collect();
    names.sort();
    names.dedup();
    names
}
