//! The examples on the rules' own pages, run as they stand.

use marula_core::{Example, Version};
use marula_tune::Rule;
use marula_tune::mongodb::Context;

use super::{diagnosed, fresh, ops, rules_of, set_up};

async fn run(major: u16, minor: u16) {
    let mut wrong = Vec::new();
    let version = Version::new(major, minor, 0);
    let known = |rule: &&&Rule<Context>| rule.info.since.is_none_or(|since| since <= version);
    for rule in marula_tune::mongodb::rules().iter().filter(known) {
        let (fires, quiet): (Vec<&Example>, Vec<&Example>) =
            rule.info.examples.iter().partition(|example| example.fires);
        assert!(!fires.is_empty() && !quiet.is_empty(), "{} lacks an example", rule.info.id);
        for example in rule.info.examples {
            let session = fresh(major, minor).await;
            set_up(&session, example.setup).await;
            let report = diagnosed(&session, example.statement).await;
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
    run(6, 0).await;
}

/// 5.0 knows no `spills`, 4.4 neither `usedDisk` in the same place nor `collectionScans`.
#[tokio::test(flavor = "multi_thread")]
async fn and_so_on_5_0() {
    run(5, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_so_on_4_4() {
    run(4, 4).await;
}
