use marula_core::{Digest, Report, Result, StatementDigest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Operation, Outcome};
use crate::answer::{self, FindingBrief, Truncated};
use crate::live::{self, Source};
use crate::{cursor, text};

pub struct AnalyzeWorkload;

/// Statements of an answer when nobody says how many.
const TOP: u32 = 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Alias of list_targets.
    target: String,
    /// auto (default), statements, profile, log, or files: the configured log files.
    #[serde(default)]
    source: Source,
    /// Only statements whose text holds this.
    search: Option<String>,
    /// Only runs of at least this long.
    min_ms: Option<f64>,
    /// Statements, at most 50; 10 unless given.
    #[schemars(range(min = 1, max = 50))]
    top: Option<u32>,
    /// From the last answer, for the next page.
    cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    /// What the text below is.
    notice: String,
    /// The most total time first.
    statements: Vec<Slow>,
    /// What their shapes ask for: missing indexes.
    #[schemars(with = "Vec<answer::Loose>")]
    findings: Vec<FindingBrief>,
    errors: Vec<String>,
    notes: Vec<String>,
    /// The whole report's URI.
    report: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<answer::Loose>")]
    truncated: Option<Truncated>,
    next: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Slow {
    shape: String,
    calls: u64,
    total_ms: f64,
    mean_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ms: Option<f64>,
    share_percent: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plans: Vec<String>,
    /// A run to explain.
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<String>,
}

impl Operation for AnalyzeWorkload {
    const NAME: &'static str = "analyze_workload";
    const TITLE: &'static str = "Analyse the workload";
    const ABOUT: &'static str = "Say which queries cost a database most: digest the slow-query log, log \
        files, pg_stat_statements or the MongoDB profiler into top statements with calls, total, mean \
        and p99 time, errors, and where indexes are missing. Why is the server slow, what runs most \
        often, what are the slowest queries.";
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, input: Input) -> Result<Outcome<Output>> {
        let state = &call.state;
        let question = format!(
            "workload {} {:?} {:?} {:?}",
            input.target, input.source, input.search, input.min_ms
        );
        let skip = cursor::decode(input.cursor.as_deref(), &question)?;
        let top = input.top.unwrap_or(TOP).clamp(1, 50) as usize;
        let request = live::request(input.search, input.min_ms, None);
        let found = state.find(&input.target)?;
        let mut report = Report::new("logs");
        let (digest, notes) = if input.source == Source::Files {
            live::files(found.logs, &request).await?
        } else {
            let lease = state.lend(&input.target).await?;
            report.target = Some(lease.target.clone());
            let read = live::read(&lease, input.source, &request, &call.progress).await;
            lease.ended(read)?
        };
        let (findings, changes) = match found.engine {
            marula_core::Engine::Postgres => marula_logs::postgres::advise(&digest),
            marula_core::Engine::Mongodb => marula_logs::mongodb::advise(&digest),
        };
        report.findings = findings;
        report.changes = changes;
        report.notes = notes;
        report.digest = Some(kept(&digest));
        let id = state.reports.keep(format!("workload of {}", input.target), report.clone());
        let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(digest.statements.len());
        let shown: Vec<Slow> = digest.statements.iter().skip(skip).take(top).map(slow).collect();
        let end = skip + shown.len();
        let truncated = (end < digest.statements.len()).then(|| {
            Truncated::page(
                format!(
                    "{} of {} statements are left",
                    digest.statements.len() - end,
                    digest.statements.len()
                ),
                "call again with this cursor and the same other arguments",
                cursor::encode(end as u64, &question),
            )
        });
        let mut next = Vec::new();
        if shown.iter().any(|slow| slow.sample.is_some()) && state.has("explain_query") {
            next.push(format!(
                "explain_query with target '{}' and a statement's sample",
                input.target
            ));
        }
        if digest.statements.len() > 1 && state.has("advise_indexes") {
            next.push("advise_indexes with the samples of those that cost most".into());
        }
        Ok(Outcome::Done(Output {
            summary: summary(&digest),
            notice: text::NOTICE.into(),
            statements: shown,
            findings: answer::findings(&report.findings),
            errors: digest
                .errors
                .iter()
                .take(5)
                .map(|error| text::cut(&format!("{} times: {}", error.count, error.message), 200))
                .collect(),
            notes: report.notes.iter().take(10).map(|note| text::cut(note, 400)).collect(),
            report: format!("marula://labs/{id}/report"),
            truncated,
            next,
        }))
    }
}

/// What is kept of a digest: the statements that matter.
fn kept(digest: &Digest) -> Digest {
    let mut kept = digest.clone();
    kept.statements_left_out += kept.statements.len().saturating_sub(50) as u64;
    kept.statements.truncate(50);
    kept
}

fn summary(digest: &Digest) -> String {
    let totals = &digest.totals;
    match digest.statements.first() {
        None => "nothing was recorded".into(),
        Some(first) => format!(
            "{} statements ran {} times in {:.0} ms; the first takes {:.0} % of it",
            digest.statements.len() as u64 + digest.statements_left_out,
            totals.calls,
            totals.total_ms,
            first.share * 100.0
        ),
    }
}

fn slow(one: &StatementDigest) -> Slow {
    // What was cut short, by the log or here, cannot be run.
    let sample = one.samples.iter().find(|sample| !sample.truncated && sample.text.len() < 4_000);
    Slow {
        shape: text::cut(&one.shape, 600),
        calls: one.load.calls,
        total_ms: one.load.total_ms,
        mean_ms: one.load.mean_ms,
        p99_ms: one.load.p99_ms,
        share_percent: (one.share * 1000.0).round() / 10.0,
        plans: one.plans.iter().take(3).map(|plan| text::cut(&plan.name, 200)).collect(),
        sample: sample.map(|sample| sample.text.clone()),
    }
}
