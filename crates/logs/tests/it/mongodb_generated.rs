//! Made-up logs of every format, against the truth counted while they were made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use marula_core::{Digest, EventKind, Quiet};
use marula_logs::generate::Truth;
use marula_logs::generate::mongodb::{Flavour, Options, write};
use marula_logs::{Request, digest};

pub const FLAVOURS: [(Flavour, &str); 8] = [
    (Flavour::Text, "mongodb text"),
    (Flavour::Json(4), "mongodb json"),
    (Flavour::Json(5), "mongodb json"),
    (Flavour::Json(6), "mongodb json"),
    (Flavour::Json(8), "mongodb json"),
    (Flavour::Profile, "mongodb profile json"),
    (Flavour::ProfileArray, "mongodb profile json"),
    (Flavour::ProfileBson, "mongodb profile bson"),
];

pub fn generated(flavour: Flavour, operations: u64) -> (Vec<u8>, Truth) {
    let mut log = Vec::new();
    let options = Options { seed: 7, flavour, operations, bytes: u64::MAX };
    let truth = write(&mut log, &options).unwrap();
    (log, truth)
}

pub fn digest_of(path: &Path, threads: usize) -> Digest {
    let request = Request { inputs: vec![path.into()], top: 1000, threads, ..Request::default() };
    digest(&request, &Quiet).unwrap()
}

fn near(told: f64, micros: u64) -> bool {
    let truth = micros as f64 / 1000.0;
    (told - truth).abs() <= truth * 0.01 + 1e-9
}

fn check(digest: &Digest, truth: &Truth, format: &str) {
    let source = &digest.sources[0];
    assert_eq!(source.format.as_deref(), Some(format));
    assert_eq!(
        (source.entries, source.unread, source.truncated),
        (truth.entries, 0, truth.truncated),
        "{format}: {source:?}"
    );
    let told: BTreeSet<&str> = digest.statements.iter().map(|one| one.shape.as_str()).collect();
    let known: BTreeSet<&str> = truth.statements.keys().map(String::as_str).collect();
    assert_eq!(told, known, "{format}");
    for statement in &digest.statements {
        let truth = &truth.statements[&statement.shape];
        let load = &statement.load;
        let at = format!("{format}: {}", statement.shape);
        assert_eq!(load.calls, truth.micros.len() as u64, "{at}");
        assert_eq!((load.total_ms * 1000.0).round() as u64, truth.total(), "{at}");
        assert_eq!(
            (load.max_ms.unwrap() * 1000.0).round() as u64,
            *truth.micros.iter().max().unwrap(),
            "{at}"
        );
        assert_eq!(load.returned.unwrap_or(0), truth.returned, "{at}");
        assert_eq!(load.keys.unwrap_or(0), truth.keys, "{at}");
        assert_eq!(load.reads.unwrap_or(0), truth.reads, "{at}");
        let waited = (load.lock_ms.unwrap_or(0.0) * 1000.0).round() as u64;
        assert_eq!(waited, truth.waited, "{at}");
        assert_eq!(load.temp_bytes.unwrap_or(0), truth.spilled, "{at}");
        for (share, told) in [
            (0.5, load.p50_ms.unwrap()),
            (0.95, load.p95_ms.unwrap()),
            (0.99, load.p99_ms.unwrap()),
        ] {
            assert!(
                near(told, truth.percentile(share)),
                "{at}: {told} {}",
                truth.percentile(share)
            );
        }
        assert_eq!(statement.incomplete, statement.shape.ends_with('…'), "{at}");
    }
    assert_eq!(digest.totals.calls, truth.calls(), "{format}");
    let errors: BTreeMap<String, u64> = digest
        .errors
        .iter()
        .map(|error| (error.code.clone().unwrap_or_default(), error.count))
        .collect();
    assert_eq!(errors, truth.errors, "{format}");
    let event = |kind| digest.events.iter().find(|event| event.kind == kind);
    assert_eq!(event(EventKind::Connected).map_or(0, |event| event.count), truth.connected);
    let builds = event(EventKind::IndexBuild);
    assert_eq!(
        builds.map_or((0, 0), |event| (event.count, event.total.unwrap_or(0.0) as u64)),
        truth.index_builds,
        "{format}"
    );
    let waits = event(EventKind::LockWait).unwrap();
    let micros = (waits.total.unwrap() * 1000.0).round() as u64;
    assert_eq!((waits.count, micros), truth.lock_waits, "{format}");
    let spills = event(EventKind::TempFile).unwrap();
    assert_eq!((spills.count, spills.total.unwrap_or(0.0) as u64), truth.spills, "{format}");
}

#[test]
fn every_format_tells_the_same_truth_to_the_last_digit() {
    let folder = tempfile::tempdir().unwrap();
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (flavour, format) in FLAVOURS {
        // More than one chunk, so that batches and index builds go over their edges.
        let (log, truth) = generated(flavour, 6_000);
        assert!(log.len() > 4 << 20 && truth.statements.len() == 14, "{}", log.len());
        let path = folder.path().join("log");
        std::fs::write(&path, &log).unwrap();
        let one = digest_of(&path, 1);
        check(&one, &truth, format);
        let two = digest_of(&path, 2);
        assert_eq!(one, two, "{format}: two threads tell what one tells");
        for statement in &one.statements {
            names
                .entry(statement.shape.clone())
                .or_default()
                .insert(statement.fingerprint.0.clone());
        }
        if matches!(flavour, Flavour::Json(_)) {
            let hosts = one.statements.iter().flat_map(|statement| &statement.hosts);
            assert_eq!(hosts.count() > 0, flavour != Flavour::Json(4));
        }
    }
    for (shape, names) in names {
        assert_eq!(names.len(), 1, "{shape}: {names:?}");
    }
}

#[test]
fn the_same_seed_makes_the_same_log() {
    for (flavour, _) in FLAVOURS {
        assert_eq!(generated(flavour, 200).0, generated(flavour, 200).0);
    }
}

#[test]
fn over_many_lines_a_profile_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (log, truth) = generated(Flavour::ProfileArray, 300);
    let value: serde_json::Value = serde_json::from_slice(&log).unwrap();
    let path = folder.path().join("profile.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&value).unwrap()).unwrap();
    check(&digest_of(&path, 1), &truth, "mongodb profile json");
}
