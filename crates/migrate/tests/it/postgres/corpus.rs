//! The corpus: statements whose truth is measured, and how often lint says it.

use std::collections::BTreeSet;

use marula_core::MigrationHazard;

use super::cases::cases;
use super::probe::{Probe, linted, migration};

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
            if !case.runs_on(major) {
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
