use std::collections::BTreeMap;

use marula_core::{
    Comparison, Digest, Engine, Fingerprint, Load, Side, StatementChange, StatementDigest, Trend,
};

/// A mean run that changed by less is about the same: logs of one workload differ by as much.
const FACTOR: f64 = 1.25;
/// The median or the 95th percentile has to change as well, by this much: one outlier is no trend.
const TYPICAL: f64 = 1.1;
/// Calls per hour that changed by less are about as many.
const OFTEN: f64 = 1.5;

/// What got slower, faster, new or gone from `before` to `after`.
///
/// Both digests should tell of all statements (`top` unlimited): one that is left out of a side
/// looks new or gone.
pub fn compare(before: &Digest, after: &Digest) -> Comparison {
    let hours = hours(before).zip(hours(after));
    let mut sides: BTreeMap<(Engine, &Fingerprint), [Option<&StatementDigest>; 2]> =
        BTreeMap::new();
    for (at, digest) in [before, after].into_iter().enumerate() {
        for one in &digest.statements {
            sides.entry((one.engine, &one.fingerprint)).or_default()[at] = Some(one);
        }
    }
    let mut statements: Vec<StatementChange> = sides
        .into_values()
        .filter_map(|[before, after]| Some(change(after.or(before)?, before, after, hours)))
        .collect();
    statements.sort_by(|a, b| {
        b.growth_ms.abs().total_cmp(&a.growth_ms.abs()).then_with(|| a.shape.cmp(&b.shape))
    });
    Comparison { before: side(before), after: side(after), statements }
}

fn side(digest: &Digest) -> Side {
    Side {
        sources: digest.sources.iter().map(|source| source.name.clone()).collect(),
        span: digest.span,
        totals: digest.totals.clone(),
    }
}

/// How long the log is; `None` for one without times, or too short to say how often things are.
fn hours(digest: &Digest) -> Option<f64> {
    let span = digest.span?;
    let ms = (span.to.0 - span.from.0) as f64;
    (ms >= 1000.0).then_some(ms / 3_600_000.0)
}

fn change(
    one: &StatementDigest,
    before: Option<&StatementDigest>,
    after: Option<&StatementDigest>,
    hours: Option<(f64, f64)>,
) -> StatementChange {
    let (before, after) = (before.map(|s| s.load.clone()), after.map(|s| s.load.clone()));
    let (then, now) = hours.unwrap_or((1.0, 1.0));
    let time = |load: &Option<Load>, hours: f64| load.as_ref().map_or(0.0, |l| l.total_ms / hours);
    let both = before.as_ref().zip(after.as_ref());
    let mean_ratio = both.and_then(|(a, b)| ratio(a.mean_ms, b.mean_ms));
    let calls_ratio = both.and_then(|(a, b)| ratio(a.calls as f64 / then, b.calls as f64 / now));
    StatementChange {
        fingerprint: one.fingerprint.clone(),
        engine: one.engine,
        shape: one.shape.clone(),
        operation: one.operation.clone(),
        objects: one.objects.clone(),
        trend: trend(before.as_ref(), after.as_ref(), calls_ratio),
        growth_ms: time(&after, now) - time(&before, then),
        mean_ratio,
        calls_ratio,
        before,
        after,
    }
}

fn ratio(before: f64, after: f64) -> Option<f64> {
    (before > 0.0 && after > 0.0).then(|| after / before)
}

fn trend(before: Option<&Load>, after: Option<&Load>, calls: Option<f64>) -> Trend {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, _) => return Trend::New,
        (_, None) => return Trend::Gone,
    };
    // Whether `b` is longer than `a` in the mean and typically, where both sides tell the latter.
    let longer = |a: &Load, b: &Load| {
        let more = |a: Option<f64>, b: Option<f64>, by| a.zip(b).map(|(a, b)| b > a * by);
        let typical = [more(a.p50_ms, b.p50_ms, TYPICAL), more(a.p95_ms, b.p95_ms, FACTOR)];
        let known = typical.iter().any(Option::is_some);
        b.mean_ms > a.mean_ms * FACTOR && (!known || typical.contains(&Some(true)))
    };
    match calls {
        _ if longer(before, after) => Trend::Slower,
        _ if longer(after, before) => Trend::Faster,
        Some(calls) if calls >= OFTEN => Trend::MoreOften,
        Some(calls) if calls <= 1.0 / OFTEN => Trend::LessOften,
        _ => Trend::Same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(calls: u64, mean: f64, p50: f64, p95: f64) -> Load {
        let total_ms = calls as f64 * mean;
        Load {
            calls,
            total_ms,
            mean_ms: mean,
            p50_ms: Some(p50),
            p95_ms: Some(p95),
            ..Load::default()
        }
    }

    fn told(before: Load, after: Load) -> Trend {
        let calls = ratio(before.calls as f64, after.calls as f64);
        trend(Some(&before), Some(&after), calls)
    }

    #[test]
    fn a_trend_needs_more_than_an_outlier() {
        let usual = load(100, 10.0, 8.0, 20.0);
        assert_eq!(told(usual.clone(), load(100, 30.0, 8.0, 20.0)), Trend::Same);
        assert_eq!(told(usual.clone(), load(100, 30.0, 24.0, 60.0)), Trend::Slower);
        assert_eq!(told(usual.clone(), load(100, 15.0, 8.0, 60.0)), Trend::Slower);
        assert_eq!(told(usual.clone(), load(100, 4.0, 3.0, 9.0)), Trend::Faster);
        assert_eq!(told(usual.clone(), load(300, 10.0, 8.0, 20.0)), Trend::MoreOften);
        assert_eq!(told(usual.clone(), load(20, 11.0, 8.0, 20.0)), Trend::LessOften);
        assert_eq!(trend(None, Some(&usual), None), Trend::New);
        assert_eq!(trend(Some(&usual), None, None), Trend::Gone);
    }
}
