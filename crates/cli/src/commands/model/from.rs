//! `marula model from`.

use std::path::Path;

use marula_core::Result;
use marula_design::model::from;

use crate::app::{App, Outcome, read_input};
use crate::args::ModelFrom;
use crate::open::{self, Session};

/// Writes a model from a schema or a live database.
pub async fn run(app: &App, args: ModelFrom) -> Result<Outcome> {
    let path = Path::new(&args.source);
    let file = args.source == "-" || (path.exists() && !path.is_dir());
    let made = if file {
        let text = read_input(&args.source)?;
        match args.source.to_lowercase().ends_with(".dbml") {
            true => from::dbml(&text, &args.source)?,
            false => from::sql(&text, &args.source)?,
        }
    } else {
        let progress = app.progress();
        let timeout = app.timeout(args.timeout);
        let (target, session) = open::open(app, &args.source, timeout).await?;
        let made = match &session {
            Session::Postgres(session) => from::postgres(session, &progress).await,
            Session::Mongodb(session) => {
                from::mongodb(session, args.sample.max(1), &progress).await
            }
        };
        progress.clear();
        made.map_err(|error| session.name(error, &target))?
    };
    for note in &made.notes {
        app.warn(note);
    }
    Ok(Outcome::Text(made.written()))
}
