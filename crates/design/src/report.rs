//! From what rules found to a report, and the proof of each fix: the same for both engines.

use std::time::Instant;

use marula_core::{
    Build, Change, ChangeId, Dataset, Depth, Error, Finding, LabServer, Place, Progress, Proof,
    Report, Result, Target, Verdict,
};

use crate::Draft;
use crate::rule::{Catalogued, Rule};

/// How a database is reviewed.
#[derive(Debug, Clone)]
pub struct ReviewOptions {
    /// Whether fixes are tried on a copy in the lab.
    pub prove: bool,
    /// Documents to look at in each collection.
    pub sample: u32,
    /// The most that is copied, in bytes; a sample of about this size above it.
    pub copied: u64,
}

impl Default for ReviewOptions {
    fn default() -> Self {
        ReviewOptions { prove: true, sample: 2000, copied: 256 << 20 }
    }
}

/// A copy of the database in the lab.
pub(crate) trait Copied<C> {
    /// Runs one statement.
    fn run(&mut self, statement: &str) -> impl Future<Output = Result<()>> + Send;

    /// What it holds now.
    fn catalog(&mut self) -> impl Future<Output = Result<C>> + Send;

    /// The data that was copied.
    fn dataset(&self) -> Dataset;

    /// The server it is on.
    fn server(&self) -> LabServer;
}

/// All that the rules find in a catalogue, what matters most first.
pub(crate) fn found<C: Catalogued>(rules: &[&'static Rule<C>], catalog: &C) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = rules.iter().flat_map(|rule| rule.find(catalog)).collect();
    drafts.sort_by(|a, b| {
        b.severity.cmp(&a.severity).then_with(|| a.place.relation.cmp(&b.place.relation))
    });
    drafts
}

/// The report of what was found; nothing is proved yet.
pub(crate) fn report<C: Catalogued>(target: &Target, drafts: Vec<Draft>, unproved: &str) -> Report {
    let mut report = Report::new("design");
    report.target = Some(target.clone());
    for draft in drafts {
        let mut changes = Vec::new();
        if let Some(fix) = draft.fix {
            let id = ChangeId(format!("c{}", report.changes.len() + 1));
            changes.push(id.clone());
            report.changes.push(Change {
                id,
                kind: fix.kind,
                engine: C::ENGINE,
                title: fix.title,
                relation: draft.place.relation.clone(),
                up: fix.up,
                down: fix.down,
                hazards: fix.hazards,
                conditions: Vec::new(),
                proof: Proof::not_tried(unproved),
            });
        }
        report.findings.push(Finding {
            rule: draft.rule.into(),
            severity: draft.severity,
            title: draft.title,
            place: draft.place,
            evidence: draft.evidence,
            explanation: draft.explanation,
            changes,
            hazard: None,
        });
    }
    report
}

/// Makes each change on the copy, asks the rule again, and takes the change back.
///
/// # Errors
/// When the copy can no longer be asked.
pub(crate) async fn prove<C: Catalogued>(
    copy: &mut impl Copied<C>,
    rules: &[&'static Rule<C>],
    report: &mut Report,
    progress: &dyn Progress,
) -> Result<()> {
    progress.step("trying each fix on the copy");
    let total = report.changes.len() as u64;
    let mut done = 0;
    for finding in &report.findings {
        let rule = rules.iter().find(|rule| rule.info.id == finding.rule);
        for id in &finding.changes {
            let change = report.changes.iter_mut().find(|change| change.id == *id);
            let (Some(rule), Some(change)) = (rule, change) else { continue };
            change.proof = attempt(copy, rule, &finding.place, change).await?;
            done += 1;
            progress.advance(done, total);
        }
    }
    Ok(())
}

/// One fix, made and taken back.
async fn attempt<C: Catalogued>(
    copy: &mut impl Copied<C>,
    rule: &Rule<C>,
    place: &Place,
    change: &Change,
) -> Result<Proof> {
    let (dataset, server) = (copy.dataset(), copy.server());
    let told = |verdict, reason: String, ms: Option<f64>| Proof {
        dataset: Some(dataset.clone()),
        server: Some(server),
        build: ms.map(|ms| Build { ms, bytes: 0 }),
        ..Proof::bare(verdict, reason)
    };
    let fires = |catalog: &C| rule.find(catalog).iter().any(|draft| draft.place == *place);
    if !fires(&copy.catalog().await?) {
        let reason = "the copy does not show the fault, so that its end cannot be shown";
        return Ok(told(Verdict::Inconclusive, reason.into(), None));
    }
    let started = Instant::now();
    let made = all(copy, &change.up).await;
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    if let Err(error) = made {
        // What was made before it failed is taken back as far as it goes.
        for statement in &change.down {
            let _ = copy.run(statement).await;
        }
        // Rows that were left out may be those that are missed.
        let verdict = match dataset.depth {
            Depth::Sample => Verdict::Inconclusive,
            _ => Verdict::Refuted,
        };
        return Ok(told(verdict, format!("the server refuses it: {error}"), None));
    }
    let still = fires(&copy.catalog().await?);
    let back = all(copy, &change.down).await;
    if still {
        return Ok(told(Verdict::Refuted, "the fault is still there afterwards".into(), Some(ms)));
    }
    if let Err(error) = back {
        let reason = format!("it mends the fault, but the way back is refused: {error}");
        return Ok(told(Verdict::Inconclusive, reason, Some(ms)));
    }
    let reason = "on the copy it runs, the fault is gone, and the way back brings it back";
    Ok(match fires(&copy.catalog().await?) {
        true => told(Verdict::Proven, reason.into(), Some(ms)),
        false => {
            let reason = "it mends the fault, but the way back does not restore what was there";
            told(Verdict::Inconclusive, reason.into(), Some(ms))
        }
    })
}

async fn all<C>(copy: &mut impl Copied<C>, statements: &[String]) -> Result<()> {
    for statement in statements {
        copy.run(statement).await?;
    }
    Ok(())
}

/// What a report says when no copy could be made.
pub(crate) fn without_copy(report: &mut Report, error: &Error) {
    for change in &mut report.changes {
        change.proof = Proof::not_tried(format!("no copy could be made: {error}"));
    }
    report.notes.push(format!("the fixes were not tried: {error}"));
}

/// How much was looked at.
pub(crate) fn looked(report: &mut Report, what: &str, objects: usize, rules: usize) {
    report.data = Some(serde_json::json!({ what: objects, "rules": rules }));
}
