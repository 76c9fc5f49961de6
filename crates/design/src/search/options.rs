use std::collections::BTreeSet;

use marula_core::Engine;
use marula_core::model::{AggregateFunction, Deed, Entity, Model, Write};

use super::buckets::{self, buckets};
use super::subsets::{are_possible, subset_by_the_rules, subsets};
use super::work::Work;
use crate::figures::Figures;
use crate::mongodb::schema::{DocumentSize, sizes};
use crate::schema::{is_required, loses, nulled};
use crate::structure::{Bucket, Computed, Layout, Placement, Structure, Subset};

/// The most of the many on average that may be an array: MongoDB's own advice is to reference from
/// a thousand on.
const MANY: f64 = 1_000.0;

/// What can be chosen for each relationship.
#[derive(Debug, Clone)]
pub struct Options {
    placements: Vec<Vec<Placement>>,
    computed: Vec<Computed>,
    subsets: Vec<Subset>,
    buckets: Vec<Bucket>,
}

/// What can be chosen on an engine, as far as a query could gain by it.
pub fn options(model: &Model, work: &Work, engine: Engine) -> Options {
    let placements = (0..model.relations.len())
        .map(|relation| {
            let mut choices = vec![Placement::Reference];
            let copies = copied(model, work, relation);
            if !copies.is_empty() && is_required(model, &model.relations[relation]) {
                let shown = shown(model, work, relation);
                if !shown.is_empty() && shown != copies {
                    choices.push(Placement::Copy(shown));
                }
                choices.push(Placement::Copy(copies));
            }
            if may_embed(model, relation) {
                choices.push(Placement::Embed);
            }
            choices
        })
        .collect();
    Options {
        placements,
        computed: computable(model, work),
        subsets: subsets(model, work, engine),
        buckets: buckets(model, engine),
    }
}

impl Options {
    /// Every sound structure that differs in one choice.
    pub fn neighbours(&self, model: &Model, from: &Structure) -> Vec<Structure> {
        let mut found = Vec::new();
        for (at, choices) in self.placements.iter().enumerate() {
            for choice in choices.iter().filter(|choice| **choice != from.placements[at]) {
                let mut next = from.clone();
                next.placements[at] = choice.clone();
                found.push(next);
            }
        }
        for computed in &self.computed {
            let mut next = from.clone();
            match next.computed.iter().position(|known| known == computed) {
                Some(at) => drop(next.computed.remove(at)),
                None => next.computed.push(computed.clone()),
            }
            found.push(next);
        }
        for subset in &self.subsets {
            let mut next = from.clone();
            match next.subsets.iter().position(|known| known == subset) {
                Some(at) => drop(next.subsets.remove(at)),
                None => next.subsets.push(subset.clone()),
            }
            found.push(next);
        }
        for bucket in &self.buckets {
            let mut next = from.clone();
            match next.buckets.iter().position(|known| known == bucket) {
                Some(at) => drop(next.buckets.remove(at)),
                None => next.buckets.push(bucket.clone()),
            }
            found.push(next);
        }
        found.retain(|structure| is_possible(model, structure));
        found
    }
}

/// Whether a structure can be kept and written: no array grows without bound, no document past
/// MongoDB's limit, which is a limit of good sense for `jsonb` as well.
fn is_possible(model: &Model, structure: &Structure) -> bool {
    let possible = are_possible(model, structure)
        && buckets::are_possible(model, structure)
        && structure.computed.iter().all(|computed| is_kept(model, computed));
    if !structure.is_sound(model) || !possible {
        return false;
    }
    let homes = |entity: &str| structure.home(model, entity);
    for (at, relation) in model.relations.iter().enumerate() {
        // Who is within another can be referred to only from within itself.
        if homes(&relation.to).is_some() && structure.placements[at] != Placement::Embed {
            return false;
        }
        // An array within an array is written as a whole only.
        let deep = structure.placements[at] == Placement::Embed && homes(&relation.to).is_some();
        if deep && model.writes.iter().any(|write| write.entity == relation.from) {
            return false;
        }
    }
    let layout = Layout::new(model, structure);
    let arrays = structure.placements.contains(&Placement::Embed)
        || !structure.subsets.is_empty()
        || !structure.buckets.is_empty();
    !arrays || sizes(model, structure, &layout).iter().all(DocumentSize::fits)
}

/// Whether the writes keep a value over the many in step: they add members and take single ones away,
/// and change neither what is summed up nor whose it is.
fn is_kept(model: &Model, computed: &Computed) -> bool {
    let r = &model.relations[computed.relation];
    let counts =
        |name: &String| computed.attribute.as_ref() == Some(name) || r.attributes.contains(name);
    let by_key = |write: &Write| {
        let key = model.entity(&write.entity).map(Entity::key).unwrap_or_default();
        write.by.is_empty() || key.iter().all(|part| write.by.iter().any(|by| by == part))
    };
    model.writes.iter().all(|write| match write.does {
        Deed::Insert => true,
        Deed::Update => {
            write.entity != r.from || !write.set.iter().chain(&write.increment).any(counts)
        }
        Deed::Delete => {
            let nulled = nulled(model, write, computed.relation);
            (by_key(write) || !loses(model, write, computed.relation))
                && !nulled.into_iter().any(|name| counts(&name.to_owned()))
        }
    })
}

