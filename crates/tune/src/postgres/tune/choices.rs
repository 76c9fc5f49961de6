//! What may be picked: indexes for what the statements ask, and other wordings of them.

use marula_core::{Change, ChangeId, Engine, Proof};

use super::super::candidates::{self, Candidate, CandidateKey};
use super::super::rewrites::rewrites;
use super::super::shape::{Key, Shape};
use super::arena::PostgresArena;
use super::read::{Read, Write};
use crate::Proposal;
use crate::tuning::{Choice, Tuner};

/// The most indexes that take part in the search.
const INDEXES: usize = 200;

/// An index with what it promises the whole workload.
struct Thought {
    candidate: Candidate,
    promise: f64,
    /// Its place among the thoughts of the statement where it stands best.
    place: usize,
}

/// All choices: indexes first, what promises most at the head.
/// With the indexes as they were thought of, in the same order.
pub(super) fn choices(
    tuner: &Tuner<'_, PostgresArena>,
    read: &Read,
) -> (Vec<Choice>, Vec<Candidate>) {
    let parts = read.still(tuner);
    let mut thoughts: Vec<Thought> = Vec::new();
    let mut wordings: Vec<(usize, Proposal)> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let Some(plan) = tuner.before[number].plan.as_deref() else { continue };
        // By cost, not by time: the same workload shall have the same list on any day.
        let weight = tuner.book.base[number].cost * part.calls.max(1) as f64;
        for (place, candidate) in
            candidates::wide(&part.shape, plan, &read.catalog).into_iter().enumerate()
        {
            think(&mut thoughts, candidate, weight, place);
        }
        for rewritten in rewrites(&part.root, &read.catalog, &read.facts) {
            let parsed = marula_postgres::sql::parse(&rewritten.proposal.up.concat()).ok();
            let root = parsed.as_ref().and_then(|parsed| parsed.root()).cloned();
            let shape = Shape::read(&pg_query::Node { node: root }, Some(&read.catalog));
            for (place, candidate) in
                candidates::wide(&shape, plan, &read.catalog).into_iter().enumerate()
            {
                think(&mut thoughts, candidate, weight, place);
            }
            wordings.push((number, rewritten.proposal));
        }
    }
    // With no room for them there is no use in thinking of them.
    if tuner.options().budget_bytes == Some(0) {
        thoughts.clear();
    }
    // The heavy statements' thoughts must not crowd out what the light ones need.
    let share = INDEXES / parts.len().max(1);
    thoughts.sort_by(|a, b| {
        (a.place >= share).cmp(&(b.place >= share)).then(b.promise.total_cmp(&a.promise))
    });
    thoughts.truncate(INDEXES);
    thoughts.sort_by(|a, b| b.promise.total_cmp(&a.promise));
    let mut found: Vec<Candidate> = thoughts.into_iter().map(|t| t.candidate).collect();
    let both = candidates::unions(&found, &read.catalog);
    found.extend(both);
    candidates::with_statements(&mut found, &read.catalog);
    let replaces: Vec<Vec<usize>> = found.iter().map(|wide| replaced(wide, &found)).collect();
    let mut choices: Vec<Choice> = Vec::new();
    for (candidate, replaces) in found.iter().zip(replaces) {
        let concerns = (0..parts.len())
            .filter(|number| parts[*number].relations.contains(&candidate.relation))
            .collect();
        let helps = (0..parts.len()).filter(|n| helps(candidate, &parts[*n].shape)).collect();
        let bytes = candidates::expected_bytes(candidate, &read.catalog);
        let change = change(choices.len(), candidate.proposal.clone());
        let writes_ms = upkeep(candidate, read);
        choices.push(Choice { change, concerns, helps, bytes, writes_ms, replaces });
    }
    for (number, proposal) in wordings {
        let change = change(choices.len(), proposal);
        let (concerns, helps) = (vec![number], vec![number]);
        let (bytes, writes_ms, replaces) = (0, 0.0, Vec::new());
        choices.push(Choice { change, concerns, helps, bytes, writes_ms, replaces });
    }
    (choices, found)
}

