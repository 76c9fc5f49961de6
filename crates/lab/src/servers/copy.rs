use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use super::Account;

/// Copies the folder `from` to `to`, which must not exist, and gives all of it to `owner`.
///
/// The kernel copies the bytes, and shares the blocks where the file system can.
pub(super) fn copy_folder(from: &Path, to: &Path, owner: Option<&Account>) -> io::Result<()> {
    copy_but(from, to, owner, &|_| false, false)
}

/// Copies a folder that a server works in: what goes meanwhile is left out, and so is what is
/// inside the folders, and the files, that `without` names.
pub(super) fn copy_live_folder(
    from: &Path,
    to: &Path,
    owner: Option<&Account>,
    without: &dyn Fn(&Path) -> bool,
) -> io::Result<()> {
    copy_but(from, to, owner, without, true)
}

fn copy_but(
    from: &Path,
    to: &Path,
    owner: Option<&Account>,
    without: &dyn Fn(&Path) -> bool,
    live: bool,
) -> io::Result<()> {
    let gone = |error: &io::Error| live && error.kind() == io::ErrorKind::NotFound;
    let mode = from.metadata()?.mode() & 0o777;
    fs::DirBuilder::new().mode(mode).create(to)?;
    for entry in from.read_dir()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        let left_out = without(&entry.path()) || without(from);
        if kind.is_dir() {
            if without(from) {
                continue;
            }
            copy_but(&entry.path(), &target, owner, without, live)?;
        } else if left_out {
            continue;
        } else if kind.is_file() {
            match fs::copy(entry.path(), &target) {
                Ok(_) => give(&target, owner)?,
                Err(error) if gone(&error) => {}
                Err(error) => return Err(error),
            }
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
