//! The examples on the rules' own pages, run as they stand.

use marula_core::Example;

use super::faults::found;
use super::{fresh, set_up};

/// What is wrong with one example, if anything.
async fn wrong(major: u16, rule: &'static str, example: &'static Example) -> Option<String> {
    let session = fresh(major).await;
    set_up(&session, example.setup).await;
    let (rules, ops) = found(&session, example.statement).await;
    let fired = rules.iter().any(|found| found == rule);
    (fired != example.fires).then(|| {
        format!("{rule} on {major}, '{}': fired {fired}; found: {rules:?}\n{ops}", example.name)
    })
}

async fn run(major: u16, wanted: impl Fn(&str) -> bool) {
    let mut complaints = Vec::new();
    for rule in marula_tune::postgres::rules().iter().filter(|rule| wanted(rule.info.id)) {
        let fires = rule.info.examples.iter().filter(|example| example.fires).count();
        assert!(fires > 0 && fires < rule.info.examples.len(), "{} lacks an example", rule.info.id);
        if rule.info.since.is_some_and(|since| since.major > major) {
            continue;
        }
        for example in rule.info.examples {
            // Shares of a plan's time go by the machine's clock, and what takes microseconds may be
            // told otherwise when something comes between: that is asked again.
            let mut complaint = None;
            for _ in 0..3 {
                complaint = wrong(major, rule.info.id, example).await;
                if complaint.is_none() {
                    break;
                }
            }
            complaints.extend(complaint);
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_fires_and_stays_quiet_as_its_page_says() {
    run(15, |_| true).await;
}

/// 18 prints fractional rows, names subplans otherwise, and says what is disabled.
#[tokio::test(flavor = "multi_thread")]
async fn rules_that_read_what_18_prints_otherwise_do_so() {
    run(18, |rule| {
        matches!(
            rule,
            "not-subplan"
                | "unhashed-subplan"
                | "unindexed-inner"
                | "wrong-order-index"
                | "cte-filter"
                | "temp-files"
                | "aggregate-spill"
                | "selective-seq-scan"
                | "disabled-node"
                | "generic-plan"
                | "trigger-time"
        )
    })
    .await;
}
