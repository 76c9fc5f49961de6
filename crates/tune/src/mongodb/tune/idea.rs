//! Indexes worth trying for a whole workload: those of each statement alone, and those that
//! serve several at once.

use std::collections::BTreeMap;

use bson::Document;
use marula_core::{Collection, DocumentCatalog, InferredSchema};

use super::query::Query;
use crate::mongodb::candidates::{Candidate, candidates, merged, wildcards};
use crate::mongodb::implies::unimplied;
use crate::mongodb::index::{Index, same_collation};
use crate::mongodb::predicate::Kind;
use crate::mongodb::shape::Access;

/// More ideas than this are not tried: the least promising are left.
const MAX_IDEAS: usize = 240;
/// Orders taken of one access.
const MAX_ORDERS: usize = 8;

/// One thing to try: an index, or several that only help together.
#[derive(Debug, Clone)]
pub(super) struct Idea {
    /// The indexes, as numbers in [`Ideas::indexes`].
    pub indexes: Vec<usize>,
    /// The statements it might serve.
    pub queries: Vec<usize>,
    /// What it promises: the weight of its statements times how promising it is for each.
    pub promise: f64,
}

/// All that is worth trying, what promises most first.
#[derive(Debug, Default)]
pub(super) struct Ideas {
    /// Every index once.
    pub indexes: Vec<Candidate>,
    /// What is tried.
    pub ideas: Vec<Idea>,
    /// How many were thought of and not taken.
    pub left: usize,
}

/// What is worth trying for `queries`; `weights` is the share of each in the workload.
pub(super) fn ideas(queries: &[Query], weights: &[f64], catalog: &DocumentCatalog) -> Ideas {
    let mut found = Ideas::default();
    let mut promise: BTreeMap<Vec<usize>, f64> = BTreeMap::new();
    for (query, weight) in queries.iter().zip(weights) {
        for wording in &query.wordings {
            let collation = wording.shape.collation.as_ref();
            for access in &wording.shape.accesses {
                let known = catalog.find(&access.collection);
                for candidate in candidates(access, known, collation).into_iter().take(MAX_ORDERS) {
                    let worth = weight * candidate.promise;
                    let at = found.index(candidate);
                    *promise.entry(vec![at]).or_default() += worth;
                }
                for bundle in bundles(access, known, collation) {
                    let mut numbers: Vec<usize> =
                        bundle.into_iter().map(|candidate| found.index(candidate)).collect();
                    numbers.sort_unstable();
                    numbers.dedup();
                    *promise.entry(numbers).or_default() += weight * 0.9;
                }
            }
        }
    }
    for (candidate, worth) in merges(&found.indexes, &promise, catalog) {
        let at = found.index(candidate);
        *promise.entry(vec![at]).or_default() += worth;
    }
    let accesses = queries.iter().flat_map(|query| &query.wordings[..1]);
    let accesses = accesses.flat_map(|wording| &wording.shape.accesses);
    for candidate in wildcards(accesses, |name| catalog.find(name)) {
        let at = found.index(candidate);
        *promise.entry(vec![at]).or_default() += 0.1;
    }
    for (indexes, promise) in promise {
        let serves =
            |query: &Query| indexes.iter().all(|at| serves(&found.indexes[*at].index, query));
        let queries = (0..queries.len()).filter(|at| serves(&queries[*at])).collect::<Vec<_>>();
        if !queries.is_empty() {
            found.ideas.push(Idea { indexes, queries, promise });
        }
    }
    // Of equal promise the order stays that of the map: the same input gives the same output.
    found.ideas.sort_by(|a, b| b.promise.total_cmp(&a.promise));
    found.left = found.ideas.len().saturating_sub(MAX_IDEAS);
    found.ideas.truncate(MAX_IDEAS);
    found
}

impl Ideas {
    /// Takes the ideas out that hold such an index.
    pub fn leave_out(&mut self, is: impl Fn(&Index) -> bool) {
        let Ideas { indexes, ideas, .. } = self;
        ideas.retain(|idea| !idea.indexes.iter().any(|at| is(&indexes[*at].index)));
    }

    /// The number of an index, which is added when it is new.
    fn index(&mut self, candidate: Candidate) -> usize {
        let known = self.indexes.iter().position(|known| known.index == candidate.index);
        known.unwrap_or_else(|| {
            self.indexes.push(candidate);
            self.indexes.len() - 1
        })
    }
}

/// One index for each branch of an `$or`, which only help together.
fn bundles(
    access: &Access,
    collection: Option<&Collection>,
    collation: Option<&Document>,
) -> Vec<Vec<Candidate>> {
    let mut found = Vec::new();
    for branches in &access.filter.any {
        let mut firsts = Vec::new();
        let mut seconds = Vec::new();
        for branch in branches {
            let mut alone = access.clone();
            alone.filter.any.clear();
            alone.filter.and(branch.clone());
            alone.needed = None;
            let mut options = candidates(&alone, collection, collation).into_iter();
            let first = options.next();
            seconds.extend(options.next().or_else(|| first.clone()));
            firsts.extend(first);
        }
        // Branches that an index serves already have no candidate.
        if firsts.len() > 1 {
            if seconds != firsts {
                found.push(seconds);
            }
            found.push(firsts);
        }
    }
    found
}

/// Indexes that begin with one candidate's keys and go on with another's, so that they serve the
/// statements of both; with what each promises.
fn merges(
    indexes: &[Candidate],
    promise: &BTreeMap<Vec<usize>, f64>,
    catalog: &DocumentCatalog,
) -> Vec<(Candidate, f64)> {
    let mut found = Vec::new();
    let worth = |at: usize| promise.get(&vec![at]).copied().unwrap_or(0.0);
    for (at, longer) in indexes.iter().enumerate() {
        let schema: Option<&InferredSchema> =
            catalog.find(&longer.index.collection).and_then(|found| found.schema.as_ref());
        for (other, prefix) in indexes.iter().enumerate() {
            if at == other || longer.index.collection != prefix.index.collection {
                continue;
            }
            if let Some(candidate) = merged(prefix, longer, schema) {
                // It does the work of both, a little worse perhaps.
                found.push((candidate, 0.95 * (worth(at) + worth(other))));
            }
        }
    }
    found
}

/// Whether an index might serve one of the ways to write a statement.
pub(super) fn serves(index: &Index, query: &Query) -> bool {
    query.wordings.iter().any(|wording| {
        let collation = wording.shape.collation.clone();
        let collation = collation.map(|own| bson::Bson::Document(own).into_relaxed_extjson());
        let alike = same_collation(index.collation.as_ref(), collation.as_ref())
            || collation.is_none() && index.collation.is_some();
        alike && wording.shape.accesses.iter().any(|access| serves_access(index, access))
    })
}

fn serves_access(index: &Index, access: &Access) -> bool {
    if index.collection != access.collection {
        return false;
    }
    if let Some(part) = &index.partial
        && !unimplied(part, &access.filter).is_empty()
    {
        return false;
    }
    let Some(first) = index.first_path() else { return false };
    let asked = |path: &str| match index.is_wildcard() {
        true => path.starts_with(&format!("{first}.")) || first.is_empty(),
        false => path == first,
    };
    access.filter.predicates().iter().any(|predicate| {
        asked(&predicate.path)
            && (index.special.is_some() || !matches!(predicate.kind, Kind::Other))
    }) || access.sort.first().is_some_and(|(path, _)| asked(path))
        || access.group.first().is_some_and(|path| asked(path))
        || access.needed.as_ref().is_some_and(|needed| needed.iter().any(|path| asked(path)))
}
