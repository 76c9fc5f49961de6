//! Indexes for collections with high read latency, from the log alone: what a log cannot tell
//! (which values the fields have, which indexes no plan used) is left to the lab.

mod propose;
mod wish;

use marula_core::{
    Change, ChangeId, Digest, Engine, Evidence, Finding, Place, Severity, StatementDigest,
};

use crate::wish::{Proposed, Wish, merge};

/// Statements that examine fewer documents in a run are well served.
const FEW: f64 = 100.0;
/// So many documents or keys examined for one that is returned are too many.
const TOO_MANY: f64 = 10.0;
/// A `$lookup` that takes longer on average is looked at.
const SLOW_LOOKUP_MS: f64 = 20.0;
/// The most findings.
const FINDINGS: usize = 50;

/// What is slow about a statement, by the rules `marula explain` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    CollectionScan,
    WriteScan,
    CountMiss,
    DistinctMiss,
    MemorySort,
    FetchFilter,
    KeyWaste,
    LookupScan,
}

impl Trouble {
    fn rule(self) -> &'static str {
        match self {
            Trouble::CollectionScan => "collection-scan",
            Trouble::WriteScan => "write-scan",
            Trouble::CountMiss => "count-miss",
            Trouble::DistinctMiss => "distinct-miss",
            Trouble::MemorySort => "memory-sort",
            Trouble::FetchFilter => "fetch-filter",
            Trouble::KeyWaste => "key-waste",
            Trouble::LookupScan => "lookup-scan",
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Trouble::CollectionScan => {
                "Every document of the collection is read, because no index leads to those that are wanted."
            }
            Trouble::WriteScan => {
                "Every document of the collection is read to find those that are to be changed."
            }
            Trouble::CountMiss => {
                "Documents are read to be counted; an index on the filter's fields can be counted instead."
            }
            Trouble::DistinctMiss => {
                "Documents are read for the values of one field; an index that begins with the filter's fields holds them."
            }
            Trouble::MemorySort => {
                "Documents are sorted in memory; an index in the wanted order gives them sorted, and a limit then ends the reading early."
            }
            Trouble::FetchFilter => {
                "An index is used, but most of the documents it leads to are thrown away: it lacks fields of the filter."
            }
            Trouble::LookupScan => {
                "A $lookup looks into another collection once for each document; without an index on its foreign field it reads all of it each time. The log does not show whether that index exists."
            }
            Trouble::KeyWaste => {
                "Far more index entries are read than are of use: the fields are in an order that fits another statement."
            }
        }
    }
}

/// Findings on the statements that wait for their reads, those that cost most first, and the
/// indexes that would serve them, merged over statements. The verdict of each is `not tried`:
/// nothing was measured.
pub fn advise(digest: &Digest) -> (Vec<Finding>, Vec<Change>) {
    let mut troubled: Vec<(&StatementDigest, Trouble, Vec<Wish>)> = digest
        .statements
        .iter()
        .filter(|statement| statement.engine == Engine::Mongodb)
        .filter_map(|statement| Some((statement, trouble(statement)?, wish::wishes(statement))))
        .collect();
    troubled.sort_by(|a, b| b.0.load.total_ms.total_cmp(&a.0.load.total_ms));
    troubled.truncate(FINDINGS);
    let wishes = troubled
        .iter()
        .enumerate()
        .flat_map(|(number, (_, _, wishes))| wishes.iter().map(move |wish| (number, wish.clone())));
    let proposed = merge(wishes.collect(), &propose::indexes_seen(digest));
    let mut findings: Vec<Finding> =
        troubled.iter().map(|(statement, trouble, _)| finding(statement, *trouble)).collect();
    let mut changes = Vec::new();
    for (number, one) in proposed.iter().enumerate() {
        let id = ChangeId(format!("c{}", number + 1));
        for statement in &one.statements {
            if let Some(finding) = findings.get_mut(*statement) {
                finding.changes.push(id.clone());
            }
        }
        changes.push(change(id, one, digest));
    }
    (findings, changes)
}

