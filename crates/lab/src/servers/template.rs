use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use marula_core::{Error, ErrorKind, Result};

use super::{Account, StartOptions, copy::copy_folder, process};
use crate::{discover::Install, home};

/// Part of every template's name: count it up when what `initdb` is told changes.
const EDITION: u32 = 1;

/// Makes `data` a new cluster: a copy of a template that `initdb` makes once for each version,
/// locale and encoding, since it takes longer than the start itself.
pub(super) fn new_cluster(
    install: &Install,
    options: &StartOptions,
    account: Option<&Account>,
    data: &Path,
) -> Result<()> {
    let cache = home::cache();
    DirBuilder::new().recursive(true).mode(0o711).create(&cache)?;
    let template = cache.join(name(install, options));
    if !template.is_dir() {
        make(install, options, account, &template)?;
    }
    copy_folder(&template, data, account).map_err(|error| {
        // A half copy may not be taken for a cluster.
        let _ = fs::remove_dir_all(data);
        Error::new(ErrorKind::Lab, format!("the cluster template could not be copied: {error}"))
            .at(template.display().to_string())
            .hint("make room on this disk, or set MARULA_HOME to a folder on another one")
    })
}

fn name(install: &Install, options: &StartOptions) -> String {
    let mut hasher = DefaultHasher::new();
    // Two builds of one version may have been configured differently.
    (EDITION, &install.full_version, &install.program).hash(&mut hasher);
    (&options.locale, &options.encoding).hash(&mut hasher);
    format!("postgres-{}-{:016x}", install.version, hasher.finish())
}

fn make(
    install: &Install,
    options: &StartOptions,
    account: Option<&Account>,
    template: &Path,
) -> Result<()> {
    let beside = |ending: &str| PathBuf::from(format!("{}.{ending}", template.display()));
    let lock = File::create(beside("lock"))?;
    lock.lock()?;
    if template.is_dir() {
        // Another program made it while we waited.
        return Ok(());
    }
    // Nobody else is at it while we hold the lock, so what is there is of a killed program.
    let new = beside("new");
    let _ = fs::remove_dir_all(&new);
    DirBuilder::new().mode(0o700).create(&new)?;
    if let Some(account) = account {
        account.own(&new)?;
        account.can_reach(&new)?;
    }
    let made = initdb(install, options, account, &new);
    let renamed = made.and_then(|data| Ok(fs::rename(data, template)?));
    let _ = fs::remove_dir_all(&new);
    renamed
}

fn initdb(
    install: &Install,
    options: &StartOptions,
    account: Option<&Account>,
    folder: &Path,
) -> Result<PathBuf> {
    let data = folder.join("data");
    let log = folder.join("log");
    let mut launch = process::Launch::of(install, "initdb", folder, &log);
    launch.account = account;
    launch.arguments =
        ["--username=postgres", "--auth=trust", "--no-sync"].map(str::to_owned).into();
    launch.arguments.push(format!("--pgdata={}", data.display()));
    launch.arguments.push(format!("--encoding={}", options.encoding));
    launch.arguments.push(format!("--locale={}", options.locale));
    if install.version.major >= 14 {
        launch.arguments.push("--no-instructions".to_owned());
    }
    if install.version.major >= 18 {
        // On by default since 18; older servers, the usual targets, run without.
        launch.arguments.push("--no-data-checksums".to_owned());
    }
    let mut process = process::Process::start(&launch)?;
    let status = process.wait(Duration::from_secs(120));
    match status {
        Some(status) if status.success() => Ok(data),
        Some(status) => Err(Error::new(
            ErrorKind::Lab,
            format!("initdb failed ({}): {}", process::how(status), process::tail(&log)),
        )
        .at(launch.program.display().to_string())
        .hint("check that the disk is not full, and that this locale is installed: locale -a")),
        None => {
            process.stop(rustix::process::Signal::KILL, Duration::ZERO);
            Err(Error::new(ErrorKind::Lab, "initdb did not end within two minutes")
                .at(launch.program.display().to_string())
                .hint("look whether the disk under MARULA_HOME is very slow"))
        }
    }
}
