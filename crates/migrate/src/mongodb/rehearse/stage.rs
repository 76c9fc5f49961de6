//! The throw-away server with what is there before the migration.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use marula_core::{
    Dataset, Depth, DocumentCatalog, Engine, LabServer, MigrationForm, Progress, RehearsalRun,
    Result, Version,
};
use marula_lab::clone::CloneLimits;
use marula_lab::clone::mongodb::{Request, clone};
use marula_lab::{MongoServer, StartOptions, discover};
use marula_mongodb::catalog::{Scope, read};
use marula_mongodb::{Session, SessionOptions};

use super::made_up;
use crate::apply::Direction;
use crate::lag::PATIENCE;
use crate::migration::{Migration, StepKind};
use crate::mongodb::schema::Schema;
use crate::mongodb::{fix, lint};
use crate::rehearse::{RehearseOptions, Told, course};

/// A replica set of one member with a pristine database, of which every run gets a copy.
pub struct Stage {
    pub(super) server: MongoServer,
    /// What follows the server, where one was asked for.
    pub(super) secondary: Option<MongoServer>,
    pristine: Session,
    /// Documents of the target's collections.
    target: BTreeMap<String, u64>,
    catalog: DocumentCatalog,
    /// The collections that are touched.
    pub(super) touched: Vec<String>,
    dataset: Dataset,
    /// What the reader should know of it.
    pub notes: Vec<String>,
}

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
        let catalog = read(session, Scope::All, None).await?;
        let touched = touched(migrations, &catalog);
        let (server, mut notes) = start(Some(session.version()), progress).await?;
        let (pristine, dataset) = if touched.is_empty() {
            let dataset = Dataset { depth: Depth::Full, share: 1.0, rows: 0 };
            (open(&server, "pristine").await?, dataset)
        } else {
            let request = Request {
                collections: touched.clone(),
                joins: Vec::new(),
                limits: CloneLimits::default(),
            };
            let bench = clone(session, &server.spec(), &request, progress).await?;
            use marula_lab::bench::Bench;
            notes.extend(bench.notes().iter().cloned());
            (bench.session().clone(), bench.dataset())
        };
        let target = catalog.collections.iter().map(|c| (c.name.clone(), c.documents)).collect();
        let secondary = None;
        Ok(Stage { server, secondary, pristine, target, catalog, touched, dataset, notes })
    }

    /// Runs `before` on an empty database, and makes up documents for what it leaves empty.
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
        let pristine = open(&server, "pristine").await?;
        progress.step("making what is there before");
        for migration in before {
            super::apply(&pristine, migration, Direction::Up, None, progress).await?;
        }
        // The copy's history begins with what is rehearsed.
        for name in marula_mongodb::catalog::names(&pristine).await? {
            if name.starts_with("marula.") {
                let own = pristine.database().collection::<Document>(&name);
                own.drop().await.map_err(|error| pristine.map(error))?;
            }
        }
        let named = named(migrations);
        let rows = made_up::documents(&pristine, &named, rows, progress, &mut notes).await?;
        let catalog = read(&pristine, Scope::All, None).await?;
        let touched = touched(migrations, &catalog);
        let dataset = Dataset { depth: Depth::Synthetic, share: 1.0, rows };
        let target = BTreeMap::new();
        let secondary = None;
        Ok(Stage { server, secondary, pristine, target, catalog, touched, dataset, notes })
    }

    /// The same with a secondary that follows the server, so that how far it falls behind is
    /// measured. Without one, where it cannot be had, the notes say why.
    #[must_use]
    pub async fn with_secondary(mut self, progress: &dyn Progress) -> Stage {
        progress.step("starting a secondary");
        match self.server.secondary(PATIENCE).await {
            Ok(secondary) => self.secondary = Some(secondary),
            Err(error) => self.notes.push(format!("replication lag is not measured: {error}")),
        }
        self
    }

    /// What follows the server, where one was asked for.
    pub fn secondary(&self) -> Option<&MongoServer> {
        self.secondary.as_ref()
    }

    /// The documents a collection has on the target.
    pub(super) fn target_documents(&self, name: &str) -> Option<f64> {
        self.target.get(name).map(|count| *count as f64)
    }
}

impl course::Stage for Stage {
    type Copy = Session;