fn change(id: ChangeId, proposed: &Proposed, digest: &Digest) -> Change {
    propose::change(id, proposed, digest)
}

/// What is wrong with how a statement reads; `None` when nothing that an index mends.
fn trouble(statement: &StatementDigest) -> Option<Trouble> {
    let namespace = statement.objects.first()?;
    if !crate::objects::is_own(namespace) {
        return None;
    }
    let load = &statement.load;
    let calls = load.calls.max(1) as f64;
    let reads = load.reads.unwrap_or(0) as f64 / calls;
    let keys = load.keys.unwrap_or(0) as f64 / calls;
    // What returns nothing still had to look once.
    let returned = (load.returned.unwrap_or(0) as f64 / calls).max(1.0);
    let plan = |what: &str| statement.plans.iter().any(|plan| plan.name.contains(what));
    let operation = statement.operation.as_str();
    if reads >= FEW && plan("COLLSCAN") {
        return Some(match operation {
            "update" | "delete" | "findAndModify" => Trouble::WriteScan,
            "count" => Trouble::CountMiss,
            "distinct" => Trouble::DistinctMiss,
            _ => Trouble::CollectionScan,
        });
    }
    if plan(", SORT") && reads >= FEW {
        return Some(Trouble::MemorySort);
    }
    // Counts and groups return few of many by their nature.
    let narrows = matches!(operation, "find" | "update" | "delete" | "findAndModify");
    if narrows && reads >= FEW && reads / returned >= TOO_MANY {
        return Some(Trouble::FetchFilter);
    }
    if narrows && keys >= FEW && keys / reads.max(returned) >= TOO_MANY {
        return Some(Trouble::KeyWaste);
    }
    // Up to 4.4 the reads of the inner collection are not counted: time alone tells.
    (statement.load.mean_ms >= SLOW_LOOKUP_MS && !wish::lookups(statement).is_empty())
        .then_some(Trouble::LookupScan)
}

fn finding(statement: &StatementDigest, trouble: Trouble) -> Finding {
    let load = &statement.load;
    let collection = statement.objects.first().cloned().unwrap_or_default();
    let severity = match statement.share {
        share if share >= 0.2 => Severity::High,
        share if share >= 0.05 => Severity::Medium,
        _ => Severity::Low,
    };
    let calls = load.calls.max(1) as f64;
    let mut evidence = vec![
        Evidence::number("calls", load.calls as f64, None),
        Evidence::number("total", load.total_ms, Some("ms")),
        Evidence::number("share of all time", (statement.share * 1000.0).round() / 10.0, Some("%")),
        Evidence::number("mean", load.mean_ms, Some("ms")),
    ];
    if let Some(p95) = load.p95_ms {
        evidence.push(Evidence::number("95th percentile", p95, Some("ms")));
    }
    if let Some(reads) = load.reads {
        evidence.push(Evidence::number(
            "documents examined per call",
            (reads as f64 / calls).round(),
            None,
        ));
    }
    if let Some(keys) = load.keys {
        evidence.push(Evidence::number(
            "keys examined per call",
            (keys as f64 / calls).round(),
            None,
        ));
    }
    if let Some(returned) = load.returned {
        evidence.push(Evidence::number(
            "returned per call",
            (returned as f64 / calls * 10.0).round() / 10.0,
            None,
        ));
    }
    if let Some(plan) = statement.plans.first() {
        evidence.push(Evidence::text("plan", plan.name.clone()));
    }
    Finding {
        rule: trouble.rule().into(),
        severity,
        title: format!(
            "{} on {collection} takes {:.0} ms on average and {:.0} % of the log's time",
            statement.operation,
            load.mean_ms,
            statement.share * 100.0
        ),
        place: Place {
            relation: Some(collection),
            expression: Some(statement.shape.clone()),
            ..Place::default()
        },
        evidence,
        explanation: trouble.explanation().into(),
        changes: Vec::new(),
        hazard: None,
    }
}

#[cfg(test)]
mod tests;
