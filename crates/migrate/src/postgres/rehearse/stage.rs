//! The throw-away server with what is there before the migration.

use std::time::Duration;

use marula_core::{
    Dataset, Depth, Engine, Error, ErrorKind, LabServer, MigrationForm, Progress, RehearsalRun,
    RelationalCatalog, Result, Version,
};
use marula_lab::clone::CloneLimits;
use marula_lab::clone::postgres::{Request, clone};
use marula_lab::{PostgresServer, StartOptions, discover};
use marula_postgres::catalog::{Scope, read};
use marula_postgres::sql::{quote_ident, quote_literal};
use marula_postgres::{ConnectSpec, Session, SessionOptions};

use super::{failed, made_up, touched};
use crate::apply::Direction;
use crate::lag::PATIENCE;
use crate::migration::Migration;
use crate::postgres::schema::Schema;
use crate::postgres::{fix, lint};
use crate::rehearse::{RehearseOptions, Told, course};

/// A server of our own with a pristine database, of which every run gets a copy.
pub struct Stage {
    pub(super) server: PostgresServer,
    /// What follows the server, where one was asked for.
    pub(super) standby: Option<PostgresServer>,
    pristine: ConnectSpec,
    /// What the pristine database holds.
    pub(super) catalog: RelationalCatalog,
    /// What the target holds.
    pub(super) target: Option<RelationalCatalog>,
    /// What is touched, as `schema.name`.
    pub(super) touched: Vec<String>,
    dataset: Dataset,
    settings: Vec<(String, String)>,
    /// What the reader should know of it.
    pub notes: Vec<String>,
}

/// What decides how a migration runs, besides the data.
const SETTINGS: [&str; 4] = ["TimeZone", "search_path", "work_mem", "maintenance_work_mem"];

impl Stage {
    /// Copies what the migrations touch from a target, which is only read.
    ///
    /// # Errors
    /// As [`clone`]; `Lab` when no server can be started.
    pub async fn from_target(
        session: &Session,
        migrations: &[Migration],
        progress: &dyn Progress,
    ) -> Result<Stage> {
        progress.step("reading the catalogue");
        let target = read(session, Scope::All).await?;
        let relations = touched::touched(migrations, &target);
        let (server, mut notes) = start(Some(session.version()), progress).await?;
        let mut settings = Vec::new();
        for name in SETTINGS {
            let sql = "SELECT pg_catalog.current_setting($1)";
            let row = session.client().query_one(sql, &[&name]).await.map_err(failed)?;
            settings.push((name.to_owned(), row.get(0)));
        }
        let texts = migrations.iter().map(|migration| migration.text.as_str());
        let statement = texts.collect::<Vec<_>>().join("\n");
        let (pristine, dataset) = if relations.is_empty() {
            (server.create_database().await?, Dataset { depth: Depth::Full, share: 1.0, rows: 0 })
        } else {
            let limits = CloneLimits::default();
            let request =
                Request { relations: relations.clone(), joins: Vec::new(), statement, limits };
            let bench = clone(session, &server.spec(), &request, progress).await?;
            use marula_lab::bench::Bench;
            notes.extend(bench.notes().iter().cloned());
            (bench.spec(), bench.dataset())
        };
        notes.push(
            "the copy has the tables, what foreign keys bind to them and the views on them; it has no \
             triggers, policies or rights of the target's"
                .into(),
        );
        let mut stage = Stage {
            server,
            standby: None,
            pristine,
            catalog: target.clone(),
            target: Some(target),
            touched: relations,
            dataset,
            settings,
            notes,
        };
        stage.settle(progress).await?;
        Ok(stage)
    }

    /// Runs `before` on an empty database, and makes up rows for the tables it leaves empty.
    ///
    /// # Errors
    /// `Lab` when no server can be started; the server's complaint about `before`.
    pub async fn made_up(
        before: &[Migration],
        migrations: &[Migration],
        rows: u64,
        version: Option<Version>,
        progress: &dyn Progress,
    ) -> Result<Stage> {
        let (server, mut notes) = start(version, progress).await?;
        let pristine = server.create_database().await?;
        let session = Session::open(&pristine, &SessionOptions::lab()).await?;
        progress.step("making what is there before");
        for migration in before {
            for step in &migration.up {
                session.client().batch_execute(&step.text).await.map_err(|error| {
                    failed(error).at(format!("{}:{}", migration.path.display(), step.line))
                })?;
            }
        }
        session.client().batch_execute("RESET ALL").await.map_err(failed)?;
        let catalog = read(&session, Scope::All).await?;
        let made = made_up::rows(&session, &catalog, rows, progress, &mut notes).await?;
        drop(session);
        let touched = touched::touched(migrations, &catalog);
        let dataset = Dataset { depth: Depth::Synthetic, share: 1.0, rows: made };
        let settings = Vec::new();
        let mut stage = Stage {
            server,
            standby: None,
            pristine,
            catalog,
            target: None,
            touched,
            dataset,
            settings,
            notes,
        };
        stage.settle(progress).await?;
        Ok(stage)
    }

    /// The same with a standby that follows the server, so that how far it falls behind is
    /// measured. Without one, where it cannot be had, the notes say why.
    #[must_use]
    pub async fn with_standby(mut self, progress: &dyn Progress) -> Stage {
        progress.step("starting a standby");
        match self.server.standby(PATIENCE).await {
            Ok(standby) => self.standby = Some(standby),
            Err(error) => self.notes.push(format!("replication lag is not measured: {error}")),
        }
        self
    }

