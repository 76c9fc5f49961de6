//! From numbers to a verdict and its reason.

use marula_core::{Build, ChangeKind, Error, Measurement, Proof, Verdict};

use super::measure::{Pairs, median};
use crate::compare::Outcome;

/// The least gain that counts.
pub(super) const WORTH: f64 = 1.1;
/// From here on a gain is beyond what clocks and caches do by themselves.
const CLEAR: f64 = 1.5;
/// Below this many milliseconds clock time is noise, and counters decide.
const TINY_MS: f64 = 1.0;
/// Below this a busy machine can hide any gain, so that reads decide when they fall far enough.
const SHORT_MS: f64 = 30.0;
/// How many times fewer reads decide for a short run.
const FAR_LESS: f64 = 10.0;

/// What a verdict rests on.
pub(super) struct Judged<'a> {
    pub kind: ChangeKind,
    pub baseline: &'a Measurement,
    pub after: &'a Measurement,
    /// The runs without and with it.
    pub pairs: &'a Pairs,
    /// Whether the plan uses what was built, when it can tell.
    pub used: Option<bool>,
    pub outcome: &'a Outcome,
    /// Where the results were compared, when not on all the data.
    pub sampled: Option<&'a str>,
}

/// The proof of a change that could not be made or run.
pub(super) fn failed(error: &Error) -> Proof {
    Proof::bare(Verdict::Inconclusive, format!("it could not be tried: {error}"))
}

/// Judges what was measured and puts the measurements beside the verdict.
pub(super) fn proof(judged: &Judged<'_>, build: Option<Build>) -> Proof {
    let mut before = judged.baseline.clone();
    if !before.timed_out {
        // The runs in turn with those after: what the speedup is told from.
        before.ms = Some(median(&judged.pairs.before_ms));
        before.runs = u32::try_from(judged.pairs.before_ms.len()).unwrap_or(u32::MAX);
    }
    Proof {
        speedup: Some(judged.pairs.speedup()),
        results_equal: match judged.outcome {
            Outcome::Equal => Some(true),
            Outcome::Different(_) => Some(false),
            Outcome::Unknown(_) => None,
        },
        before: Some(before),
        after: Some(judged.after.clone()),
        build,
        ..judge(judged)
    }
}

/// The verdict and its reason alone.
fn judge(j: &Judged<'_>) -> Proof {
    if let Outcome::Different(how) = j.outcome {
        return Proof::bare(
            Verdict::Refuted,
            format!("THE RESULTS DIFFER: {how}{}", j.sampled.unwrap_or_default()),
        );
    }
    let (verdict, mut reason) = by_numbers(j);
    match j.outcome {
        Outcome::Unknown(why) if verdict == Verdict::Proven && j.kind == ChangeKind::Rewrite => {
            return Proof::bare(
                Verdict::Inconclusive,
                format!("{reason}, but equal results were not shown: {why}"),
            );
        }
        Outcome::Unknown(why) if verdict == Verdict::Proven => {
            reason.push_str(&format!("; results were not compared: {why}"));
        }
        _ => {
            if verdict == Verdict::Proven {
                reason.push_str("; results are equal");
                reason.push_str(j.sampled.unwrap_or_default());
            }
        }
    }
    Proof::bare(verdict, reason)
}

fn by_numbers(j: &Judged<'_>) -> (Verdict, String) {
    let (before_ms, after_ms) = (j.baseline.ms.unwrap_or(0.0), j.after.ms.unwrap_or(0.0));
    if j.after.timed_out {
        return if j.baseline.timed_out {
            let why = format!("alone it does not do: it had not finished after {}", time(after_ms));
            (Verdict::Refuted, why)
        } else if after_ms > before_ms * 2.0 {
            (Verdict::Refuted, format!("slower: cancelled after {}", time(after_ms)))
        } else {
            (Verdict::Refuted, format!("no gain alone: cancelled after {}", time(after_ms)))
        };
    }
    let speedup = median(&j.pairs.ratios());
    if j.baseline.timed_out {
        return (
            Verdict::Proven,
            format!("at least {speedup:.0} times faster: before, it was cancelled at the limit"),
        );
    }
    if j.used == Some(false) {
        // Whatever the clocks say, the same plan ran.
        let why = match j.kind {
            ChangeKind::Statistics | ChangeKind::Setting => {
                "no gain: the planner chooses the same plan"
            }
            _ => "no gain: the planner does not use it",
        };
        return (Verdict::Refuted, why.into());
    }
    let work = work_ratio(j.baseline, j.after);
    if before_ms.max(after_ms) < TINY_MS {
        return by_counters(work, speedup, counted(j.after));
    }
    let within_noise = speedup > 1.0 / CLEAR && speedup < CLEAR;
    if before_ms.max(after_ms) < SHORT_MS
        && within_noise
        && let Some(work) = work.filter(|work| *work >= FAR_LESS)
    {
        let what = counted(j.after);
        let why = format!("{what} fall {}; the time is too short to tell apart", times(work));
        return (Verdict::Proven, why);
    }
    if speedup < 1.0 / WORTH {
        return (Verdict::Refuted, format!("slower: {:.2} times the time", 1.0 / speedup));
    }
    if speedup < WORTH {
        if let Some(work) = work.filter(|work| *work >= 1.5) {
            return (
                Verdict::Inconclusive,
                format!("{} fall {work:.1} times, but the time does not", counted(j.after)),
            );
        }
        return (Verdict::Refuted, "no gain alone".into());
    }
    if speedup < CLEAR && !j.pairs.apart() {
        return (Verdict::Inconclusive, "the runs wobble more than they differ".into());
    }
    // In the lab everything is in memory. On a server that reads from disk what is read decides:
    // a little more of it is paid for by a clear gain only, and much more by a greater one.
    let more = work.map_or(1.0, |work| 1.0 / work);
    match work {
        Some(_) if more > 1.1 && (speedup < CLEAR || more > speedup) => (
            Verdict::Inconclusive,
            format!(
                "{} faster with all in memory, but it reads {} as much: from disk it may be slower",
                times(speedup),
                times(more)
            ),
        ),
        Some(_) if more > 1.1 => (
            Verdict::Proven,
            format!("{} faster, though it reads {} as much", times(speedup), times(more)),
        ),
        Some(work) if work >= WORTH => {
            let what = counted(j.after);
            (Verdict::Proven, format!("{} faster, {what} fall {}", times(speedup), times(work)))
        }
        _ => (Verdict::Proven, format!("{} faster", times(speedup))),
    }
}

