//! Every rule's examples: it fires or stays quiet as it says, and what it says of lock and work is
//! what the server shows.

use std::time::Duration;

use marula_core::MigrationWork as Work;
use marula_migrate::postgres::{Lock, rules};

use super::probe::{Probe, linted, migration};

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_say_is_what_servers_do() {
    let mut faults = Vec::new();
    for major in [15, 18] {
        let probe = Probe::start(major).await;
        for rule in rules() {
            if rule.info.since.is_some_and(|since| major < since.major) {
                continue;
            }
            for example in rule.info.examples {
                let at = format!("{major} #{} {} ({})", rule.number, rule.info.id, example.name);
                let parsed = migration(example.statement);
                let findings = linted(example.setup, &parsed, probe.version);
                let own: Vec<_> = findings.iter().filter(|f| f.rule == rule.info.id).collect();
                if own.is_empty() == example.fires {
                    let all: Vec<_> = findings.iter().map(|f| &f.rule).collect();
                    faults.push(format!("{at}: fires {} expected; found {all:?}", example.fires));
                }
                probe.reset(example.setup).await;
                let seen = tokio::time::timeout(Duration::from_secs(30), probe.run(&parsed))
                    .await
                    .unwrap_or_else(|_| panic!("{at}: hangs"));
                let failed = seen.iter().find_map(|one| one.failed.clone());
                let expected = own.iter().any(|f| f.title.contains("fails"));
                if failed.is_some() != expected && rule.info.id != "result-type" {
                    faults.push(format!("{at}: the server says {failed:?}"));
                    continue;
                }
                for finding in own {
                    let hazard = finding.hazard.as_ref().unwrap();
                    let (Some(seen), Some(object)) = (seen.get(hazard.statement), &hazard.object)
                    else {
                        continue;
                    };
                    if seen.failed.is_some() {
                        continue;
                    }
                    let said = hazard.lock.as_deref().and_then(Lock::from_name);
                    let locked = seen.held.get(object).copied();
                    if locked != said {
                        faults.push(format!(
                            "{at}: says {said:?} on {object}, seen {locked:?} of {:?}",
                            seen.held
                        ));
                    }
                    let work = seen.work.get(object).copied().unwrap_or(Work::None);
                    let counted = hazard.object.is_some() && rule.info.id != "result-type";
                    if counted && work != hazard.work {
                        faults.push(format!(
                            "{at}: says {:?} on {object}, seen {:?}",
                            hazard.work, seen.work
                        ));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
