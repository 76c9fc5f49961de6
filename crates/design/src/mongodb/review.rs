use marula_core::{
    Dataset, DocumentCatalog, Engine, ErrorKind, LabServer, Progress, Report, Result, Target,
};
use marula_lab::bench::Bench;
use marula_lab::bench::mongodb::MongoBench;
use marula_lab::clone::CloneLimits;
use marula_lab::clone::mongodb::{Request, clone};
use marula_lab::{discover, shared};
use marula_mongodb::catalog::{self, Scope};
use marula_mongodb::{Session, shell};

use super::rules;
use crate::report::{self, Copied, ReviewOptions};

/// Lists the faults of a database's design, and tries what mends them on a copy.
///
/// # Errors
/// What reading the catalogue gives. A lab that cannot run makes the report poorer, and it says so.
pub async fn review(
    session: &Session,
    target: &Target,
    options: &ReviewOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    progress.step("reading the collections");
    let catalog = catalog::read(session, Scope::All, Some(options.sample)).await?;
    let drafts = report::found(rules(), &catalog);
    let mut report =
        report::report::<DocumentCatalog>(target, drafts, "not asked for: --prove off");
    report::looked(&mut report, "collections", catalog.collections.len(), rules().len());
    report.notes.extend(catalog.notes.iter().cloned());
    let sampled = catalog
        .collections
        .iter()
        .filter(|one| one.schema.as_ref().is_some_and(|schema| !schema.complete))
        .count();
    if sampled > 0 {
        report.notes.push(format!(
            "of {sampled} collections {} documents each were looked at, not all (--sample)",
            options.sample
        ));
    }
    if options.prove && !report.changes.is_empty() {
        let proved = on_a_copy(session, &mut report, options, progress).await;
        match proved {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => report::without_copy(&mut report, &error),
            Ok(()) => {}
        }
    }
    Ok(report)
}

async fn on_a_copy(
    session: &Session,
    report: &mut Report,
    options: &ReviewOptions,
    progress: &dyn Progress,
) -> Result<()> {
    let choice = discover::choose(Engine::Mongodb, Some(session.version()))?;
    report.notes.extend(choice.note);
    let version = choice.install.version;
    let server = shared::mongodb(version.major, version.minor).await?;
    // A reference is judged beside the collection it points to: all are copied.
    let request = Request {
        collections: catalog::names(session).await?,
        joins: Vec::new(),
        limits: CloneLimits { bytes: options.copied, ..CloneLimits::default() },
    };
    let bench = clone(session, &server.spec(), &request, progress).await?;
    report.notes.extend(bench.notes().iter().cloned());
    let mut copy = Copy { bench, sample: options.sample };
    let proved = report::prove(&mut copy, rules(), report, progress).await;
    let closed = copy.bench.close().await;
    proved.and(closed)
}

struct Copy {
    bench: MongoBench,
    sample: u32,
}

impl Copied<DocumentCatalog> for Copy {
    async fn run(&mut self, statement: &str) -> Result<()> {
        let session = self.bench.session();
        let command = shell::parse(statement)?.to_command();
        let answer = session.database().run_command(command).await;
        answer.map(|_| ()).map_err(|error| session.map(error))
    }

    async fn catalog(&mut self) -> Result<DocumentCatalog> {
        catalog::read(self.bench.session(), Scope::All, Some(self.sample)).await
    }

    fn dataset(&self) -> Dataset {
        self.bench.dataset()
    }

    fn server(&self) -> LabServer {
        self.bench.server()
    }
}
