//! The first lines: how slow it is, and how fast it would be.

use marula_core::{Dataset, Depth, Measurement, Proof, Report, Verdict};

use super::super::Look;
use super::numbers::{duration, grouped, short, times};
use super::paint::Ink;
use super::{paragraph, text};

/// One sentence on the gain, one on the goal.
pub fn headline(report: &Report, look: &Look) -> String {
    let mut out = String::new();
    let sentence = sentence(report);
    let wrapped = text::wrap(&sentence, paragraph(look), "", "");
    out.push_str(&look.paint.ink(Ink::Strong, wrapped.trim_end()));
    out.push('\n');
    if let Some(goal) = &report.goal {
        let after = best_ms(report);
        let (ink, line) = match goal.met {
            Some(true) => (Ink::Good, format!("Goal {}: met{}", duration(goal.ms), with(after))),
            Some(false) => {
                (Ink::Bad, format!("Goal {}: not met{}", duration(goal.ms), with(after)))
            }
            None => {
                (Ink::Warn, format!("Goal {}: unknown, nothing was measured", duration(goal.ms)))
            }
        };
        out.push_str(&look.paint.ink(ink, &line));
        out.push('\n');
    }
    if let Some(target) = &report.target {
        let version = target.version.map(|version| format!(" {version}")).unwrap_or_default();
        let database = target.database.as_deref().map(|db| format!(", database {db}"));
        let line = format!(
            "{}: {}{version}{}",
            target.name,
            target.engine.title(),
            database.unwrap_or_default()
        );
        out.push_str(&look.paint.ink(Ink::Faint, &text::cut(&line, look.width)));
        out.push('\n');
    }
    out
}

/// The headline as one line of plain text, for every format.
pub fn sentence(report: &Report) -> String {
    if let Some(tuning) = &report.tuning {
        return super::tune::sentence(tuning);
    }
    if let Some(designs) = &report.designs {
        return super::designs::sentence(designs);
    }
    if let Some(rehearsal) = &report.rehearsal {
        return super::rehearse::sentence(rehearsal);
    }
    if let Some(digest) = &report.digest {
        return super::logs::sentence(digest);
    }
    if let Some(found) = &report.schema_difference {
        return super::migrate_diff::sentence(found);
    }
    if report.command == "model infer" {
        return super::model_infer::sentence(report);
    }
    if report.command == "model check" {
        return super::model::sentence(report);
    }
    if report.command == "design" {
        return super::design::sentence(report);
    }
    if report.command.starts_with("migrate ")
        && report.failure.is_some()
        && report.migrations.is_none()
    {
        return "How far it came cannot be seen now: marula migrate status says so when the server \
                is there again"
            .into();
    }
    if report.command == "migrate lint" {
        return super::migrate::sentence(report);
    }
    let best = report.best.as_ref().map(|best| &best.proof);
    if let Some(proof) = best.filter(|proof| proof.verdict == Verdict::Proven)
        && let Some(gain) = gain(proof)
    {
        let results = match proof.results_equal {
            Some(true) => ", results equal",
            Some(false) => ", results differ",
            None => ", results not compared",
        };
        return format!("{gain}, proven{}{results}", on(proof));
    }
    let now = today(report);
    let findings = report.findings.len() as u64;
    let found = match (findings, report.changes.len() as u64) {
        (0, 0) => "nothing found to mend".to_string(),
        (0, changes) => text::counted(changes, "proposal", "proposals"),
        (_, 0) => format!("{}, nothing to change", text::counted(findings, "finding", "findings")),
        (_, changes) => format!(
            "{}, {}",
            text::counted(findings, "finding", "findings"),
            text::counted(changes, "proposal", "proposals")
        ),
    };
    let outcome = match best {
        Some(proof) => match (proof.verdict, gain(proof)) {
            (_, Some(gain)) if is_what_if(proof) => format!("; {gain} by the planner's estimate"),
            (Verdict::Proven, _) => "; proven".into(),
            (Verdict::Refuted, _) => "; none helps".into(),
            (Verdict::Inconclusive, _) => "; the measurement does not decide".into(),
            (Verdict::NotTried, _) => "; not proved".into(),
        },
        None if report.changes.is_empty() => String::new(),
        None if report.changes.iter().all(|c| c.proof.verdict == Verdict::NotTried) => {
            "; not proved".into()
        }
        None => "; none proven to help".into(),
    };
    format!("{now}: {found}{outcome}")
}