    fn server(&self) -> LabServer {
        LabServer { engine: Engine::Mongodb, version: self.server.version() }
    }

    fn dataset(&self) -> Dataset {
        self.dataset.clone()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn safe(&self, migrations: &[Migration]) -> Result<Option<Vec<Migration>>> {
        let mut schema = Schema::from_catalog(&self.catalog);
        course::safe(migrations, |migration| {
            let fixed = fix::fix(migration, &schema, self.server.version())?;
            lint::follow(&mut schema, std::slice::from_ref(migration));
            Ok(fixed)
        })
    }

    async fn fresh(&self) -> Result<Session> {
        let mut listed = self
            .pristine
            .database()
            .run_cursor_command(doc! { "listCollections": 1, "nameOnly": true })
            .await
            .map_err(|error| self.pristine.map(error))?;
        let mut collections = Vec::new();
        while let Some(one) = listed.try_next().await.map_err(|error| self.pristine.map(error))? {
            let name = one.get_str("name").unwrap_or_default().to_owned();
            if !name.starts_with("system.") {
                collections.push(name);
            }
        }
        if collections.is_empty() {
            return open(&self.server, &format!("run{}", rand::random::<u32>())).await;
        }
        let limits = CloneLimits { bytes: u64::MAX, ..CloneLimits::default() };
        let request = Request { collections, joins: Vec::new(), limits };
        let copy =
            clone(&self.pristine, &self.server.spec(), &request, &marula_core::Quiet).await?;
        Ok(copy.session().clone())
    }

    async fn drop(&self, copy: &Session) -> Result<()> {
        copy.database().drop().await.map_err(|error| copy.map(error))
    }

    async fn one(
        &self,
        copy: &Session,
        form: MigrationForm,
        migration: &Migration,
        options: &RehearseOptions,
        progress: &dyn Progress,
    ) -> Result<Told<RehearsalRun>> {
        super::one(self, copy, form, migration, options, progress).await
    }

    async fn apply(
        &self,
        copy: &Session,
        migration: &Migration,
        direction: Direction,
        progress: &dyn Progress,
    ) -> Result<()> {
        super::apply(copy, migration, direction, None, progress).await
    }
}

async fn open(server: &MongoServer, database: &str) -> Result<Session> {
    Session::open(&server.spec().with_database(database), &SessionOptions::lab()).await
}

async fn start(
    version: Option<Version>,
    progress: &dyn Progress,
) -> Result<(MongoServer, Vec<String>)> {
    progress.step("starting a server");
    let choice = discover::choose(Engine::Mongodb, version)?;
    // A copy goes through the log to a secondary, and must not push out what it has not read.
    let options = StartOptions::default().replica_set().setting("oplogSize", "4096");
    let server = MongoServer::start(&choice.install, &options).await?;
    Ok((server, choice.note.into_iter().collect()))
}

/// The collections that migrations name outright.
fn named(migrations: &[Migration]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for step in migrations.iter().flat_map(|migration| &migration.up) {
        match &step.kind {
            StepKind::Backfill(fill) => {
                all.insert(fill.collection.clone());
            }
            StepKind::Command(command) if !command.contains_key("create") => {
                all.extend(super::collection_of(command));
            }
            _ => {}
        }
    }
    all
}

/// The collections that migrations name anywhere, views with them.
fn touched(migrations: &[Migration], catalog: &DocumentCatalog) -> Vec<String> {
    let mut words = named(migrations);
    for migration in migrations {
        for step in migration.up.iter().chain(migration.down.iter().flatten()) {
            if let StepKind::Command(command) = &step.kind {
                texts(command, &mut words);
            }
        }
    }
    let known = catalog.collections.iter().map(|collection| collection.name.clone());
    known.filter(|name| words.contains(name) && !name.starts_with("system.")).collect()
}

/// Every text of a command, and what stands behind a database's name.
fn texts(command: &Document, found: &mut BTreeSet<String>) {
    let mut open: Vec<&Bson> = command.values().collect();
    while let Some(value) = open.pop() {
        match value {
            Bson::String(text) => {
                found.insert(text.clone());
                found.extend(text.split_once('.').map(|(_, name)| name.to_owned()));
            }
            Bson::Document(inner) => open.extend(inner.values()),
            Bson::Array(all) => open.extend(all),
            _ => {}
        }
    }
}
