//! Which crate may lean on which: `core ← postgres, mongodb ← lab ← capabilities ← faces`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Faces put capabilities together; nothing leans on a face but the program, which starts them.
const FACES: [&str; 3] = ["marula-cli", "marula-mcp", "marula-web"];
/// The ground floor; every other crate of the workspace is a capability.
const FLOORS: [(&str, &[&str]); 4] = [
    ("marula-core", &[]),
    ("marula-postgres", &["marula-core"]),
    ("marula-mongodb", &["marula-core"]),
    ("marula-lab", &["marula-core", "marula-postgres", "marula-mongodb"]),
];
/// What the vocabulary must do without: drivers, terminals, clocks, threads of its own.
const NOT_IN_CORE: [&str; 14] = [
    "tokio",
    "tokio-postgres",
    "mongodb",
    "bson",
    "pg_query",
    "clap",
    "indicatif",
    "comfy-table",
    "anstream",
    "terminal_size",
    "time",
    "chrono",
    "rand",
    "tracing-subscriber",
];

/// The normal dependencies of every crate here; what only tests need is exempt.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
            "--manifest-path",
            manifest,
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let of = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        let normal = all.filter(|dependency| dependency["kind"].is_null());
        normal.map(|dependency| dependency["name"].as_str().unwrap().to_string()).collect()
    };
    packages
        .iter()
        .map(|package| (package["name"].as_str().unwrap().to_string(), of(package)))
        .collect()
}

/// Why `from` must not lean on `to`, or nothing when it may.
fn forbidden(from: &str, to: &str) -> Option<&'static str> {
    if FACES.contains(&to) {
        // The program starts the other faces.
        return (from != "marula-cli").then_some("nothing leans on a face but the program");
    }
    if FACES.contains(&from) {
        return None;
    }
    match FLOORS.iter().find(|(name, _)| *name == from) {
        Some((_, below)) if !below.contains(&to) => Some("an arrow must point down"),
        Some(_) => None,
        None if FLOORS.iter().any(|(name, _)| *name == to) => None,
        None => Some("capabilities meet in core, and a face puts them together"),
    }
}

#[test]
fn every_arrow_between_crates_is_allowed() {
    let arrows = arrows();
    assert!(arrows.len() >= 6, "the workspace was not read: {:?}", arrows.keys());
    for (from, dependencies) in &arrows {
        for to in dependencies.iter().filter(|name| arrows.contains_key(*name)) {
            if let Some(why) = forbidden(from, to) {
                panic!("{from} leans on {to}: {why}");
            }
        }
    }
}

#[test]
fn the_vocabulary_has_no_driver_no_terminal_and_no_clock() {
    let core = &arrows()["marula-core"];
    for name in NOT_IN_CORE {
        assert!(!core.contains(name), "marula-core leans on {name}");
    }
}

#[test]
fn the_check_would_notice() {
    for (from, to) in [
        ("marula-core", "marula-postgres"),
        ("marula-postgres", "marula-mongodb"),
        ("marula-mongodb", "marula-lab"),
        ("marula-lab", "marula-tune"),
        ("marula-tune", "marula-logs"),
        ("marula-tune", "marula-cli"),
        ("marula-mcp", "marula-cli"),
    ] {
        assert!(forbidden(from, to).is_some(), "{from} → {to}");
    }
    assert!(forbidden("marula-cli", "marula-tune").is_none());
    assert!(forbidden("marula-cli", "marula-mcp").is_none());
    assert!(forbidden("marula-tune", "marula-lab").is_none());
}
