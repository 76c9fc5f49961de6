use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use super::Account;

/// Copies the folder `from` to `to`, which must not exist, and gives all of it to `owner`.
///
/// The kernel copies the bytes, and shares the blocks where the file system can.
pub(super) fn copy_folder(from: &Path, to: &Path, owner: Option<&Account>) -> io::Result<()> {
    let mode = from.metadata()?.mode() & 0o777;
    fs::DirBuilder::new().mode(mode).create(to)?;
    for entry in from.read_dir()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&entry.path(), &target, owner)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
            give(&target, owner)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &target)?;
            give(&target, owner)?;
        }
    }
    give(to, owner)
}

fn give(path: &Path, owner: Option<&Account>) -> io::Result<()> {
    owner.map_or(Ok(()), |owner| owner.own(path))
}