fn by_counters(work: Option<f64>, speedup: f64, what: &str) -> (Verdict, String) {
    match work {
        Some(work) if work >= WORTH => (
            Verdict::Proven,
            format!("{what} fall {}; the time is below 1 ms either way", times(work)),
        ),
        Some(work) if work < 1.0 / WORTH => {
            (Verdict::Refuted, format!("it reads {:.1} times as much", 1.0 / work))
        }
        Some(_) => (Verdict::Refuted, "no gain: it reads as much as before".into()),
        None if speedup >= 2.0 => (Verdict::Proven, format!("{} faster", times(speedup))),
        None => (Verdict::Inconclusive, "the time is below 1 ms either way".into()),
    }
}

/// How many times less is read: buffers, or documents and index keys.
fn work_ratio(before: &Measurement, after: &Measurement) -> Option<f64> {
    let work = |measurement: &Measurement| {
        let summary = &measurement.plan.as_ref().filter(|plan| plan.executed)?.summary;
        Some((summary.reads? + summary.keys.unwrap_or(0)) as f64)
    };
    Some((work(before)? + 1.0) / (work(after)? + 1.0))
}

/// What [`work_ratio`] counts, for the reader who sees only one of the two in a table.
fn counted(measured: &Measurement) -> &'static str {
    let keys = measured.plan.as_ref().and_then(|plan| plan.summary.keys);
    if keys.is_some() { "documents and keys read" } else { "reads" }
}

/// `3.4 times`, `120 times`.
pub(super) fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.1} times") } else { format!("{ratio:.0} times") }
}

/// `12 ms`, `3.4 s`.
fn time(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1000.0) }
}

#[cfg(test)]
mod tests {
    use marula_core::Plan;

    use super::*;

    fn measured(ms: f64, reads: u64) -> Measurement {
        let plan = Plan {
            engine: marula_core::Engine::Postgres,
            version: None,
            executed: true,
            planning_ms: None,
            execution_ms: None,
            summary: marula_core::PlanSummary { reads: Some(reads), ..Default::default() },
            tree: Default::default(),
        };
        Measurement {
            ms: Some(ms),
            runs: 3,
            reads: Some(reads),
            cost: None,
            timed_out: false,
            plan: Some(Box::new(plan)),
        }
    }

    fn verdict(before: ([f64; 3], u64), after: ([f64; 3], u64), used: Option<bool>) -> Proof {
        let pairs = Pairs {
            before_ms: before.0.to_vec(),
            after_ms: after.0.to_vec(),
            digest: None,
            timed_out: false,
        };
        judge(&Judged {
            kind: ChangeKind::Setting,
            baseline: &measured(median(&before.0), before.1),
            after: &measured(median(&after.0), after.1),
            pairs: &pairs,
            used,
            outcome: &Outcome::Equal,
            sampled: None,
        })
    }

    #[test]
    fn a_small_gain_counts_only_beyond_the_noise() {
        let noisy = verdict(([100.0, 130.0, 120.0], 50), ([90.0, 110.0, 95.0], 50), None);
        assert_eq!(noisy.verdict, Verdict::Inconclusive, "{}", noisy.reason);
        let clear = verdict(([120.0, 130.0, 125.0], 50), ([90.0, 110.0, 95.0], 50), None);
        assert_eq!(clear.verdict, Verdict::Proven, "{}", clear.reason);
        let same_plan = verdict(([120.0, 130.0, 125.0], 50), ([60.0, 61.0, 62.0], 50), Some(false));
        assert_eq!(same_plan.verdict, Verdict::Refuted, "{}", same_plan.reason);
    }

    #[test]
    fn a_gain_that_reads_much_more_is_not_proven() {
        let before = ([100.0, 100.0, 100.0], 1000);
        let dear = verdict(before, ([50.0, 50.0, 50.0], 5000), None);
        assert_eq!(dear.verdict, Verdict::Inconclusive, "{}", dear.reason);
        let paid = verdict(before, ([10.0, 10.0, 10.0], 1500), None);
        assert_eq!(paid.verdict, Verdict::Proven, "{}", paid.reason);
        assert!(paid.reason.contains("reads 1.5 times as much"), "{}", paid.reason);
        let little = verdict(before, ([80.0, 80.0, 80.0], 1300), None);
        assert_eq!(little.verdict, Verdict::Inconclusive, "{}", little.reason);
    }
}