/// What keeping an index up is expected to take of all writes, in milliseconds. A first guess for
/// the search; what is picked is measured.
fn upkeep(candidate: &Candidate, read: &Read) -> f64 {
    /// One new entry in a B-tree that is in memory.
    const ENTRY_MS: f64 = 0.01;
    let own = read.writes.iter().filter(|write| write.relation == candidate.relation);
    let touched = |write: &&Write| match &write.sets {
        // An update of none of the index's columns leaves it alone when there is room on the page.
        Some(columns) => columns.iter().any(|column| candidates::holds(candidate, column)),
        None => write.inserts,
    };
    let indexes = 1.0 + candidate.also.len() as f64;
    own.filter(touched).map(|write| write.calls.max(1) as f64 * ENTRY_MS * indexes).sum()
}

/// Whether an index may help a statement: it begins with something the statement asks for, or
/// holds all that is needed of the relation.
fn helps(candidate: &Candidate, shape: &Shape) -> bool {
    let firsts: Vec<&CandidateKey> = std::iter::once(&candidate.keys)
        .chain(&candidate.also)
        .filter_map(|keys| keys.first())
        .collect();
    let asked = |key: &Key| {
        firsts.iter().any(|first| match &first.column {
            Some(column) => key.columns.contains(column),
            None => key.in_index() == first.text || key.text == first.text,
        })
    };
    let column = |name: &String| firsts.iter().any(|first| first.column.as_ref() == Some(name));
    let holds = |name: &String| {
        candidate.include.contains(name)
            || candidate.keys.iter().any(|key| key.column.as_ref() == Some(name))
    };
    shape.uses().filter(|(_, used)| used.relation == candidate.relation).any(|(_, used)| {
        let either = used.either.iter().flatten().flatten();
        used.predicates.iter().chain(either).any(|predicate| asked(&predicate.key))
            || used.sort.first().is_some_and(|sort| asked(&sort.key))
            || used.group.iter().any(column)
            || used.ordered_by.iter().any(column)
            || used.columns.as_ref().is_some_and(|needed| {
                candidate.method == "btree" && !needed.is_empty() && needed.iter().all(holds)
            })
    })
}

fn think(thoughts: &mut Vec<Thought>, candidate: Candidate, weight: f64, place: usize) {
    let promise = candidate.gain * weight;
    match thoughts.iter_mut().find(|known| candidates::same(&known.candidate, &candidate)) {
        Some(known) => {
            known.promise += promise;
            known.place = known.place.min(place);
        }
        None => thoughts.push(Thought { candidate, promise, place }),
    }
}

/// The others whose work `wide` does as well.
fn replaced(wide: &Candidate, all: &[Candidate]) -> Vec<usize> {
    let narrower = |other: &Candidate| {
        let has = |column: &String| {
            wide.include.contains(column)
                || wide.keys.iter().any(|key| key.column.as_ref() == Some(column))
        };
        other.relation == wide.relation
            && other.method == wide.method
            && other.method == "btree"
            && other.also.is_empty()
            && wide.also.is_empty()
            && (wide.predicate.is_none() || other.predicate == wide.predicate)
            && wide.keys.starts_with(&other.keys)
            && other.include.iter().all(has)
            && !candidates::same(wide, other)
    };
    all.iter().enumerate().filter(|(_, other)| narrower(other)).map(|(n, _)| n).collect()
}

fn change(number: usize, proposal: Proposal) -> Change {
    Change {
        id: ChangeId(format!("x{number}")),
        kind: proposal.kind,
        engine: Engine::Postgres,
        title: proposal.title,
        relation: proposal.relation,
        up: proposal.up,
        down: proposal.down,
        hazards: proposal.hazards,
        conditions: proposal.conditions,
        proof: Proof::not_tried("not tried yet"),
    }
}
