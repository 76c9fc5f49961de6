//! Prints how long the diagnosis of a saved plan of a thousand nodes takes, for the benchmark.
//! The limit is 50 ms.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use marula_core::{Engine, Result, Target, TargetKind};
use marula_postgres::plan;
use marula_tune::ExplainOptions;
use marula_tune::postgres::diagnose_saved;

const RUNS: usize = 21;

fn main() -> Result<()> {
    let target = Target {
        name: "plan.json".into(),
        kind: TargetKind::PlanFile,
        engine: Engine::Postgres,
        database: None,
        version: None,
    };
    let text = plan_of(1_000);
    let (mut parsing, mut diagnosing, mut findings) = (Vec::new(), Vec::new(), 0);
    for _ in 0..RUNS {
        let start = Instant::now();
        let saved = plan::parse(&text)?;
        parsing.push(start.elapsed());
        let start = Instant::now();
        let report = diagnose_saved(saved.plan, None, &target, &ExplainOptions::default());
        diagnosing.push(start.elapsed());
        findings = report.findings.len();
    }
    parsing.sort();
    diagnosing.sort();
    println!(
        "diagnosis of a plan of 1,000 nodes: {:.1} ms (reading it: {:.1} ms), {findings} \
         findings, limit 50 ms",
        diagnosing[RUNS / 2].as_secs_f64() * 1e3,
        parsing[RUNS / 2].as_secs_f64() * 1e3,
    );
    Ok(())
}

const NUMBERS: &str = r#""Startup Cost": 0.0, "Total Cost": 900.0, "Plan Rows": 10, "Plan Width": 8,
    "Actual Startup Time": 0.1, "Actual Total Time": 4.0, "Actual Rows": 3, "Actual Loops": 1"#;

/// An Append over partitions, each a join of two scans with conditions of their own.
fn plan_of(nodes: usize) -> String {
    let scan = |n: usize| {
        format!(
            r#"{{"Node Type": "Seq Scan", "Relation Name": "part_{n}", "Schema": "public",
            "Alias": "p_{n}", {NUMBERS}, "Filter": "((p_{n}.k = {n}) AND (p_{n}.w ~~ '%x%'::text))",
            "Rows Removed by Filter": 9997}}"#
        )
    };
    let join = |n: usize| {
        format!(
            r#"{{"Node Type": "Hash Join", "Join Type": "Inner", {NUMBERS},
            "Hash Cond": "(p_{n}.id = p_{m}.id)",
            "Plans": [{}, {{"Node Type": "Hash", {NUMBERS}, "Plans": [{}]}}]}}"#,
            scan(n),
            scan(n + 1),
            m = n + 1
        )
    };
    let parts: Vec<String> = (0..nodes / 4).map(|n| join(n * 2)).collect();
    format!(
        r#"[{{"Plan": {{"Node Type": "Append", "Startup Cost": 0.0, "Total Cost": 500000.0,
        "Plan Rows": 2500, "Plan Width": 8, "Actual Startup Time": 0.1, "Actual Total Time": 200.0,
        "Actual Rows": 750, "Actual Loops": 1, "Plans": [{}]}}, "Planning Time": 5.0,
        "Execution Time": 201.0}}]"#,
        parts.join(", ")
    )
}
