//! From the clients' own times to what each statement meant to them.

use marula_core::{Behind, ClientImpact, ClientLatency, LoadOperation};

use super::Span;
use super::clients::Operation;

/// What is slower than this, in milliseconds, may be a stall.
const STALL_MS: f64 = 10.0;

/// What clients measured in a stretch of time in which nothing else happened.
pub(crate) fn usual(kinds: &[LoadOperation], operations: &[&Operation]) -> Vec<ClientLatency> {
    let of = |kind: usize| -> Vec<f64> {
        let own = operations.iter().filter(|o| o.kind == kind && o.error.is_none());
        own.map(|operation| operation.span.ms()).collect()
    };
    kinds.iter().enumerate().map(|(kind, about)| latency(about, of(kind))).collect()
}

fn latency(about: &LoadOperation, mut times: Vec<f64>) -> ClientLatency {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| -> f64 {
        let last = times.len().saturating_sub(1);
        times.get((last as f64 * share).ceil() as usize).copied().unwrap_or(0.0)
    };
    ClientLatency {
        operation: about.name.clone(),
        object: about.object.clone(),
        operations: times.len() as u64,
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        longest_ms: times.last().copied().unwrap_or(0.0),
    }
}

/// The span each operation waited in longest, by its number; `None` for what ran outside of all.
pub(crate) fn put_to(operation: &Operation, spans: &[Span]) -> Option<usize> {
    spans
        .iter()
        .enumerate()
        .map(|(at, span)| (span.overlap(&operation.span), at))
        .filter(|(overlap, _)| !overlap.is_zero())
        .max_by_key(|(overlap, at)| (*overlap, std::cmp::Reverse(*at)))
        .map(|(_, at)| at)
}

/// How long an operation may take before it counts as stalled, in milliseconds.
pub(crate) fn bound(usual: &ClientLatency) -> f64 {
    STALL_MS.max(3.0 * usual.p99_ms)
}

/// What a statement meant to each sort of operation, the longest stall first. `behind` says which
/// lock of the migration an operation stood behind.
pub(crate) fn impacts(
    kinds: &[LoadOperation],
    usual: &[ClientLatency],
    operations: &[&Operation],
    behind: &dyn Fn(&Operation) -> Option<Behind>,
) -> Vec<ClientImpact> {
    let mut all = Vec::new();
    for (kind, (about, usual)) in kinds.iter().zip(usual).enumerate() {
        let own: Vec<&&Operation> = operations.iter().filter(|o| o.kind == kind).collect();
        if own.is_empty() {
            continue;
        }
        let bound = bound(usual);
        // Who was stalled and then failed was stalled all the same.
        let times = own.iter().map(|o| o.span.ms()).collect();
        let stalled: Vec<&&&Operation> = own.iter().filter(|o| o.span.ms() > bound).collect();
        let longest =
            stalled.iter().max_by(|a, b| a.span.ms().total_cmp(&b.span.ms())).map(|o| behind(o));
        all.push(ClientImpact {
            latency: latency(about, times),
            stalled: stalled.len() as u64,
            failed: own.iter().filter(|o| o.error.is_some()).count() as u64,
            error: own.iter().find_map(|o| o.error.clone()),
            behind: longest.flatten(),
        });
    }
    all.sort_by(|a, b| b.latency.longest_ms.total_cmp(&a.latency.longest_ms));
    all
}

/// The longest stall among them, in milliseconds; 0 when nobody was stalled.
pub(crate) fn longest(impacts: &[ClientImpact]) -> f64 {
    let stalled = impacts.iter().filter(|impact| impact.stalled > 0);
    stalled.map(|impact| impact.latency.longest_ms).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn span(zero: Instant, start: u64, end: u64) -> Span {
        let at = |ms| zero + Duration::from_millis(ms);
        Span { start: at(start), end: at(end) }
    }

    #[test]
    fn an_operation_counts_where_it_waited_longest() {
        let zero = Instant::now();
        let spans = [span(zero, 0, 100), span(zero, 100, 500), span(zero, 500, 501)];
        let of = |start, end| {
            let span = span(zero, start, end);
            put_to(&Operation { kind: 0, connection: 1, span, error: None }, &spans)
        };
        assert_eq!(of(90, 400), Some(1));
        assert_eq!(of(10, 120), Some(0));
        assert_eq!(of(600, 700), None);
        assert_eq!(of(490, 900), Some(1));
    }

    #[test]
    fn a_stall_is_told_with_the_longest_wait() {
        let kinds = [LoadOperation {
            name: "read".into(),
            object: "users".into(),
            statement: "SELECT".into(),
        }];
        let zero = Instant::now();
        let make = |start, end, error: Option<&str>| Operation {
            kind: 0,
            connection: 1,
            span: span(zero, start, end),
            error: error.map(Into::into),
        };
        let quick: Vec<Operation> = (0..100).map(|at| make(at, at + 1, None)).collect();
        let usual = usual(&kinds, &quick.iter().collect::<Vec<_>>());
        assert_eq!((usual[0].operations, usual[0].p50_ms, usual[0].longest_ms), (100, 1.0, 1.0));
        let slow = [make(0, 5, None), make(0, 700, None), make(3, 900, Some("gone"))];
        let told = impacts(&kinds, &usual, &slow.iter().collect::<Vec<_>>(), &|_| None);
        assert_eq!((told[0].stalled, told[0].failed, told[0].latency.longest_ms), (2, 1, 897.0));
        assert_eq!(longest(&told), 897.0);
    }
}
