//! The examples on the rules' own pages, run as they stand.

use marula_core::Example;
use marula_tune::ProveMode;

use super::{explained, fresh, ops, rules_of, set_up};

async fn run(major: u16, minor: u16, wanted: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for rule in marula_tune::mongodb::rules().iter().filter(|rule| wanted(rule.info.id)) {
        let (fires, quiet): (Vec<&Example>, Vec<&Example>) =
            rule.info.examples.iter().partition(|example| example.fires);
        assert!(!fires.is_empty() && !quiet.is_empty(), "{} lacks an example", rule.info.id);
        for example in rule.info.examples {
            let session = fresh(major, minor).await;
            set_up(&session, example.setup).await;
            let report = explained(&session, example.statement, ProveMode::Off).await;
            let fired = rules_of(&report).contains(&rule.info.id);
            if fired != example.fires {
                wrong.push(format!(
                    "{} on {major}.{minor}, '{}': fired {fired}; others: {:?}\n{}",
                    rule.info.id,
                    example.name,
                    rules_of(&report),
                    ops(&report)
                ));
            }
            session.database().drop().await.unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_fires_and_stays_quiet_as_its_page_says() {
    run(6, 0, |_| true).await;
}

/// 5.0 knows no `spills`, 4.4 neither `usedDisk` in the same place nor `collectionScans`.
#[tokio::test(flavor = "multi_thread")]
async fn rules_that_read_other_fields_on_older_servers_do_so() {
    let other = |rule: &str| {
        matches!(rule, "lookup-scan" | "spill" | "memory-sort" | "in-explode" | "facet" | "or-scan")
    };
    run(5, 0, other).await;
    run(4, 4, other).await;
}
