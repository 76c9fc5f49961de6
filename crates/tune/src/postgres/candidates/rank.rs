use std::collections::{BTreeMap, HashMap};

use marula_core::{Plan, PlanNode, Relation};

use super::super::cost;
use super::super::shape::{Shape, Use};
use super::{Candidate, Purpose, selectivity};

/// What the plan says each use and each kind of node costs, looked up once.
pub(super) struct Weights<'a> {
    scans: HashMap<(usize, String), Vec<&'a PlanNode>>,
    plan: &'a Plan,
    operations: HashMap<&'a str, f64>,
}

impl<'a> Weights<'a> {
    pub fn new(plan: &'a Plan, shape: &Shape) -> Self {
        let mut scans: HashMap<(usize, String), Vec<&PlanNode>> = HashMap::new();
        let mut operations: HashMap<&str, f64> = HashMap::new();
        for (_, node) in plan.tree.walk() {
            *operations.entry(cost::operation(node)).or_default() += cost::share(plan, node);
            if let Some((block, used)) = shape.of_scan(node) {
                scans.entry((block, used.alias.clone())).or_default().push(node);
            }
        }
        Weights { scans, plan, operations }
    }

    fn scans(&self, block: usize, alias: &str) -> &[&'a PlanNode] {
        self.scans.get(&(block, alias.to_owned())).map_or(&[], Vec::as_slice)
    }

    fn of(&self, operations: &[&str]) -> f64 {
        operations.iter().filter_map(|op| self.operations.get(op)).sum()
    }

    /// The most rows any scan of this use looked at.
    pub fn rows_seen(&self, block: usize, alias: &str) -> f64 {
        let scans = self.scans(block, alias).iter();
        scans.map(|node| cost::rows(node) + cost::removed(node)).fold(0.0, f64::max)
    }

    /// What the candidate may save, as a share of the statement's time.
    pub fn gain(&self, used: &Use, relation: &Relation, candidate: &Candidate) -> f64 {
        let scans = self.scans(candidate.serves.0, &used.alias);
        let scan: f64 = scans.iter().map(|node| cost::share(self.plan, node)).sum::<f64>().min(1.0);
        let whole = scans.iter().any(|node| node.op.contains("Seq Scan"));
        let part = |purpose: &Purpose| match purpose {
            Purpose::Filter => {
                let kept = candidate.kept.unwrap_or_else(|| kept(used, relation, candidate));
                scan * (1.0 - kept)
            }
            // A join that reads a whole table pays for the hashing as well.
            Purpose::Join if whole => {
                let joining =
                    ["Hash", "Hash Join", "Merge Join", "Sort", "Nested Loop", "Materialize"];
                scan * 0.7 + self.of(&joining) * 0.3
            }
            Purpose::Join => scan * 0.5,
            Purpose::Order => self.of(&["Sort", "Incremental Sort", "Gather Merge"]) + scan * 0.5,
            Purpose::Group => self.of(&["Sort", "Aggregate", "Unique"]) * 0.5,
        };
        let mut gain = candidate.purposes.iter().map(part).fold(0.0, f64::max);
        // Hairs, to break ties: serving two purposes, sparing the heap, holding fewer rows.
        gain += if candidate.purposes.len() > 1 { 0.05 } else { 0.0 };
        gain += if candidate.include.is_empty() { 0.0 } else { 0.02 };
        gain += if candidate.predicate.is_some() { 0.01 } else { 0.0 };
        (gain + 0.001 * candidate.keys.len() as f64).min(1.0)
    }
}

/// The share of rows left by the conditions the candidate serves.
fn kept(used: &Use, relation: &Relation, candidate: &Candidate) -> f64 {
    let serves = |key: String| candidate.keys.iter().any(|known| known.text == key);
    used.predicates
        .iter()
        .filter(|p| p.is_filter())
        .filter(|p| {
            serves(p.key.in_index())
                || (candidate.predicate.is_some() && candidate.predicate == p.bare)
        })
        .map(|predicate| selectivity::share(relation, predicate))
        .product()
}

/// The best, at most `limit`: the best of each use of a relation first, then the second best of
/// each, so that no relation crowds out the others.
pub(super) fn choose(mut found: Vec<Candidate>, limit: usize) -> Vec<Candidate> {
    found.retain(|candidate| candidate.gain >= 0.02);
    found.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    let mut turns: BTreeMap<(usize, String), usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, Candidate)> = Vec::new();
    for candidate in found {
        let turn = turns.entry(candidate.serves.clone()).or_default();
        ranked.push((*turn, candidate));
        *turn += 1;
    }
    // Stable: within a turn the order by gain stays.
    ranked.sort_by_key(|(turn, _)| *turn);
    let mut chosen: Vec<Candidate> = ranked.into_iter().map(|(_, c)| c).take(limit).collect();
    chosen.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    chosen
}
