//! Which structures are worth measuring: every sound choice for every relationship is weighed by
//! a model of what the workload costs, and the best are built.

mod buckets;
mod cost;

mod indexes;
mod options;
mod subsets;
mod work;

use std::collections::HashMap;

use marula_core::Engine;
use marula_core::model::Model;

pub use cost::Constants;
pub use indexes::indexes;

pub use options::{by_the_rules, options};
pub(crate) use subsets::{reads_and_writes, subset_by_the_rules};
pub use work::{Asking, Work};

use crate::structure::{Placement, Structure, reference_name};

/// A structure worth measuring.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What it is called in the report.
    pub name: String,
    /// Why it was chosen to be measured.
    pub why: String,
    /// The structure.
    pub structure: Structure,
    /// What the workload costs by the model, in milliseconds of work a second.
    pub cost: f64,
}

/// The structures to measure, at most `count` (and at least the normalised one and the one that
/// the rules of thumb give, when they differ), the one that promises most first.
pub fn candidates(model: &Model, work: &Work, engine: Engine, count: usize) -> Vec<Candidate> {
    let constants = Constants::of(engine);
    let choices = options(model, work, engine);
    let mut known: HashMap<Structure, f64> = HashMap::new();
    let mut weigh = |structure: &Structure| {
        *known
            .entry(structure.clone())
            .or_insert_with(|| cost::workload(model, structure, work, &constants))
    };
    let plain = Structure::normalised(model);
    let rules = by_the_rules(model, work, engine);
    for start in [&plain, &rules] {
        climb(model, start.clone(), &choices, &mut weigh);
    }
    let mut ranked: Vec<(Structure, f64)> =
        known.iter().map(|(s, cost)| (s.clone(), *cost)).collect();
    // Of two that cost the same the plainer one comes first; the rest makes the order certain.
    ranked.sort_by(|a, b| {
        let plainness = |s: &Structure| format!("{:?}", s);
        a.1.total_cmp(&b.1)
            .then(effort(&a.0).cmp(&effort(&b.0)))
            .then_with(|| plainness(&a.0).cmp(&plainness(&b.0)))
    });
    let mut chosen: Vec<(Structure, f64, String)> = Vec::new();
    let cost_of = |wanted: &Structure| {
        ranked.iter().find(|(s, _)| s == wanted).map_or(f64::INFINITY, |(_, cost)| *cost)
    };
    if let Some((best, cost)) = ranked.first() {
        chosen.push((best.clone(), *cost, "the cost model's first choice".into()));
    }
    for (structure, why) in
        [(&rules, "what the rules of thumb give"), (&plain, "everything on its own, nothing twice")]
    {
        match chosen.iter_mut().find(|(known, ..)| known == structure) {
            Some((.., reason)) => *reason = format!("{reason}, and {why}"),
            None => chosen.push((structure.clone(), cost_of(structure), why.into())),
        }
    }
    for (structure, cost) in &ranked {
        if chosen.len() >= count {
            break;
        }
        if !chosen.iter().any(|(known, ..)| known == structure) && differs(structure, &chosen) {
            chosen.push((structure.clone(), *cost, "next by the cost model".into()));
        }
    }
    chosen.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut names: Vec<String> = Vec::new();
    chosen
        .into_iter()
        .map(|(structure, cost, why)| {
            let mut name = name(model, &structure);
            if names.contains(&name) {
                name = format!("{name} ({})", names.len() + 1);
            }
            names.push(name.clone());
            Candidate { name, why, structure, cost }
        })
        .collect()
}

/// Changes one choice at a time for as long as that makes the work cheaper. Everything weighed on
/// the way is remembered.
fn climb(
    model: &Model,
    mut at: Structure,
    choices: &options::Options,
    weigh: &mut impl FnMut(&Structure) -> f64,
) {
    let mut cost = weigh(&at);
    loop {
        let mut best: Option<(Structure, f64)> = None;
        for next in choices.neighbours(model, &at) {
            let weighed = weigh(&next);
            if weighed < cost - 1e-9 && best.as_ref().is_none_or(|(_, least)| weighed < *least) {
                best = Some((next, weighed));
            }
        }
        match best {
            Some((next, weighed)) => (at, cost) = (next, weighed),
            None => return,
        }
    }
}

/// How much there is to explain in a structure: copies and arrays.
pub(crate) fn effort(structure: &Structure) -> usize {
    let placed = structure.placements.iter().map(|placement| match placement {
        Placement::Reference => 0,
        Placement::Embed => 1,
        Placement::Copy(copies) => 1 + copies.len(),
    });
    placed.sum::<usize>()
        + 2 * structure.computed.len()
        + 3 * (structure.subsets.len() + structure.buckets.len())
}

/// Whether a structure differs from all chosen ones in more than which attributes are copied:
/// what differs in that alone is measured only when there is nothing else.
fn differs(structure: &Structure, chosen: &[(Structure, f64, String)]) -> bool {
    let outline = |s: &Structure| -> Vec<u8> {
        let placed = s.placements.iter().map(|placement| match placement {
            Placement::Reference => 0,
            Placement::Copy(_) => 1,
            Placement::Embed => 2,
        });
        placed
            .chain([s.computed.len() as u8, s.subsets.len() as u8, s.buckets.len() as u8])
            .collect()
    };
    chosen.iter().all(|(known, ..)| outline(known) != outline(structure))
}

/// What a structure is called: by what it does other than keep everything on its own.
fn name(model: &Model, structure: &Structure) -> String {
    let mut parts = Vec::new();
    for (relation, placement) in model.relations.iter().zip(&structure.placements) {
        match placement {
            Placement::Reference => {}
            Placement::Embed => parts.push(format!("{} in {}", relation.from, relation.to)),
            Placement::Copy(copies) => {
                let mut part =
                    format!("{} of {} copied to {}", copies.join("+"), relation.to, relation.from);
                let alike = model
                    .relations
                    .iter()
                    .filter(|other| (&other.from, &other.to) == (&relation.from, &relation.to));
                if alike.count() > 1 {
                    part.push_str(&format!(" for its {}", reference_name(relation)));
                }
                parts.push(part);
            }
        }
    }
    parts.extend(structure.computed.iter().map(|computed| {
        format!("{} kept with {}", computed.name, model.relations[computed.relation].to)
    }));
    parts.extend(structure.subsets.iter().map(|subset| {
        let relation = &model.relations[subset.relation];
        let which = subset.name.split('_').next().unwrap_or_default();
        let (many, one, count) = (&relation.from, &relation.to, subset.count);
        format!("subset of {many} in {one} ({count} {which})")
    }));
    parts.extend(structure.buckets.iter().map(|bucket| {
        let relation = &model.relations[bucket.relation];
        format!("bucket of {} per {}", relation.from, reference_name(relation))
    }));
    if parts.is_empty() { "normalised".into() } else { parts.join(", ") }
}
