use std::collections::HashSet;

use marula_core::{
    Dataset, Engine, ErrorKind, LabServer, Progress, Relation, RelationKind, RelationalCatalog,
    Report, Result, Target,
};
use marula_lab::bench::Bench;
use marula_lab::bench::postgres::PostgresBench;
use marula_lab::clone::CloneLimits;
use marula_lab::clone::postgres::{Request, clone};
use marula_lab::{discover, shared};
use marula_postgres::catalog::{self, Scope};
use marula_postgres::{Session, from_server};

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
    progress.step("reading the catalogue");
    let catalog = own(session).await?;
    let drafts = report::found(rules(), &catalog);
    let mut report =
        report::report::<RelationalCatalog>(target, drafts, "not asked for: --prove off");
    let tables = catalog.relations.iter().filter(|one| one.kind != RelationKind::View).count();
    report::looked(&mut report, "tables", tables, rules().len());
    let unseen = catalog.relations.iter().filter(|one| one.rows.is_none()).count();
    if unseen > 0 {
        report.notes.push(format!(
            "{unseen} relations were never analysed: what their columns hold is not known (run ANALYZE)"
        ));
    }
    if options.prove && !report.changes.is_empty() {
        // A key is judged beside the table it points to: all are copied.
        let tables = |relation: &&Relation| {
            matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable)
        };
        let all = catalog.relations.iter().filter(tables).map(Relation::qualified).collect();
        let proved = on_a_copy(session, all, &mut report, options, progress).await;
        match proved {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => report::without_copy(&mut report, &error),
            Ok(()) => {}
        }
    }
    Ok(report)
}

/// What a database holds but for what its extensions brought: their design is not the user's.
async fn own(session: &Session) -> Result<RelationalCatalog> {
    let mut catalog = catalog::read(session, Scope::All).await?;
    let sql = "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_depend d
         JOIN pg_catalog.pg_class c ON c.oid = d.objid AND d.classid = 'pg_catalog.pg_class'::regclass
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE d.deptype = 'e'";
    let rows = session.client().query(sql, &[]).await.map_err(|error| from_server(&error))?;
    let brought: HashSet<(String, String)> =
        rows.iter().filter_map(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?))).collect();
    catalog.relations.retain(|one| !brought.contains(&(one.schema.clone(), one.name.clone())));
    Ok(catalog)
}

async fn on_a_copy(
    session: &Session,
    relations: Vec<String>,
    report: &mut Report,
    options: &ReviewOptions,
    progress: &dyn Progress,
) -> Result<()> {
    let choice = discover::choose(Engine::Postgres, Some(session.version()))?;
    report.notes.extend(choice.note);
    let server = shared::postgres(choice.install.version.major).await?;
    let statement: Vec<&str> =
        report.changes.iter().flat_map(|change| &change.up).map(String::as_str).collect();
    let request = Request {
        relations,
        joins: Vec::new(),
        statement: statement.join(";\n"),
        limits: CloneLimits { bytes: options.copied, ..CloneLimits::default() },
    };
    let bench = clone(session, &server.spec(), &request, progress).await?;
    report.notes.extend(bench.notes().iter().cloned());
    let mut copy = Copy { bench };
    let proved = report::prove(&mut copy, rules(), report, progress).await;
    let closed = copy.bench.close().await;
    proved.and(closed)
}

struct Copy {
    bench: PostgresBench,
}

impl Copied<RelationalCatalog> for Copy {
    async fn run(&mut self, statement: &str) -> Result<()> {
        let session = self.bench.session().await?;
        session.client().batch_execute(statement).await.map_err(|error| from_server(&error))
    }

    async fn catalog(&mut self) -> Result<RelationalCatalog> {
        own(self.bench.session().await?).await
    }

    fn dataset(&self) -> Dataset {
        self.bench.dataset()
    }

    fn server(&self) -> LabServer {
        self.bench.server()
    }
}
