//! `marula logs --advise`: what would help, from the log alone or proved for a target.

use std::collections::{BTreeMap, HashSet};

use marula_core::{
    Change, ChangeId, Digest, Engine, Evidence, EvidenceValue, Fingerprint, Report, Result, Sample,
    StatementDigest, Target, Verdict,
};
use marula_tune::{ExplainOptions, ProveMode};

use crate::app::App;
use crate::open::{self, Session};
use crate::progress::Terminal;
use crate::render::{text, title};

/// A scan of fewer rows or documents is no slower than an index.
const SMALL: f64 = 1000.0;
/// A statement that takes less on the target needs no index there, in milliseconds.
const QUICK_MS: f64 = 5.0;
/// So many statements are explained on a target, those that cost most: each takes its proofs.
const EXPLAINED: usize = 5;

/// Adds findings and changes to the report.
pub async fn advise(
    app: &App,
    target: Option<&str>,
    digest: &Digest,
    report: &mut Report,
    progress: &Terminal,
) -> Result<()> {
    let mut explained = HashSet::new();
    if let Some(name) = target {
        let (target, session) = open::open(app, name, app.timeout(None)).await?;
        explained = prove(app, &target, &session, digest, report, progress).await;
        report.target.get_or_insert(target);
    }
    // What was explained is known better than the log alone can tell.
    let mut rest = digest.clone();
    rest.statements.retain(|one| !explained.contains(&one.fingerprint));
    let (findings, changes) = marula_logs::mongodb::advise(&rest);
    report.findings.extend(findings);
    report.changes.extend(changes);
    let postgres = rest.statements.iter().any(|one| one.engine == Engine::Postgres);
    // A target knows its indexes; the log alone would propose those again.
    if target.is_none() && postgres {
        let (findings, changes) = marula_logs::postgres::advise(&rest);
        report.findings.extend(findings);
        report.changes.extend(changes);
        let silent = marula_logs::postgres::passed_over(&rest);
        if let Some(first) = silent.first() {
            report.notes.push(format!(
                "for {} the text alone tells of no index ({}{}): columns of a join without their \
                 table's name, conditions joined by OR, or nothing to look up by; --target explains \
                 them",
                text::counted(silent.len() as u64, "slow statement", "slow statements"),
                title(first),
                if silent.len() > 1 { ", …" } else { "" },
            ));
        }
        report.notes.push(
            "PostgreSQL's log does not tell which indexes there are: with --target TARGET its \
             statements are explained, and what would help is proved"
                .into(),
        );
    }
    Ok(())
}

/// Explains the statements that cost most and gives those that could be.
async fn prove(
    app: &App,
    target: &Target,
    session: &Session,
    digest: &Digest,
    report: &mut Report,
    progress: &Terminal,
) -> HashSet<Fingerprint> {
    let mut own: Vec<(&StatementDigest, &Sample)> = digest
        .statements
        .iter()
        .filter(|one| one.engine == target.engine && only_reads(one))
        .filter_map(|one| Some((one, one.samples.iter().find(|sample| !sample.truncated)?)))
        .collect();
    own.sort_by(|a, b| b.0.load.total_ms.total_cmp(&a.0.load.total_ms));
    let mut explained = HashSet::new();
    if own.is_empty() {
        report.notes.push(format!(
            "no statement of the log that only reads is {}'s and whole, so nothing was proved",
            target.engine.title()
        ));
    }
    for (one, sample) in own.into_iter().take(EXPLAINED) {
        let options = options(app, target, sample);
        let told = match session {
            Session::Postgres(session) => {
                let text = &sample.text;
                marula_tune::postgres::explain(session, target, text, &options, progress).await
            }
            Session::Mongodb(session) => {
                let text = &sample.text;
                marula_tune::mongodb::explain(session, target, text, &options, progress).await
            }
        };
        match told {
            Ok(told) => {
                explained.insert(one.fingerprint.clone());
                report.notes.extend(nothing(&told).map(|why| format!("{}: {why}", title(one))));
                add(told, &title(one), report);
            }
            Err(error) => report.notes.push(format!(
                "{} could not be explained: {}",
                title(one),
                text::cut(error.message(), 200)
            )),
        }
    }
    explained
}

