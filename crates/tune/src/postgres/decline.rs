//! Taking back what was only worth a word if it gained something.

use std::collections::BTreeSet;

use marula_core::{ChangeId, Report, Verdict};

/// A rule whose finding is its change: without a gain there is nothing to tell.
const ONLY_IF_FASTER: &str = "better-wording";

/// Leaves out the other wordings that were measured and gain nothing. One whose results differ
/// stays: that has to be seen.
pub(super) fn decline(report: &mut Report) {
    let idle: BTreeSet<ChangeId> = report
        .changes
        .iter()
        .filter(|change| {
            change.proof.verdict == Verdict::Refuted && change.proof.results_equal != Some(false)
        })
        .map(|change| change.id.clone())
        .collect();
    let mut gone: BTreeSet<ChangeId> = BTreeSet::new();
    for finding in report.findings.iter_mut().filter(|f| f.rule == ONLY_IF_FASTER) {
        gone.extend(finding.changes.iter().filter(|id| idle.contains(id)).cloned());
        finding.changes.retain(|id| !idle.contains(id));
    }
    if gone.is_empty() {
        return;
    }
    report.findings.retain(|f| f.rule != ONLY_IF_FASTER || !f.changes.is_empty());
    let named: BTreeSet<&ChangeId> = report.findings.iter().flat_map(|f| &f.changes).collect();
    let unnamed: BTreeSet<ChangeId> = gone.into_iter().filter(|id| !named.contains(id)).collect();
    let titles: Vec<String> = report
        .changes
        .iter()
        .filter(|change| unnamed.contains(&change.id))
        .map(|change| change.title.clone())
        .collect();
    report.changes.retain(|change| !unnamed.contains(&change.id));
    if !titles.is_empty() {
        report.notes.push(format!(
            "measured and not offered, since it gains less than a tenth: {}",
            titles.join("; ")
        ));
    }
}
