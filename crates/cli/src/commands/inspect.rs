//! `marula inspect`.

use marula_core::{Catalog, Report, Result};
use serde_json::json;

use crate::app::{App, Outcome};
use crate::args::{FailOn, Inspect};
use crate::open::{self, Session};

/// Shows what a target holds, or one table or collection of it in detail.
pub async fn run(app: &App, args: Inspect) -> Result<Outcome> {
    let progress = app.progress();
    marula_core::Progress::step(&progress, "reading the catalogue");
    let (target, session) = open::open(app, &args.target, app.timeout(args.timeout)).await?;
    let object: Vec<String> = args.object.iter().cloned().collect();
    let catalog = match &session {
        Session::Postgres(session) => {
            use marula_postgres::catalog::{Scope, read};
            let scope = if object.is_empty() { Scope::All } else { Scope::Relations(&object) };
            read(session, scope).await.map(Catalog::Postgres)
        }
        Session::Mongodb(session) => {
            use marula_mongodb::catalog::{Scope, read};
            let scope = if object.is_empty() { Scope::All } else { Scope::Collections(&object) };
            // The overview does not show schemas, and sampling every collection takes its time.
            let sample = (!object.is_empty()).then_some(args.sample);
            read(session, scope, sample).await.map(Catalog::Mongodb)
        }
    };
    let catalog = catalog.map_err(|error| session.name(error, &target))?;
    let mut report = Report::new("inspect");
    report.target = Some(target);
    report.catalog = Some(catalog);
    report.data = args.object.map(|object| json!({ "object": object }));
    Ok(Outcome::Report(Box::new(report), FailOn::Never))
}
