use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use marula_core::{Error, ErrorKind, Result};

/// The user that servers run as when this program is root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Whom servers run as: nobody else (`None`) unless this program is root, since PostgreSQL
/// refuses to be; then `$MARULA_LAB_USER`, else `postgres`, else `nobody`.
pub(crate) fn lab_account() -> Result<Option<Account>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    if let Some(name) = std::env::var("MARULA_LAB_USER").ok().filter(|name| !name.is_empty()) {
        return match find(&name) {
            Some(account) if account.uid != 0 => Ok(Some(account)),
            Some(_) => Err(Error::new(ErrorKind::Usage, "the lab's servers cannot run as root")
                .at("$MARULA_LAB_USER")
                .hint("name a user without special rights, or unset MARULA_LAB_USER")),
            None => Err(Error::new(ErrorKind::Usage, format!("there is no user '{name}'"))
                .at("$MARULA_LAB_USER")
                .hint("name a user of this machine, or unset MARULA_LAB_USER")),
        };
    }
    match ["postgres", "nobody"].into_iter().find_map(find).filter(|account| account.uid != 0) {
        Some(account) => Ok(Some(account)),
        None => Err(Error::new(
            ErrorKind::Lab,
            "this program is root, and there is no user 'postgres' or 'nobody' to run servers as",
        )
        .hint("set MARULA_LAB_USER to a user without special rights")),
    }
}

fn find(name: &str) -> Option<Account> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let listed = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (found, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        (found == name).then(|| Some((uid.parse().ok()?, gid.parse().ok()?)))?
    });
    let (uid, gid) = match listed {
        Some(ids) => ids,
        // Users of a directory service are not in the file.
        None => (id("-u", name)?, id("-g", name)?),
    };
    Some(Account { name: name.to_owned(), uid, gid })
}

fn id(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([which, "--", name]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

impl Account {
    /// Gives `path` to this user, following no link.
    pub(crate) fn own(&self, path: &Path) -> std::io::Result<()> {
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid))
    }

    /// Fails when a folder on the way to `path` does not let this user through.
    pub(crate) fn can_reach(&self, path: &Path) -> Result<()> {
        let closed = path.ancestors().skip(1).find(|folder| {
            folder.metadata().is_ok_and(|about| {
                let bit = match (about.uid() == self.uid, about.gid() == self.gid) {
                    (true, _) => 0o100,
                    (_, true) => 0o010,
                    _ => 0o001,
                };
                about.mode() & bit == 0
            })
        });
        match closed {
            None => Ok(()),
            Some(folder) => Err(Error::new(
                ErrorKind::Lab,
                format!("the user '{}', whom servers run as, cannot enter this folder", self.name),
            )
            .at(folder.display().to_string())
            .hint(format!("let others through: chmod a+x {}", folder.display()))
            .hint("or set MARULA_HOME to a folder that all users can enter")),
        }
    }
}
