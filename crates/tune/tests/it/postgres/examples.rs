//! The examples on the rules' own pages, run as they stand.

use marula_core::Example;
use marula_tune::ProveMode;

use super::{explained, fresh, ops, rules_of, set_up};

/// What is wrong with one example, if anything.
async fn wrong(major: u16, rule: &'static str, example: &'static Example) -> Option<String> {
    let session = fresh(major).await;
    set_up(&session, example.setup).await;
    let report = explained(&session, example.statement, ProveMode::Off).await;
    let fired = rules_of(&report).contains(&rule);
    (fired != example.fires).then(|| {
        format!(
            "{rule} on {major}, '{}': fired {fired}; found: {:?}\n{}",
            example.name,
            rules_of(&report),
            ops(&report)
        )
    })
}

async fn run(major: u16, wanted: impl Fn(&str) -> bool) {
    let mut complaints = Vec::new();
    for rule in marula_tune::postgres::rules().iter().filter(|rule| wanted(rule.info.id)) {
        let fires = rule.info.examples.iter().filter(|example| example.fires).count();
        assert!(fires > 0 && fires < rule.info.examples.len(), "{} lacks an example", rule.info.id);
        for example in rule.info.examples {
            complaints.extend(wrong(major, rule.info.id, example).await);
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_fires_and_stays_quiet_as_its_page_says() {
    run(15, |_| true).await;
}

/// 18 prints fractional rows and names subplans otherwise.
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
        )
    })
    .await;
}