fn may_embed(model: &Model, relation: usize) -> bool {
    let r = &model.relations[relation];
    let bounded = r.fanout.is_some_and(|fanout| fanout.max.is_some());
    bounded
        && r.from != r.to
        && is_required(model, &model.relations[relation])
        && Figures { model }.fanout(relation) <= MANY
}

/// The attributes of the one that queries ask for when they come from the many, or along with them.
fn copied(model: &Model, work: &Work, relation: usize) -> Vec<String> {
    wanted(model, work, relation, |_, needs| needs)
}

/// The attributes of the one that queries only show when they come from the many, and that no write
/// changes: what is copied by the rules.
fn shown(model: &Model, work: &Work, relation: usize) -> Vec<String> {
    let one = &model.relations[relation].to;
    let mut names = wanted(
        model,
        work,
        relation,
        |from_many, needs| if from_many { needs } else { Vec::new() },
    );
    names.retain(|name| {
        !model.writes.iter().any(|write| {
            write.entity == *one && (write.set.contains(name) || write.increment.contains(name))
        })
    });
    names
}

/// What queries ask of the one of a relationship, but for its key. `which` says what counts, by
/// whether the query comes from the many.
fn wanted<'w>(
    model: &Model,
    work: &'w Work,
    relation: usize,
    which: impl Fn(bool, Vec<&'w str>) -> Vec<&'w str>,
) -> Vec<String> {
    let key = model.entity(&model.relations[relation].to).map(|one| one.key()).unwrap_or_default();
    let mut wanted = BTreeSet::new();
    for asking in &work.asked {
        for (at, node) in asking.question.nodes.iter().enumerate() {
            let (one, from_many) = match node.step {
                Some((_, by, true)) if by == relation => (at, true),
                Some((from, by, false)) if by == relation => (from, false),
                _ => continue,
            };
            wanted.extend(
                which(from_many, asking.question.needs(one))
                    .into_iter()
                    .filter(|name| !key.contains(name)),
            );
        }
    }
    wanted.into_iter().map(str::to_owned).collect()
}

/// Counts and sums over the many that queries ask for per one.
fn computable(model: &Model, work: &Work) -> Vec<Computed> {
    let mut found: Vec<Computed> = Vec::new();
    for asking in &work.asked {
        let Some((relation, _)) = crate::question::tallied(model, &asking.question) else {
            continue;
        };
        let many = &model.relations[relation].from;
        let mut add = |function, attribute: Option<String>| {
            let name = match &attribute {
                Some(attribute) => format!("{many}_{attribute}_sum"),
                None => format!("{many}_count"),
            };
            let computed = Computed { relation, function, attribute, name };
            if !found.contains(&computed) {
                found.push(computed);
            }
        };
        // The count also says whether there is anything at all.
        add(AggregateFunction::Count, None);
        for aggregate in &asking.question.aggregates {
            if let (AggregateFunction::Sum, Some(of)) = (aggregate.function, &aggregate.of) {
                add(AggregateFunction::Sum, Some(of.attribute.clone()));
            }
        }
    }
    found
}

/// What the field's rules of thumb give. For PostgreSQL third normal form. For MongoDB: what is
/// owned and bounded to a few (50 on average, 200 at most) lives within its owner; what is shown
/// along with the many and never changes is copied to them; the first of a long relation, where they are
/// read ten times as often as it is written, are kept with the one.
pub fn by_the_rules(model: &Model, work: &Work, engine: Engine) -> Structure {
    let mut structure = Structure::normalised(model);
    if engine == Engine::Postgres {
        return structure;
    }
    for relation in 0..model.relations.len() {
        let r = &model.relations[relation];
        let few = r.fanout.is_some_and(|fanout| {
            fanout.average <= 50.0 && fanout.max.is_some_and(|max| max <= 200)
        });
        let mut next = structure.clone();
        if r.owned && few && may_embed(model, relation) {
            next.placements[relation] = Placement::Embed;
        } else {
            let copies = shown(model, work, relation);
            if !copies.is_empty() && is_required(model, &model.relations[relation]) {
                next.placements[relation] = Placement::Copy(copies);
            }
        }
        if is_possible(model, &next) {
            structure = next;
        }
    }
    for subset in subsets(model, work, engine) {
        let other = structure.subsets.iter().any(|known| known.relation == subset.relation);
        if !other && subset_by_the_rules(model, work, &subset) {
            let mut next = structure.clone();
            next.subsets.push(subset);
            if is_possible(model, &next) {
                structure = next;
            }
        }
    }
    structure
}
