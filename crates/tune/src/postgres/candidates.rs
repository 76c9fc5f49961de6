//! Which indexes could serve a statement: thought of per occurrence of a relation, without those
//! that exist, ranked by what the plan says they could save.

mod existing;
mod generate;
mod name;
mod proposal;
mod rank;
mod selectivity;
mod union;

use marula_core::{Plan, Relation, RelationKind, RelationalCatalog};

pub(super) use proposal::holds;
pub(super) use union::unions;

use super::Shape;
use crate::Proposal;

/// What an index would be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Finding the rows a condition keeps.
    Filter,
    /// Probing the relation per row of another.
    Join,
    /// Reading in the order asked for.
    Order,
    /// Grouping without hashing or sorting.
    Group,
}

/// One key of a thought-of index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateKey {
    /// As the index definition writes it.
    pub text: String,
    /// The column, when it is a plain one.
    pub column: Option<String>,
    /// Whether it descends.
    pub descending: bool,
    /// Whether NULLs come first.
    pub nulls_first: bool,
    /// An operator class other than the type's own.
    pub opclass: Option<&'static str>,
}

/// An index nobody has made yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The relation, qualified.
    pub relation: String,
    /// The block and the alias of the use it serves.
    pub serves: (usize, String),
    /// What it is good for.
    pub purposes: Vec<Purpose>,
    /// `btree`, `gin`, `gist` or `brin`.
    pub method: &'static str,
    /// What it is ordered by.
    pub keys: Vec<CandidateKey>,
    /// The keys of further indexes that serve only together with this one: those of the other
    /// sides of an OR.
    pub also: Vec<Vec<CandidateKey>>,
    /// The share of the rows it finds, where its keys do not tell.
    pub kept: Option<f64>,
    /// Columns carried along so that the heap need not be read.
    pub include: Vec<String>,
    /// The condition of a partial index.
    pub predicate: Option<String>,
    /// The share of the relation's rows it holds: 1 unless it is partial.
    pub share: f64,
    /// What it may save, as a share of the statement's time.
    pub gain: f64,
    /// The names its indexes get.
    pub names: Vec<String>,
    /// Its definition as a change.
    pub proposal: Proposal,
}

impl Candidate {
    /// Whether it is one index that carries nothing along.
    fn is_plain(&self) -> bool {
        self.include.is_empty() && self.also.is_empty()
    }
}

/// Fewer rows than this are read faster from end to end.
const MIN_ROWS: f64 = 500.0;

/// The most indexes offered for one statement.
const MAX: usize = 6;

/// The most that are offered besides, for a statement as it is rewritten.
const MAX_REWRITTEN: usize = 2;

/// The indexes worth trying for a statement, best first. The same input always gives the same
/// list.
pub fn candidates(shape: &Shape, plan: &Plan, catalog: &RelationalCatalog) -> Vec<Candidate> {
    let mut found = thought(shape, plan, catalog);
    found.retain(for_one);
    let mut chosen = rank::choose(found, MAX);
    write_out(&mut chosen, &[], catalog);
    chosen
}

/// Whether it is offered for one statement by itself. Summaries of page ranges, and conditions put
/// together from several, are weighed against the rest of a workload.
fn for_one(candidate: &Candidate) -> bool {
    candidate.method != "brin" && (candidate.predicate.is_none() || candidate.kept.is_none())
}

/// Everything thought of for a statement, best first, with what narrower indexes would do: for a
/// search over a whole workload. They have no statements yet: see [`with_statements`].
pub(super) fn wide(shape: &Shape, plan: &Plan, catalog: &RelationalCatalog) -> Vec<Candidate> {
    let mut found = thought(shape, plan, catalog);
    let mut narrower: Vec<Candidate> = Vec::new();
    let wider = |c: &&Candidate| c.method == "btree" && c.also.is_empty() && c.kept.is_none();
    for candidate in found.iter().filter(wider) {
        for keys in 1..candidate.keys.len() {
            let mut narrow = candidate.clone();
            narrow.keys.truncate(keys);
            narrow.include.clear();
            narrow.gain *= 0.9;
            narrower.push(narrow);
        }
    }
    for narrow in narrower {
        let covered = || {
            let relation = catalog.find(&narrow.relation)?;
            existing::without_existing(relation, narrow.clone())
        };
        if !found.iter().any(|known| same_index(known, &narrow)) && covered().is_some() {
            found.push(narrow);
        }
    }
    found.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    found
}

