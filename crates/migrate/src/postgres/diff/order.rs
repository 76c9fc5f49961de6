//! The steps in groups that each run in one transaction, and the order in them.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::Graph;
use super::model::Kind;
use super::steps::{Deed, Step};

/// The steps' groups: in each, the steps in their order; and by group, the groups before it.
pub(super) struct Groups {
    /// The steps of each.
    pub members: Vec<Vec<usize>>,
    /// By group: the groups before it.
    pub before: Vec<BTreeSet<usize>>,
}

/// What comes first of what could: things are built and made, changed, and at last dropped.
pub(super) fn rank(step: &Step) -> (Deed, Kind, &str) {
    (step.deed, step.id.kind, &step.id.name)
}

impl Groups {
    /// The groups, each behind those before it.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut open: Vec<usize> = self.before.iter().map(BTreeSet::len).collect();
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); open.len()];
        for (group, before) in self.before.iter().enumerate() {
            for other in before {
                after[*other].push(group);
            }
        }
        let mut order: Vec<usize> = (0..open.len()).filter(|group| open[*group] == 0).collect();
        let mut at = 0;
        while let Some(group) = order.get(at).copied() {
            at += 1;
            for then in &after[group] {
                open[*then] = open[*then].saturating_sub(1);
                if open[*then] == 0 {
                    order.push(*then);
                }
            }
        }
        order
    }
}

impl Graph {
    /// Puts together what one transaction has to do: bonded steps, and all on the way between them.
    pub(super) fn groups(&self) -> Groups {
        let count = self.steps.len();
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); count];
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); count];
        let bonded = self.bonds.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
        let ordered = (0..count).flat_map(|at| self.before[at].iter().map(move |own| (*own, at)));
        for (first, then) in ordered.chain(bonded) {
            after[first].push(then);
            before[then].push(first);
        }
        let (own, groups) = components(&after, &before);
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); groups];
        let mut outer: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); groups];
        for step in 0..count {
            members[own[step]].push(step);
            for other in &self.before[step] {
                if own[*other] != own[step] {
                    outer[own[step]].insert(own[*other]);
                }
            }
        }
        for group in members.iter_mut().filter(|group| group.len() > 1) {
            *group = self.within(group);
        }
        Groups { members, before: outer }
    }

    fn rank_of(&self, step: usize) -> (Deed, Kind, &str) {
        rank(&self.steps[step])
    }

    /// A group's steps in an order. In one transaction nobody sees what is dropped first, and what
    /// is made finds its name and its meaning free.
    fn within(&self, group: &[usize]) -> Vec<usize> {
        let all: BTreeSet<usize> = group.iter().copied().collect();
        let rank = |at: usize| {
            let step = &self.steps[at];
            (step.deed != Deed::Build, step.deed != Deed::Drop, rank(step), at)
        };
        let mut open: Vec<usize> = group.to_vec();
        open.sort_by_key(|at| rank(*at));
        let mut ready = BTreeSet::new();
        let mut waits: BTreeMap<usize, usize> = BTreeMap::new();
        let mut after: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let place: BTreeMap<usize, usize> =
            open.iter().enumerate().map(|(place, at)| (*at, place)).collect();
        for at in &open {
            let first: Vec<usize> = self.before[*at].intersection(&all).copied().collect();
            waits.insert(*at, first.len());
            if first.is_empty() {
                ready.insert(place[at]);
            }
            for other in first {
                after.entry(other).or_default().push(*at);
            }
        }
        let mut left: BTreeSet<usize> = (0..open.len()).collect();
        let mut order = Vec::with_capacity(open.len());
        while let Some(first) = left.first().copied() {
            // None is ready in a circle: the replay says whether it can be broken where things are
            // made or changed.
            let circle = || left.iter().copied().min_by_key(|own| self.rank_of(open[*own]));
            let own = ready.first().copied().or_else(circle).unwrap_or(first);
            ready.remove(&own);
            left.remove(&own);
            order.push(open[own]);
            for then in after.get(&open[own]).into_iter().flatten() {
                if let Some(count) = waits.get_mut(then) {
                    *count = count.saturating_sub(1);
                    if *count == 0 && left.contains(&place[then]) {
                        ready.insert(place[then]);
                    }
                }
            }
        }
        order
    }
}

/// The strongly connected components: by node its own, and how many there are.
fn components(after: &[Vec<usize>], before: &[Vec<usize>]) -> (Vec<usize>, usize) {
    // By the end of a walk along the edges, and then against them.
    let count = after.len();
    let mut seen = vec![false; count];
    let mut ended = Vec::with_capacity(count);
    for start in 0..count {
        let mut path = vec![(start, 0)];
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        while let Some((node, next)) = path.last_mut() {
            match after[*node].get(*next).copied() {
                Some(other) => {
                    *next += 1;
                    if !std::mem::replace(&mut seen[other], true) {
                        path.push((other, 0));
                    }
                }
                None => {
                    ended.push(*node);
                    path.pop();
                }
            }
        }
    }
    let mut own = vec![usize::MAX; count];
    let mut groups = 0;
    for start in ended.into_iter().rev() {
        if own[start] != usize::MAX {
            continue;
        }
        let mut open = vec![start];
        while let Some(node) = open.pop() {
            if own[node] == usize::MAX {
                own[node] = groups;
                open.extend(before[node].iter().copied().filter(|other| own[*other] == usize::MAX));
            }
        }
        groups += 1;
    }
    (own, groups)
}
