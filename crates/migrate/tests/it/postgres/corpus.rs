//! The corpus: statements whose truth is measured, and how often lint says it.

use std::collections::BTreeSet;

use marula_core::MigrationHazard;

use super::probe::{Probe, linted, migration};

/// One case of the corpus.
pub struct Case {
    pub number: u8,
    pub name: String,
    pub setup: String,
    pub sql: String,
}

/// `== 2 name`, set-up, `--`, migration.
pub fn cases() -> Vec<Case> {
    let text = include_str!("../../corpus/postgres.sql");
    let (shop, cases) = text.split_once("\n== ").unwrap();
    cases
        .split("\n== ")
        .map(|case| {
            let (head, rest) = case.split_once('\n').unwrap();
            let (number, name) = head.split_once(' ').unwrap();
            let (setup, sql) = match rest.split_once("--\n") {
                Some((setup, sql)) => (format!("{shop}\n{setup}"), sql),
                None => (shop.to_string(), rest),
            };
            Case {
                number: number.parse().unwrap(),
                name: name.into(),
                setup,
                sql: sql.trim().into(),
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hazards_are_found_and_others_left_alone() {
    let cases = cases();
    let covered: BTreeSet<u8> = cases.iter().map(|case| case.number).collect();
    assert!(cases.len() >= 160 && covered.len() == 54, "{} cases, {covered:?}", cases.len());
    let mut faults = Vec::new();
    for major in [15, 18] {
        let probe = Probe::start(major).await;
        let (mut hazards, mut missed, mut others, mut false_alarms) = (0, 0, 0, 0);
        for case in &cases {
            if case.name.contains("(18)") && major < 18 || case.name.contains("(17)") && major < 17
            {
                continue;
            }
            let at = format!("{major} #{} {}", case.number, case.name);
            let parsed = migration(&case.sql);
            let findings = linted(&case.setup, &parsed, probe.version);
            let said: Vec<_> = findings
                .iter()
                .filter(|f| f.hazard.as_ref().is_some_and(MigrationHazard::grows_while_blocking))
                .map(|f| f.rule.as_str())
                .collect();
            probe.reset(&case.setup).await;
            let seen = probe.run(&parsed).await;
            let failed = seen.iter().find_map(|one| one.failed.clone());
            let expected = case.name.contains("(fails)");
            if failed.is_some() != expected {
                faults.push(format!("{at}: the server says {failed:?}"));
                continue;
            }
            match (seen.iter().any(|one| one.grows_while_blocking()), said.is_empty()) {
                (true, false) => hazards += 1,
                (true, true) => {
                    hazards += 1;
                    missed += 1;
                    faults.push(format!("{at}: missed {:?}", seen.last()));
                }
                (false, true) => others += 1,
                (false, false) => {
                    others += 1;
                    false_alarms += 1;
                    faults.push(format!("{at}: false alarm {said:?} {:?}", seen.last()));
                }
            }
        }
        println!(
            "PostgreSQL {major}: {} of {hazards} hazards found, {false_alarms} false alarms of {others}",
            hazards - missed
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
