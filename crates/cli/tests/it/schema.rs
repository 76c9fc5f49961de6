//! Reports keep to the schema that is published.

use serde_json::Value;

use super::json_schema::check;
use super::lab::Home;

/// Every report these commands give is one the schema allows.
pub fn of_real_reports(home: &Home) {
    let schema: Value = serde_json::from_str(&home.expect(0, &["schema", "report"])).unwrap();
    let slow = "SELECT id, total FROM orders WHERE customer_id = 42 ORDER BY created_at LIMIT 5";
    let logs = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/logs.in");
    let (now, before) = (format!("{logs}/postgresql.log"), format!("{logs}/last-week.log"));
    let mongodb = format!("{logs}/mongod.json");
    let (slow_find, slow_select) =
        (format!("{logs}/slow-find.json"), format!("{logs}/slow-select.log"));
    let advise: &[&str] = &["--advise", "--fail-on", "never"];
    for args in [
        vec!["explain", "lab/shop/postgres", slow, "--goal", "5ms"],
        vec!["explain", "lab/shop/mongodb", "db.orders.find({ customer_id: 42 })", "--goal", "5ms"],
        vec!["inspect", "lab/shop/postgres"],
        vec!["inspect", "lab/shop/postgres", "orders"],
        vec!["inspect", "lab/shop/mongodb"],
        vec!["inspect", "lab/shop/mongodb", "orders"],
        vec!["logs", &now, &mongodb],
        vec!["logs", &now, "--compare", &before],
        vec!["logs", "lab/shop/mongodb"],
        [&["logs", &slow_find, "--target", "lab/shop/mongodb"], advise].concat(),
        [&["logs", &slow_select, "--target", "lab/shop/postgres"], advise].concat(),
        vec!["lab", "list"],
        vec!["lab", "doctor"],
    ] {
        let all: Vec<&str> =
            args.iter().copied().chain(["--format", "json", "--fail-on", "never"]).collect();
        let all = if args[0] == "explain" { all } else { all[..all.len() - 2].to_vec() };
        let report: Value = serde_json::from_str(&home.expect(0, &all)).unwrap();
        assert_eq!(report["schema_version"], marula_core::SCHEMA_VERSION);
        if let Err(why) = check(&schema, &schema, &report, "report") {
            panic!("{}: {why}", args.join(" "));
        }
        // What a program reads back is what was written.
        let read: marula_core::Report = serde_json::from_value(report.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), report, "{}", args.join(" "));
        if args.contains(&"--advise") {
            let proven = marula_core::Verdict::Proven;
            let changes = &read.changes;
            assert!(changes.iter().any(|one| one.proof.verdict == proven), "{changes:#?}");
        }
        if args[0] == "explain" {
            assert!(!read.findings.is_empty() && !read.changes.is_empty(), "{}", args.join(" "));
            assert_eq!(read.goal.map(|goal| goal.ms), Some(5.0));
        }
    }
}
