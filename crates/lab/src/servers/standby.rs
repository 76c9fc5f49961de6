use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::{Session, SessionOptions};
use rustix::process::Signal;

use super::copy::copy_live_folder;
use super::folder::ServerFolder;
use super::postgres::{USER, launch, wait_until_ready};
use super::running::{Running, log_in};
use super::{Listen, PostgresServer, account};

/// What the standby calls itself, and its slot.
const NAME: &str = "marula_standby";
/// Folders whose files belong to the running server alone.
const ITS_OWN: [&str; 7] = [
    "pg_wal",
    "pg_replslot",
    "pg_dynshmem",
    "pg_notify",
    "pg_serial",
    "pg_snapshots",
    "pg_subtrans",
];
/// So are these files.
const ITS_FILES: [&str; 2] = ["postmaster.pid", "postmaster.opts"];

impl PostgresServer {
    /// Starts a standby that streams from this server, listening on a socket only. This server
    /// must have been started with `wal_level` `replica` and `max_wal_senders` above 0.
    ///
    /// # Errors
    /// `Lab` when the copy or the start fails, or when it has not caught up within `limit`.
    pub async fn standby(&self, limit: Duration) -> Result<PostgresServer> {
        let session = Session::open(&self.spec(), &SessionOptions::lab()).await?;
        let failed = |error: tokio_postgres::Error| {
            let said = error.as_db_error().map_or_else(|| error.to_string(), |e| e.to_string());
            Error::new(ErrorKind::Lab, format!("no standby can be made: {said}")).because(error)
        };
        // What the standby has not read stays, however long that takes.
        let slot = format!(
            "SELECT pg_create_physical_replication_slot('{NAME}', true) \
             WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '{NAME}')"
        );
        session.client().batch_execute(&slot).await.map_err(failed)?;
        let (begin, end) = match self.version().major {
            15.. => (
                "SELECT pg_backup_start('lab', true)",
                "SELECT labelfile FROM pg_backup_stop(false)",
            ),
            _ => (
                "SELECT pg_start_backup('lab', true, false)",
                "SELECT labelfile FROM pg_stop_backup(false, false)",
            ),
        };
        session.client().batch_execute(begin).await.map_err(failed)?;
        let account = account::lab_account()?;
        let folder = ServerFolder::create(account.as_ref())?;
        let (from, to) = (self.folder().join("data"), folder.path().join("data"));
        let owner = account.clone();
        super::in_background(move || Ok(copy(&from, &to, owner.as_ref())?)).await?;
        let row = session.client().query_one(end, &[]).await.map_err(failed)?;
        let label: String = row.get(0);

        let data = folder.path().join("data");
        let mut settings = fs::read_to_string(data.join("postgresql.conf"))?;
        let quoted = |path: &Path| path.display().to_string().replace('\'', "''");
        settings.push_str(&format!(
            "hot_standby = on\nlisten_addresses = ''\nunix_socket_directories = '{}'\n\
             primary_slot_name = '{NAME}'\nwal_retrieve_retry_interval = '100ms'\n\
             primary_conninfo = 'host=''{}'' port={} user={USER} application_name={NAME}'\n",
            quoted(folder.sockets()),
            quoted(self.sockets()),
            self.port,
        ));
        for (name, text) in [
            ("postgresql.conf", settings.as_str()),
            ("backup_label", &label),
            ("standby.signal", ""),
        ] {
            let path = data.join(name);
            fs::write(&path, text)?;
            if let Some(account) = &account {
                account.own(&path)?;
            }
        }
        let (install, port) = (self.install().clone(), self.port);
        let standby = super::in_background(move || {
            let (path, log) = (folder.path().to_owned(), log_in(&folder));
            let launch = launch(&install, account.as_ref(), &path, &log);
            let mut running = Running::start(&install, folder, &launch, Signal::QUIT)?;
            wait_until_ready(running.process(), &install, &data, &log)?;
            Ok(PostgresServer { running, port, listen: Listen::Socket })
        })
        .await?;
        standby.catch_up(&session, limit).await?;
        Ok(standby)
    }

    /// Waits until this standby has replayed what its primary has written.
    async fn catch_up(&self, primary: &Session, limit: Duration) -> Result<()> {
        let session = Session::open(&self.spec(), &SessionOptions::lab()).await?;
        let failed = |error: tokio_postgres::Error| {
            Error::new(ErrorKind::Lab, format!("the standby cannot be asked: {error}"))
                .because(error)
        };
        let sql = "SELECT pg_current_wal_flush_lsn()::text";
        let end: String = primary.client().query_one(sql, &[]).await.map_err(failed)?.get(0);
        let until = Instant::now() + limit;
        loop {
            let sql =
                format!("SELECT coalesce(pg_last_wal_replay_lsn() >= '{end}'::pg_lsn, false)");
            if session.client().query_one(&sql, &[]).await.map_err(failed)?.get(0) {
                return Ok(());
            }
            if Instant::now() > until {
                let message = format!("a standby was still behind after {} s", limit.as_secs());
                return Err(Error::new(ErrorKind::Lab, message)
                    .hint("look whether this machine is overloaded, then try again"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn copy(from: &Path, to: &Path, owner: Option<&account::Account>) -> std::io::Result<()> {
    let left_out = |path: &Path| {
        let Ok(inside) = path.strip_prefix(from) else { return false };
        ITS_OWN.iter().any(|own| inside.starts_with(own))
            || ITS_FILES.iter().any(|own| inside == Path::new(own))
    };
    copy_live_folder(from, to, owner, &left_out)
}
