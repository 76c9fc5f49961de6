use marula_core::Engine;
use marula_core::model::{Model, Write};

use super::work::{Asking, Work};
use crate::question::{cannot_be_kept, firsts};
use crate::schema::time_attribute;
use crate::structure::{Structure, Subset};

/// The first of the many that queries ask for of one, in one order: what could be kept with the
/// one. On PostgreSQL an index on the many gives them as fast, and nothing is kept.
pub(super) fn subsets(model: &Model, work: &Work, engine: Engine) -> Vec<Subset> {
    let mut found: Vec<Subset> = Vec::new();
    if engine == Engine::Postgres {
        return found;
    }
    for first in work.asked.iter().flat_map(|asking| firsts(model, &asking.question)) {
        let r = &model.relations[first.relation];
        let few = r.fanout.and_then(|fanout| fanout.max).is_some_and(|most| most <= first.count);
        if few || cannot_be_kept(model, first.relation).is_some() {
            continue;
        }
        let known = found
            .iter_mut()
            .find(|known| known.relation == first.relation && known.order == first.order);
        match known {
            Some(known) => {
                known.count = known.count.max(first.count);
                add(&mut known.attributes, first.attributes);
                add(&mut known.shown, first.shown);
            }
            None => {
                let name = name(model, first.relation, &first.order, &found);
                found.push(Subset {
                    relation: first.relation,
                    order: first.order,
                    count: first.count,
                    attributes: first.attributes,
                    shown: first.shown,
                    name,
                });
            }
        }
    }
    found
}

fn add<T: Ord>(known: &mut Vec<T>, more: Vec<T>) {
    known.extend(more);
    known.sort_unstable();
    known.dedup();
}

/// What the array is called: `newest_reviews`, `top_bids`, `first_tasks`.
fn name(model: &Model, relation: usize, order: &[(String, bool)], taken: &[Subset]) -> String {
    let r = &model.relations[relation];
    let array = r.inverse.as_ref().unwrap_or(&r.from);
    let time = model.entity(&r.from).and_then(time_attribute).map(|time| &time.name);
    let how = match order.first() {
        Some((by, true)) if Some(by) == time => "newest",
        Some((by, false)) if Some(by) == time => "oldest",
        Some((_, true)) => "top",
        _ => "first",
    };
    let named = |name: &str| {
        let own = model.entity(&r.to).is_some_and(|one| one.attribute(name).is_some());
        own || taken.iter().any(|other| other.name == name)
    };
    let mut name = format!("{how}_{array}");
    while named(&name) {
        name.push_str("_too");
    }
    name
}

/// Whether the subsets of a structure can be kept and brought in step, exactly.
pub(super) fn are_possible(model: &Model, structure: &Structure) -> bool {
    structure.subsets.iter().all(|subset| {
        let r = &model.relations[subset.relation];
        let alone = |entity: &str| structure.home(model, entity).is_none();
        // Who refills reads copies that another write may be changing.
        let races = subset.is_refilled(model) && subset.recopied(model, structure).next().is_some();
        alone(&r.from) && alone(&r.to) && !races
    })
}

/// From so many of one on, or without a bound, a relation is a long one.
const LONG: u64 = 1_000;
/// So many reads to a write are worth keeping things twice, by the rule of thumb.
const READS: f64 = 10.0;

/// How often a subset could be asked for, and how often the many are written, per second.
pub(crate) fn reads_and_writes(model: &Model, work: &Work, subset: &Subset) -> [f64; 2] {
    let many = &model.relations[subset.relation].from;
    let asks = |asking: &&Asking| {
        let firsts = firsts(model, &asking.question);
        firsts.iter().any(|f| f.relation == subset.relation && f.order == subset.order)
    };
    let asked = work.asked.iter().filter(asks).map(|asking| model.queries[asking.query].rate.0);
    let of_it = |write: &&Write| write.entity == *many || write.with.contains(many);
    let named = |name: &String| model.writes.iter().filter(of_it).any(|w| w.name == *name);
    let alone = model.writes.iter().filter(of_it).map(|write| write.rate.0);
    let together = model.transactions.iter().filter(|one| one.writes.iter().any(named));
    [asked.sum(), alone.chain(together.map(|one| one.rate.0)).sum()]
}

/// Whether the rules of thumb keep a subset: of a long relation, read ten times as often as written.
pub(crate) fn subset_by_the_rules(model: &Model, work: &Work, subset: &Subset) -> bool {
    let fanout = model.relations[subset.relation].fanout;
    let long = fanout.and_then(|fanout| fanout.max).is_none_or(|most| most >= LONG);
    let [asked, written] = reads_and_writes(model, work, subset);
    long && asked >= READS * written
}
