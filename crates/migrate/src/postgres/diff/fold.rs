//! The parts that are written into the CREATE TABLE of their table.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::Graph;
use super::kinds;
use super::model::{Kind, Model, Object};
use super::steps::Deed;

/// Writes the defaults and constraints of a new table into its CREATE TABLE, where that closes no
/// circle.
pub(super) fn fold(graph: &mut Graph, to: &Model) {
    let tables: Vec<usize> = (0..graph.steps.len())
        .filter(|at| graph.steps[*at].deed == Deed::Create)
        .filter(|at| matches!(graph.steps[*at].id.kind, Kind::Table | Kind::Column))
        .collect();
    // The steps that were folded, and into which.
    let mut gone: BTreeMap<usize, usize> = BTreeMap::new();
    // The steps that could be folded, by the table they are on.
    let mut parts_of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, step) in graph.steps.iter().enumerate() {
        if step.deed == Deed::Create
            && matches!(step.id.kind, Kind::Default | Kind::Constraint)
            && let Some(own) = to.get(&step.id)
        {
            parts_of.entry(own.get("table").to_string()).or_default().push(at);
        }
    }
    for table in tables {
        let id = graph.steps[table].id.clone();
        let Some(object) = to.get(&id) else { continue };
        if object.has("bound") {
            continue;
        }
        let of = if id.kind == Kind::Column { object.get("table") } else { id.name.as_str() };
        for part in parts_of.get(of).cloned().unwrap_or_default() {
            let step = &graph.steps[part];
            let Some(own) = to.get(&step.id).filter(|_| step.deed == Deed::Create) else {
                continue;
            };
            let mine = match step.id.kind {
                Kind::Default if id.kind == Kind::Column => own.id.name == id.name,
                Kind::Default => own.get("table") == id.name,
                Kind::Constraint if id.kind == Kind::Table => {
                    own.parent.as_ref() == Some(&id)
                        && own.get("type") != "f"
                        && own.get("valid") == "true"
                }
                _ => false,
            };
            if !mine || own.implied || gone.contains_key(&part) {
                continue;
            }
            let others: Vec<usize> =
                graph.before[part].iter().copied().filter(|other| *other != table).collect();
            if others.iter().any(|other| leads(graph, &gone, *other, table)) {
                continue;
            }
            graph.before[table].extend(others);
            graph.before[table].remove(&part);
            let inlined = graph.steps[part].id.clone();
            graph.steps[table].inline.push(inlined);
            gone.insert(part, table);
        }
        let inline: Vec<&Object> =
            graph.steps[table].inline.iter().filter_map(|id| to.get(id)).collect();
        if id.kind == Kind::Column && inline.is_empty() {
            continue;
        }
        let mut statements = kinds::create(object, to, &inline, false);
        statements.extend(kinds::finish(None, object));
        for column in to.parts(&id, Kind::Column) {
            statements.extend(kinds::finish(None, column));
        }
        for part in &inline {
            statements.extend(kinds::finish(None, part));
        }
        graph.steps[table].statements = statements;
    }
    if gone.is_empty() {
        return;
    }
    let keep: Vec<usize> = (0..graph.steps.len()).filter(|at| !gone.contains_key(at)).collect();
    let place: BTreeMap<usize, usize> =
        keep.iter().enumerate().map(|(new, old)| (*old, new)).collect();
    graph.before = keep
        .iter()
        .map(|old| {
            let before = graph.before[*old].iter().map(|at| gone.get(at).unwrap_or(at));
            before.filter(|at| *at != old).filter_map(|at| place.get(at).copied()).collect()
        })
        .collect();
    let now = |at: usize| place.get(gone.get(&at).unwrap_or(&at)).copied();
    let bonds = graph.bonds.iter().filter_map(|(one, other)| now(*one).zip(now(*other)));
    graph.bonds = bonds.collect();
    graph.steps = keep.iter().map(|old| graph.steps[*old].clone()).collect();
}

/// Whether `table` must come before `step`; what was folded stands where it was folded into.
fn leads(graph: &Graph, gone: &BTreeMap<usize, usize>, step: usize, table: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![step];
    while let Some(at) = open.pop() {
        let at = gone.get(&at).copied().unwrap_or(at);
        if at == table {
            return true;
        }
        if seen.insert(at) {
            open.extend(graph.before[at].iter().copied());
        }
    }
    false
}