    /// Sequences go on behind what is there, the planner counts what there is.
    async fn settle(&mut self, progress: &dyn Progress) -> Result<()> {
        progress.step("counting what was copied");
        let session = Session::open(&self.pristine, &SessionOptions::lab()).await?;
        const COLUMNS: &str = "
            SELECT format('SELECT setval(%L::regclass, m) FROM (SELECT max(%I)::bigint AS m FROM %s) x WHERE m > 0',
              s.name, a.attname, c.oid::regclass)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
            LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
            CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN a.attidentity <> '' THEN
              pg_get_serial_sequence(format('%I.%I', c.relnamespace::regnamespace, c.relname), a.attname) END,
              substring(pg_get_expr(d.adbin, d.adrelid) FROM 'nextval\\(''(.*)''::regclass\\)')) AS name) s
            WHERE s.name IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped
              AND c.relnamespace::regnamespace::text NOT LIKE 'pg\\_%'";
        for row in session.client().query(COLUMNS, &[]).await.map_err(failed)? {
            // A sequence that cannot follow shows as failing inserts, which are told.
            let _ = session.client().batch_execute(row.get(0)).await;
        }
        session.client().batch_execute("ANALYZE").await.map_err(failed)?;
        self.catalog = read(&session, Scope::All).await?;
        Ok(())
    }

    /// Gives a copy the target's settings, for every session.
    async fn set(&self, name: &str) -> Result<ConnectSpec> {
        for (setting, value) in &self.settings {
            // A list keeps its own quotes.
            let value = match setting.as_str() {
                "search_path" if !value.is_empty() => value.clone(),
                _ => quote_literal(value),
            };
            self.server.execute(&format!("ALTER DATABASE {name} SET {setting} = {value}")).await?;
        }
        Ok(self.pristine.with_database(name))
    }

    /// What follows the server, where one was asked for.
    pub fn standby(&self) -> Option<&PostgresServer> {
        self.standby.as_ref()
    }

    /// The rows a relation has on the target, by its name in the copy.
    pub(super) fn target_rows(&self, name: &str) -> Option<f64> {
        let relation = self.target.as_ref()?.find(name)?;
        let own =
            |r: &marula_core::Relation| r.rows.unwrap_or(r.activity.live_rows as f64).max(0.0);
        let qualified = relation.qualified();
        let parts = self.target.iter().flat_map(|target| &target.relations);
        let parts = parts.filter(|part| part.partition_of.as_ref() == Some(&qualified));
        Some(own(relation).max(parts.map(own).sum()))
    }
}

impl course::Stage for Stage {
    type Copy = ConnectSpec;

    fn server(&self) -> LabServer {
        LabServer { engine: Engine::Postgres, version: self.server.version() }
    }

    fn dataset(&self) -> Dataset {
        self.dataset.clone()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn safe(&self, migrations: &[Migration]) -> Result<Option<Vec<Migration>>> {
        let mut schema = Schema::from_catalog(self.target.as_ref().unwrap_or(&self.catalog));
        course::safe(migrations, |migration| {
            let fixed = fix::fix(migration, &schema, self.server.version())?;
            lint::follow(&mut schema, std::slice::from_ref(migration));
            Ok(fixed)
        })
    }

    async fn fresh(&self) -> Result<ConnectSpec> {
        let name = format!("run{}", rand::random::<u32>());
        let sql =
            format!("CREATE DATABASE {name} TEMPLATE {}", quote_ident(self.pristine.database()));
        let mut last = None;
        // Sessions that were closed just now are gone in a moment.
        for _ in 0..100 {
            match self.server.execute(&sql).await {
                Ok(()) => return self.set(&name).await,
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(last.unwrap_or_else(|| Error::new(ErrorKind::Lab, "the copy cannot be copied")))
    }

    async fn drop(&self, copy: &ConnectSpec) -> Result<()> {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote_ident(copy.database()));
        self.server.execute(&sql).await
    }

    async fn one(
        &self,
        copy: &ConnectSpec,
        form: MigrationForm,
        migration: &Migration,
        options: &RehearseOptions,
        progress: &dyn Progress,
    ) -> Result<Told<RehearsalRun>> {
        super::one(self, copy, form, migration, options, progress).await
    }

    async fn apply(
        &self,
        copy: &ConnectSpec,
        migration: &Migration,
        direction: Direction,
        progress: &dyn Progress,
    ) -> Result<()> {
        super::apply(copy, migration, direction, None, progress).await
    }
}

async fn start(
    version: Option<Version>,
    progress: &dyn Progress,
) -> Result<(PostgresServer, Vec<String>)> {
    progress.step("starting a server");
    let choice = discover::choose(Engine::Postgres, version)?;
    // WAL as a server writes it that has a standby, and every wait in the log. Images of whole pages
    // are left out: which write has one is chance, and a migration's own share could not be told.
    let options = StartOptions::default()
        .setting("wal_level", "replica")
        .setting("max_wal_senders", "4")
        .setting("max_connections", "200")
        .setting("log_lock_waits", "on")
        .setting("deadlock_timeout", "1ms")
        .setting("log_line_prefix", "%p %n ");
    let server = PostgresServer::start(&choice.install, &options).await?;
    Ok((server, choice.note.into_iter().collect()))
}