/// Whether both are the same index.
pub(super) fn same(a: &Candidate, b: &Candidate) -> bool {
    same_index(a, b)
}

/// Gives each its statements, under names that neither the catalogue nor another one has.
pub(super) fn with_statements(found: &mut [Candidate], catalog: &RelationalCatalog) {
    write_out(found, &[], catalog);
}

/// What it will take on disk, in bytes, equal keys stored once.
pub(super) fn expected_bytes(candidate: &Candidate, catalog: &RelationalCatalog) -> u64 {
    catalog.find(&candidate.relation).map_or(0, |relation| {
        selectivity::stored_bytes(candidate, relation, rows(relation, catalog)) as u64
    })
}

/// Further ones, which the statement could use as `title` rewrites it.
pub(super) fn of_rewritten(
    known: &[Candidate],
    (shape, title): (&Shape, &str),
    plan: &Plan,
    catalog: &RelationalCatalog,
) -> Vec<Candidate> {
    let mut further = thought(shape, plan, catalog);
    further.retain(for_one);
    // Another wording asks much the same: only what an index of the first does not answer.
    let begins = |new: &Candidate, old: &Candidate| {
        old.relation == new.relation
            && old.method == new.method
            && old.also.is_empty()
            && old.predicate == new.predicate
            && old.keys.first() == new.keys.first()
    };
    further.retain(|new| !known.iter().any(|old| begins(new, old)));
    let mut chosen = rank::choose(further, MAX_REWRITTEN);
    write_out(&mut chosen, known, catalog);
    for candidate in &mut chosen {
        candidate.proposal.conditions.push(format!("serves the rewritten statement: {title}"));
    }
    chosen
}

/// Gives each its statements, under names that neither the catalogue nor `known` has.
fn write_out(chosen: &mut [Candidate], known: &[Candidate], catalog: &RelationalCatalog) {
    let mut taken = name::taken(catalog);
    taken.extend(known.iter().flat_map(|candidate| candidate.names.iter().cloned()));
    for candidate in chosen {
        if let Some(relation) = catalog.find(&candidate.relation) {
            let before = taken.clone();
            candidate.proposal = proposal::proposal(candidate, relation, catalog, &mut taken);
            candidate.names = taken.difference(&before).cloned().collect();
        }
    }
}

fn thought(shape: &Shape, plan: &Plan, catalog: &RelationalCatalog) -> Vec<Candidate> {
    let weights = rank::Weights::new(plan, shape);
    let mut found: Vec<Candidate> = Vec::new();
    for (block, used) in shape.uses() {
        let Some(relation) = catalog.find(&used.relation) else { continue };
        let stored = !matches!(relation.kind, RelationKind::View | RelationKind::ForeignTable);
        let rows = rows(relation, catalog);
        let seen = weights.rows_seen(block, &used.alias);
        if !stored || rows.max(seen) < MIN_ROWS {
            continue;
        }
        let thought = generate::generate(shape, block, used, relation);
        for candidate in thought {
            let Some(mut candidate) = existing::without_existing(relation, candidate) else {
                continue;
            };
            candidate.gain = weights.gain(used, relation, &candidate);
            match found.iter_mut().find(|known| same_index(known, &candidate)) {
                Some(known) => {
                    known.gain = known.gain.max(candidate.gain);
                    for purpose in candidate.purposes {
                        if !known.purposes.contains(&purpose) {
                            known.purposes.push(purpose);
                        }
                    }
                }
                None => found.push(candidate),
            }
        }
    }
    found
}

/// The rows of a relation with its partitions.
fn rows(relation: &Relation, catalog: &RelationalCatalog) -> f64 {
    let whole = relation.qualified();
    let of = |relation: &Relation| relation.rows.unwrap_or(relation.activity.live_rows as f64);
    let parts = catalog.relations.iter().filter(|r| r.partition_of.as_ref() == Some(&whole));
    of(relation).max(0.0).max(parts.map(of).sum())
}

fn same_index(a: &Candidate, b: &Candidate) -> bool {
    a.relation == b.relation
        && a.method == b.method
        && a.keys == b.keys
        && a.also == b.also
        && a.include == b.include
        && a.predicate == b.predicate
}

#[cfg(test)]
mod tests;
