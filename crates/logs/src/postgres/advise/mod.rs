//! Indexes for tables with high read latency, from the log alone. Which indexes exist and what
//! the columns hold no log tells: that is left to the lab.

mod change;
mod plans;
mod wish;

use std::collections::BTreeSet;

use marula_core::{Change, ChangeId, Digest, Engine, Finding, StatementDigest};

use crate::wish::{Known, Wish, merge};

/// Runs of a statement that take less on average are well served.
const QUICK_MS: f64 = 1.0;
/// Statements with a smaller share of the time are not worth an index.
const SMALL: f64 = 0.005;
/// A statement that reads fewer buffers a call is well served.
const FEW_BUFFERS: f64 = 50.0;
/// The most statements that are looked at, and the most indexes that are proposed.
const STATEMENTS: usize = 50;
const CHANGES: usize = 20;

/// Findings on plans in the log, and the indexes that the statements' own shape asks for, merged
/// over statements and weighted by their time. The verdict of each is `not tried`.
pub fn advise(digest: &Digest) -> (Vec<Finding>, Vec<Change>) {
    let mut slow: Vec<&StatementDigest> =
        digest.statements.iter().filter(|one| is_slow(one)).collect();
    slow.sort_by(|a, b| b.load.total_ms.total_cmp(&a.load.total_ms));
    slow.truncate(STATEMENTS);
    let mut findings = Vec::new();
    // Which finding is of which statement.
    let mut of: Vec<usize> = Vec::new();
    let mut wishes: Vec<(usize, Wish)> = Vec::new();
    for (number, one) in slow.iter().enumerate() {
        let seen = plans::seen(one);
        for finding in seen.findings {
            findings.push(finding);
            of.push(number);
        }
        let own = wish::wishes(one).into_iter().filter(|wish| {
            let bare = wish.namespace.rsplit('.').next().unwrap_or(&wish.namespace);
            !seen.served.contains(bare)
        });
        wishes.extend(own.map(|wish| (number, wish)));
    }
    let mut proposed = merge(wishes, &Known::new());
    let time = |statements: &BTreeSet<usize>| {
        statements.iter().filter_map(|at| slow.get(*at)).map(|one| one.load.total_ms).sum::<f64>()
    };
    proposed.sort_by(|a, b| time(&b.statements).total_cmp(&time(&a.statements)));
    proposed.truncate(CHANGES);
    let mut changes = Vec::new();
    for (number, one) in proposed.iter().enumerate() {
        let id = ChangeId(format!("i{}", number + 1));
        let share = time(&one.statements) / digest.totals.total_ms.max(f64::MIN_POSITIVE);
        let made = change::change(id.clone(), one, share, digest);
        for (finding, statement) in findings.iter_mut().zip(&of) {
            let here = finding.place.relation.as_deref() == Some(one.wish.namespace.as_str());
            if here && one.statements.contains(statement) {
                finding.changes.push(id.clone());
            }
        }
        changes.push(made);
    }
    (findings, changes)
}

/// Slow reads that name a table, and of whose text no index can be told: columns of a join without
/// their table's name (only a catalogue says whose they are), conditions joined by `OR`, none at all.
pub fn passed_over(digest: &Digest) -> Vec<&StatementDigest> {
    let reads = |one: &&StatementDigest| {
        !crate::objects::read_by(one.engine, &one.operation, &one.objects).is_empty()
    };
    let slow = digest.statements.iter().filter(|one| is_slow(one)).filter(reads);
    slow.filter(|one| wish::wishes(one).is_empty() && plans::seen(one).served.is_empty()).collect()
}

fn is_slow(one: &StatementDigest) -> bool {
    let calls = one.load.calls.max(1) as f64;
    let buffers = one.load.reads.map(|reads| reads as f64 / calls);
    one.engine == Engine::Postgres
        && !one.incomplete
        && one.load.mean_ms >= QUICK_MS
        && one.share >= SMALL
        && buffers.is_none_or(|buffers| buffers >= FEW_BUFFERS)
}

#[cfg(test)]
mod tests;
