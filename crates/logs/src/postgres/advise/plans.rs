use std::collections::BTreeSet;

use marula_core::{Evidence, Finding, Place, Severity, StatementDigest};
use marula_postgres::plan;

/// A scan that throws away fewer rows in a run is none to speak of.
const REMOVED: f64 = 500.0;
/// It throws away this share at least.
const SHARE: f64 = 0.9;

/// What plans in the log say of a statement.
#[derive(Default)]
pub(super) struct Seen {
    /// Scans that throw most of their rows away.
    pub findings: Vec<Finding>,
    /// Relations, without schema, that an index leads into without waste.
    pub served: BTreeSet<String>,
}

/// Reads the plans that auto_explain logged with the statement's slowest runs.
pub(super) fn seen(statement: &StatementDigest) -> Seen {
    let mut seen = Seen::default();
    let plans = statement.samples.iter().filter_map(|sample| sample.plan.as_deref());
    let Some(plan) = plans.filter_map(|text| plan::parse(text).ok()).next() else { return seen };
    for (_, node) in plan.plan.tree.walk() {
        let Some(relation) = &node.relation else { continue };
        let bare = relation.rsplit('.').next().unwrap_or(relation).to_owned();
        let removed = node.removed.unwrap_or(0) as f64;
        let kept = node.actual_rows.unwrap_or(0.0);
        let wasteful = removed >= REMOVED && removed > (removed + kept) * SHARE;
        if node.index.is_some() && !wasteful {
            seen.served.insert(bare);
        } else if wasteful && node.index.is_none() {
            seen.findings.push(finding(statement, relation, removed, kept));
        }
    }
    let scanned: Vec<String> =
        seen.findings.iter().filter_map(|finding| finding.place.relation.clone()).collect();
    seen.served.retain(|served| !scanned.contains(served));
    seen
}

fn finding(statement: &StatementDigest, relation: &str, removed: f64, kept: f64) -> Finding {
    let load = &statement.load;
    Finding {
        rule: "selective-seq-scan".into(),
        severity: match statement.share {
            share if share >= 0.2 => Severity::High,
            share if share >= 0.05 => Severity::Medium,
            _ => Severity::Low,
        },
        title: format!(
            "{} reads all of {relation} to keep {kept:.0} of {:.0} rows, and takes {:.0} % of the \
             log's time",
            statement.operation,
            kept + removed,
            statement.share * 100.0
        ),
        place: Place {
            relation: Some(relation.to_owned()),
            expression: Some(statement.shape.clone()),
            ..Place::default()
        },
        evidence: vec![
            Evidence::number("calls", load.calls as f64, None),
            Evidence::number("total", load.total_ms, Some("ms")),
            Evidence::number("mean", load.mean_ms, Some("ms")),
            Evidence::number("rows kept", kept, None),
            Evidence::number("rows thrown away", removed, None),
        ],
        explanation: "The plan that auto_explain logged reads the table from end to end: no index \
                      leads to the rows that are wanted."
            .into(),
        changes: Vec::new(),
        hazard: None,
    }
}
