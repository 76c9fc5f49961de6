use std::path::Path;

use marula_core::{Digest, Quiet};
use marula_logs::generate::postgres::{Kind, Length, Plan, Truth, generate};
use marula_logs::{Request, digest_in_chunks};

pub fn read(path: &Path, threads: usize, chunk: usize) -> Digest {
    let request =
        Request { inputs: vec![path.to_owned()], threads, top: 1000, ..Request::default() };
    digest_in_chunks(&request, chunk, &Quiet).unwrap()
}

/// A digest says exactly what was put in, and percentiles within 1 %.
pub fn assert_true(digest: &Digest, truth: &Truth, what: &str) {
    let source = &digest.sources[0];
    assert_eq!(source.entries, truth.entries, "{what}: {source:?}");
    assert_eq!(source.unread, 0, "{what}: {source:?}");
    let got: Vec<_> = digest.statements.iter().map(|s| (s.shape.as_str(), s.load.calls)).collect();
    for (shape, expected) in &truth.statements {
        let statement = digest
            .statements
            .iter()
            .find(|statement| statement.shape == *shape)
            .unwrap_or_else(|| panic!("{what}: no {shape} in {got:#?}"));
        let load = &statement.load;
        let micros: u64 = expected.durations.iter().sum();
        assert_eq!(load.calls, expected.durations.len() as u64, "{what}: {shape}");
        assert_eq!((load.total_ms * 1000.0).round() as u64, micros, "{what}: {shape}");
        let max = expected.durations.iter().max().copied().unwrap_or(0);
        assert_eq!((load.max_ms.unwrap() * 1000.0).round() as u64, max, "{what}: {shape}");
        assert_eq!(load.temp_bytes.unwrap_or(0), expected.temp_bytes, "{what}: {shape}");
        assert_eq!(load.returned.unwrap_or(0), expected.returned, "{what}: {shape}");
        assert_eq!(load.reads.unwrap_or(0), expected.reads, "{what}: {shape}");
        for (share, told) in [
            (0.5, load.p50_ms.unwrap()),
            (0.95, load.p95_ms.unwrap()),
            (0.99, load.p99_ms.unwrap()),
        ] {
            let exact = expected.quantile(share) as f64 / 1000.0;
            assert!((told - exact).abs() <= exact * 0.01 + 1e-9, "{what}: {shape} {told} {exact}");
        }
    }
    assert_eq!(digest.statements.len(), truth.statements.len(), "{what}: {got:#?}");
    assert_eq!(digest.totals.calls, truth.calls(), "{what}");
    assert_eq!((digest.totals.total_ms * 1000.0).round() as u128, truth.micros(), "{what}");
    let buckets: u64 = digest.timeline.buckets.iter().map(|bucket| bucket.calls).sum();
    assert_eq!(buckets, truth.calls(), "{what}");
    let bars: u64 = digest.histogram.iter().map(|bar| bar.calls).sum();
    assert_eq!(bars, truth.calls(), "{what}");
    for (kind, (count, thousandths)) in &truth.events {
        let event = digest.events.iter().find(|event| event.kind == *kind);
        let event = event.unwrap_or_else(|| panic!("{what}: no {kind:?}"));
        assert_eq!(event.count, *count, "{what}: {kind:?}");
        let total = (event.total.unwrap_or(0.0) * 1000.0).round() as u64;
        assert_eq!(total, *thousandths, "{what}: {kind:?}");
    }
    assert_eq!(digest.events.len(), truth.events.len(), "{what}");
}

fn check(kind: Kind, codes: bool, users: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postgresql.log");
    for seed in [1, 2] {
        let plan = Plan { kind: kind.clone(), seed, length: Length::Events(6000), plain: false };
        let mut file = std::fs::File::create(&path).unwrap();
        let truth = generate(&plan, &mut file).unwrap();
        let what = format!("{kind:?} seed {seed}");
        let told = read(&path, 1, 2 << 20);
        assert_true(&told, &truth, &what);
        // Chunks of a few entries: everything stands on a seam.
        let seams = read(&path, 1, 3000);
        assert_true(&seams, &truth, &format!("{what} in small chunks"));
        for threads in [2, 5] {
            assert_eq!(read(&path, threads, 3000), seams, "{what} with {threads} threads");
        }
        for ((severity, code), count) in &truth.errors {
            let of = |error: &&marula_core::ErrorDigest| {
                error.severity == *severity && (!codes || error.code.as_deref() == Some(code))
            };
            let told: u64 = told.errors.iter().filter(of).map(|error| error.count).sum();
            let all: u64 = truth
                .errors
                .iter()
                .filter(|((s, c), _)| s == severity && (!codes || c == code))
                .map(|(_, count)| count)
                .sum();
            assert_eq!(told, all, "{what} {severity} {code} {count}");
        }
        if users {
            for (user, (calls, micros)) in &truth.users {
                let origin = told
                    .origins
                    .iter()
                    .find(|o| o.kind == marula_core::OriginKind::User && o.name == *user)
                    .unwrap();
                assert_eq!(origin.calls, *calls, "{what} {user}");
                assert_eq!((origin.total_ms * 1000.0).round() as u128, *micros, "{what} {user}");
            }
        }
    }
}

#[test]
fn stderr_with_many_prefixes() {
    for (prefix, codes, users) in [
        ("%m [%p] ", false, false),
        ("%m [%p] %q%u@%d ", false, true),
        ("%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ", false, true),
        ("%t:%r:%u@%d:[%p]:", false, true),
        ("%m|%p|%u|%d|%h|%e|", true, true),
        ("%n [%p] %e ", true, false),
        ("[%p] %m %c %v %x user=%u ", false, true),
    ] {
        check(Kind::Stderr(prefix.into()), codes, users);
    }
}

#[test]
fn csvlog_of_every_version() {
    for columns in [23, 24, 26] {
        check(Kind::Csv(columns), true, true);
    }
}

#[test]
fn jsonlog() {
    check(Kind::Json, true, true);
}

#[test]
fn syslog_with_split_lines() {
    check(Kind::Syslog("%q%u@%d ".into()), false, true);
    check(Kind::Syslog("user=%u,db=%d,app=%a,client=%h ".into()), false, true);
    check(Kind::Syslog("".into()), false, false);
}

#[test]
fn cloud_sql() {
    check(Kind::CloudSql, false, true);
}
