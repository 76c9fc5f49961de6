//! The neutral part of proving: which changes are tried, and what comes of it in the report.

use marula_core::{Progress, Proof, Report, Result, Statement};
use marula_lab::bench::Bench;
use marula_lab::prove::{self, Comparing, ProveOptions};

use crate::{ExplainOptions, failure};

/// Proves the report's changes, the most promising first, and puts what came of it in their
/// place.
pub(crate) async fn changes<'a, B: Bench>(
    bench: &'a mut B,
    statement: &'a Statement,
    comparing: Comparing<'a>,
    report: &mut Report,
    options: &ExplainOptions,
    progress: &dyn Progress,
) -> Result<()> {
    let mut changes = std::mem::take(&mut report.changes);
    let rest = changes.split_off(changes.len().min(options.max_proofs));
    let bounds = ProveOptions {
        limit: options.timeout,
        goal_ms: options.goal_ms,
        ..ProveOptions::default()
    };
    report.changes.clone_from(&changes);
    let proved = prove::prove(bench, statement, comparing, changes, &bounds, progress).await;
    let proved = match proved {
        Err(error) if failure::went_away(&error) => {
            failure::lab_lost(report, &error, rest);
            return Ok(());
        }
        proved => proved?,
    };
    if let Some(error) = &proved.failure {
        failure::note(report, failure::of_lab(error));
    }
    report.changes = proved.changes;
    report.changes.extend(rest.into_iter().map(|mut change| {
        let reason = format!("only the {} most promising changes are tried", options.max_proofs);
        change.proof = Proof::not_tried(reason);
        change
    }));
    report.best = proved.best;
    report.goal = proved.goal;
    report.measured = Some(proved.baseline);
    report.notes.extend(proved.notes);
    Ok(())
}
