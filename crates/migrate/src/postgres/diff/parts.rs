//! The groups in an order, cut into parts: what takes long runs by itself, and what only goes, goes
//! at last.

use std::collections::BTreeSet;

use super::edges::Graph;
use super::forms::{Form, Run};
use super::order::{Groups, rank};
use super::plan::Part;

/// A unit of the order: a group, or what is looked through behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Unit {
    /// Things that only go come last.
    drops: bool,
    /// How it runs.
    run: Run,
    /// Its place among its like.
    place: usize,
    /// The group.
    group: usize,
    /// Whether it is what comes behind the group.
    after: bool,
}

/// The parts.
pub(super) fn parts(graph: &Graph, groups: &Groups, forms: Vec<Form>) -> Vec<Part> {
    let mut ranked: Vec<usize> = (0..groups.members.len()).collect();
    ranked.sort_by_key(|group| groups.members[*group].first().map(|at| rank(&graph.steps[*at])));
    let mut place = vec![0; ranked.len()];
    for (own, group) in ranked.iter().enumerate() {
        place[*group] = own;
    }
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); ranked.len()];
    let mut open: Vec<usize> = groups.before.iter().map(BTreeSet::len).collect();
    for (group, before) in groups.before.iter().enumerate() {
        for other in before {
            followers[*other].push(group);
        }
    }
    let put_off = put_off(groups, &forms);
    let unit = |group: usize| Unit {
        drops: put_off[group],
        run: forms[group].run.unwrap_or(Run::Brief),
        place: place[group],
        group,
        after: false,
    };
    let mut ready: BTreeSet<Unit> =
        (0..ranked.len()).filter(|group| open[*group] == 0).map(unit).collect();
    let mut all: Vec<Part> = Vec::new();
    let mut running = Run::Brief;
    while let Some(first) = ready.first().copied() {
        // What runs like the one before joins its part.
        let like = ready.iter().find(|own| own.drops == first.drops && own.run == running);
        let own = like.copied().unwrap_or(first);
        ready.remove(&own);
        running = own.run;
        let form = &forms[own.group];
        let statements = if own.after { &form.after } else { &form.statements };
        let long = own.run == Run::Long;
        let join = all.last().is_some_and(|part| {
            !long && !part.alone && part.transaction == (own.run != Run::Outside)
        });
        if !join && !statements.is_empty() {
            let transaction = own.run != Run::Outside;
            all.push(Part { transaction, alone: long, ..Part::default() });
        }
        if let Some(part) = all.last_mut().filter(|_| !statements.is_empty()) {
            part.statements.extend(statements.iter().cloned());
            if !own.after {
                part.swaps |= form.swaps;
                part.says.extend(form.says.iter().cloned());
            }
        }
        if own.after {
            continue;
        }
        if !form.after.is_empty() {
            ready.insert(Unit { run: Run::Outside, drops: false, after: true, ..own });
        }
        for then in &followers[own.group] {
            open[*then] = open[*then].saturating_sub(1);
            if open[*then] == 0 {
                ready.insert(unit(*then));
            }
        }
    }
    all
}

/// By group: whether things only go in it, and nothing that is made or changed waits for that.
fn put_off(groups: &Groups, forms: &[Form]) -> Vec<bool> {
    let mut all: Vec<bool> = forms.iter().map(|form| form.drops).collect();
    let mut open: Vec<usize> = (0..all.len()).filter(|group| !all[*group]).collect();
    while let Some(group) = open.pop() {
        for before in &groups.before[group] {
            if std::mem::replace(&mut all[*before], false) {
                open.push(*before);
            }
        }
    }
    all
}