/// Why nothing is proposed for a statement, where nothing is.
fn nothing(told: &Report) -> Option<String> {
    if !told.changes.is_empty() {
        return None;
    }
    let plan = told.plan.as_ref()?;
    let nodes = plan.tree.walk();
    let scans = nodes.iter().map(|(_, node)| node).filter(|node| {
        node.index.is_none() && (node.op.contains("Seq Scan") || node.op == "COLLSCAN")
    });
    let scanned: Vec<(String, f64)> = scans
        .filter_map(|node| {
            let seen = node.actual_rows.map(|rows| rows + node.removed.unwrap_or(0) as f64);
            let documents = node.reads.filter(|_| node.op == "COLLSCAN").map(|reads| reads as f64);
            Some((node.relation.clone()?, documents.or(seen).or(node.estimated_rows)?))
        })
        .collect();
    let what = if plan.engine == Engine::Mongodb { "documents" } else { "rows" };
    // What took next to no time costs nothing, however many rows it was.
    let quick = plan.execution_ms.filter(|ms| *ms < QUICK_MS);
    let took = quick
        .map(|ms| format!(" ({} on the target)", crate::render::numbers::duration(ms)))
        .unwrap_or_default();
    let count = |number: f64| crate::render::numbers::grouped(number.max(0.0) as u64);
    Some(match scanned.iter().max_by(|a, b| a.1.total_cmp(&b.1)) {
        None => "nothing is proposed: indexes serve it already".into(),
        Some((name, rows)) if *rows < SMALL || quick.is_some() => format!(
            "nothing is proposed: {name} has {} {what}, a scan of it costs nothing{took}",
            count(*rows)
        ),
        Some((name, rows)) => format!(
            "nothing is proposed: it reads {} {what} of {name}, and no index was found that would \
             spare it that",
            count(*rows)
        ),
    })
}

fn only_reads(one: &StatementDigest) -> bool {
    let reads = ["select", "find", "aggregate", "count", "distinct"];
    reads.contains(&one.operation.to_ascii_lowercase().as_str())
}

fn options(app: &App, target: &Target, sample: &Sample) -> ExplainOptions {
    ExplainOptions {
        prove: ProveMode::Lab,
        analyze: target.kind == marula_core::TargetKind::Lab,
        timeout: app.timeout(None),
        parameters: sample.parameters.iter().map(|parameter| parameter.value.clone()).collect(),
        ..ExplainOptions::default()
    }
}

/// Adds one statement's findings, and of its changes the best set; without one those that may help.
fn add(told: Report, statement: &str, report: &mut Report) {
    let best = told.best.map(|best| best.changes).unwrap_or_default();
    let mut renamed: BTreeMap<ChangeId, ChangeId> = BTreeMap::new();
    for change in told.changes {
        let helps = !matches!(change.proof.verdict, Verdict::Refuted | Verdict::Inconclusive);
        if !(best.contains(&change.id) || best.is_empty() && helps) {
            continue;
        }
        let old = change.id.clone();
        renamed.insert(old, known(change, &mut report.changes));
    }
    for note in told.notes {
        let note = format!("{statement}: {note}");
        if !report.notes.contains(&note) {
            report.notes.push(note);
        }
    }
    for mut finding in told.findings {
        finding.changes =
            finding.changes.iter().filter_map(|id| renamed.get(id).cloned()).collect();
        finding.evidence.insert(
            0,
            Evidence {
                name: "statement".into(),
                value: EvidenceValue::Text(statement.into()),
                unit: None,
            },
        );
        report.findings.push(finding);
    }
}

/// The change under a name of its own; one that another statement brought already is not repeated,
/// and the better verdict stands.
fn known(mut change: Change, all: &mut Vec<Change>) -> ChangeId {
    if let Some(same) = all.iter_mut().find(|other| other.up == change.up) {
        if same.proof.verdict != Verdict::Proven {
            same.proof = change.proof;
        }
        return same.id.clone();
    }
    change.id = ChangeId(format!("p{}", all.len() + 1));
    let id = change.id.clone();
    all.push(change);
    id
}