/// How it runs today, as far as that is known.
fn today(report: &Report) -> String {
    if let Some(time) = report.measured.as_ref().and_then(shown_time) {
        return time;
    }
    match &report.plan {
        Some(plan) if plan.executed => match plan.execution_ms {
            Some(ms) => format!("{} when the plan was made", duration(ms)),
            None => "The plan does not say how long it took".into(),
        },
        Some(_) => "Estimated only (the statement was not run)".into(),
        None => "Not run".into(),
    }
}

/// `9.84 s → 41 ms (240× faster)`, or costs for a what-if.
fn gain(proof: &Proof) -> Option<String> {
    let (before, after) = (proof.before.as_ref()?, proof.after.as_ref()?);
    let (from, to) = match (shown_time(before), shown_time(after)) {
        (Some(from), Some(to)) => (from, to),
        _ => (
            format!("cost {}", grouped(before.cost?.max(0.0) as u64)),
            grouped(after.cost?.max(0.0) as u64),
        ),
    };
    Some(format!("{from} → {to}{}", faster(proof)))
}

/// ` (240× faster)`, ` (1.3× slower)`, ` (about the same)`.
pub fn faster(proof: &Proof) -> String {
    let least = proof.before.as_ref().is_some_and(|before| before.timed_out);
    if proof.after.as_ref().is_some_and(|after| after.timed_out) {
        return String::new();
    }
    match proof.speedup {
        Some(ratio) if least && ratio > 1.0 => format!(" (at least {} faster)", times(ratio)),
        Some(ratio) if (0.95..1.05).contains(&ratio) => " (about the same)".into(),
        Some(ratio) if ratio > 1.0 => format!(" ({} faster)", times(ratio)),
        Some(ratio) if ratio > 0.0 => format!(" ({} slower)", times(1.0 / ratio)),
        _ => String::new(),
    }
}

/// The time of one side, with what a cancelled run means.
pub fn shown_time(side: &Measurement) -> Option<String> {
    let time = duration(side.ms?);
    Some(if side.timed_out { format!("more than {time}") } else { time })
}

/// ` on a full copy (1.3 M rows, PostgreSQL 15.18)`.
fn on(proof: &Proof) -> String {
    let server = proof.server.map(|server| format!("{} {}", server.engine.title(), server.version));
    let rows = proof.dataset.as_ref().filter(|data| data.rows > 0).map(|data| {
        let documents = proof.server.is_some_and(|s| s.engine == marula_core::Engine::Mongodb);
        format!("{} {}", short(data.rows), if documents { "documents" } else { "rows" })
    });
    let inner: Vec<String> = rows.into_iter().chain(server).collect();
    let inner = if inner.is_empty() { String::new() } else { format!(" ({})", inner.join(", ")) };
    match &proof.dataset {
        Some(data) => format!(" on {}{inner}", depth(data)),
        None => inner,
    }
}

/// `a full copy`, `a sample of 4 %`.
pub fn depth(data: &Dataset) -> String {
    match data.depth {
        Depth::Full => "a full copy".into(),
        Depth::Sample => format!("a sample of {}", super::numbers::percent(data.share)),
        Depth::Synthetic => "generated data".into(),
        Depth::Statistics => "the planner's statistics, without rows".into(),
        Depth::WhatIf => "hypothetical indexes".into(),
    }
}

/// Whether costs were compared rather than times.
pub fn is_what_if(proof: &Proof) -> bool {
    proof
        .dataset
        .as_ref()
        .is_some_and(|data| matches!(data.depth, Depth::WhatIf | Depth::Statistics))
}

fn best_ms(report: &Report) -> Option<f64> {
    let best = report.best.as_ref().and_then(|best| best.proof.after.as_ref()?.ms);
    best.or_else(|| report.measured.as_ref()?.ms)
}

fn with(ms: Option<f64>) -> String {
    ms.map(|ms| format!(" ({})", duration(ms))).unwrap_or_default()
}
