//! `marula design`.

use marula_core::{Error, ErrorKind, Result};
use marula_design::ReviewOptions;

use crate::app::{App, Outcome};
use crate::args::{Design, Prove};
use crate::open::{self, Session};

/// Reviews the design of a live database.
pub async fn run(app: &App, args: Design) -> Result<Outcome> {
    let prove = match app.prove(args.prove) {
        Prove::Lab => true,
        Prove::Off => false,
        Prove::WhatIf => {
            let what = "a design's fixes are tried in the lab, or not at all";
            return Err(Error::new(ErrorKind::Usage, what).hint("write --prove lab or --prove off"));
        }
    };
    let fail_on = app.fail_on(args.fail_on);
    let progress = app.progress();
    let (target, session) = open::open(app, &args.target, app.timeout(args.timeout)).await?;
    let options = ReviewOptions { prove, sample: args.sample.max(1), ..ReviewOptions::default() };
    let reviewed = match &session {
        Session::Postgres(session) => {
            marula_design::postgres::review(session, &target, &options, &progress).await
        }
        Session::Mongodb(session) => {
            marula_design::mongodb::review(session, &target, &options, &progress).await
        }
    };
    progress.clear();
    let report = reviewed.map_err(|error| session.name(error, &target))?;
    Ok(Outcome::Report(Box::new(report), fail_on))
}
