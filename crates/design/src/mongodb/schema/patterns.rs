use marula_core::model::{AttributeType, Model};

use super::{Draw, SchemaOptions, timeseries};
use crate::search::{Work, reads_and_writes, subset_by_the_rules};
use crate::structure::{Bucket, Layout, Placement, Structure, Subset, reference_name};

/// A pattern by the name the field has for it, and where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// `extended reference`, `computed`, `time series` …
    pub name: &'static str,
    /// The collection or field: `orders.customer_name`.
    pub place: String,
    /// Why there.
    pub why: String,
}

/// From so many elements on an array is one of the few that make every read of it slow.
const LONG: u64 = 250;

/// The patterns a structure goes by.
pub fn patterns(
    model: &Model,
    structure: &Structure,
    layout: &Layout,
    options: &SchemaOptions,
) -> Vec<Pattern> {
    let mut found = Vec::new();
    let mut say = |name, place: String, why: String| found.push(Pattern { name, place, why });
    for (relation, placement) in model.relations.iter().zip(&structure.placements) {
        let (many, one) = (&relation.from, &relation.to);
        let array = relation.inverse.as_ref().unwrap_or(many);
        match placement {
            Placement::Embed => {
                let p99 = relation.fanout.and_then(|f| f.p99).unwrap_or(0);
                let most = relation.fanout.and_then(|f| f.max).unwrap_or(u64::MAX);
                let bound = match most {
                    u64::MAX => "any number".to_owned(),
                    most => format!("{most} at most"),
                };
                say(
                    "embedding",
                    format!("{one}.{array}"),
                    format!("{many} are read and written with their {one}: {bound} of them"),
                );
                if most >= LONG && p99 < LONG {
                    say(
                        "outlier",
                        format!("{one}.{array}"),
                        format!(
                            "99 of 100 hold {p99} or fewer, a few up to {most}: from {LONG} on put \
                             the rest into further documents, marked in the first (has_more: true)"
                        ),
                    );
                }
            }
            Placement::Copy(attributes) => say(
                "extended reference",
                format!("{many}.{}", reference_name(relation)),
                format!(
                    "{} of {one} are read with {many}, without a second read",
                    attributes.join(", ")
                ),
            ),
            Placement::Reference if many == one => say(
                "tree",
                format!("{many}.{}", relation.attributes.join(", ")),
                "each names its parent: moving a branch is one write; all below one are found by \
                 $graphLookup"
                    .into(),
            ),
            Placement::Reference => {}
        }
    }
    for computed in &structure.computed {
        let Some(relation) = model.relations.get(computed.relation) else { continue };
        say(
            "computed",
            format!("{}.{}", relation.to, computed.name),
            format!("kept by the writes of {}, instead of read anew each time", relation.from),
        );
    }
    for subset in &structure.subsets {
        let relation = &model.relations[subset.relation];
        say("subset", format!("{}.{}", relation.to, subset.name), why_subset(model, subset));
    }
    for bucket in &structure.buckets {
        let relation = &model.relations[bucket.relation];
        let (many, one) = (&relation.from, reference_name(relation));
        let why = format!(
            "up to {} {many} of one {one} in a document, one behind the other in time: fewer \
             documents and index keys for what is read by {one} and {}. The rule of thumb is the \
             native time-series collection; that takes no writes in transactions, and keeps nothing \
             unique",
            bucket.count, bucket.time
        );
        say("bucket", format!("{many}.{}", Bucket::ROWS), why);
    }
    let mut draw = Draw::new(model, structure, layout, options);
    for store in &layout.stores {
        let Some(entity) = model.entity(&store.entity) else { continue };
        if let Some(series) = timeseries::decide(&mut draw, entity, store) {
            say("time series", entity.name.clone(), series.why);
        }
        if let Some(kind) = &entity.kind {
            say(
                "polymorphic",
                format!("{}.{kind}", entity.name),
                "several kinds in one collection, told apart by it: what is common is asked of all"
                    .into(),
            );
        }
        for attribute in &entity.attributes {
            if attribute.kind == AttributeType::Json {
                say(
                    "attribute",
                    format!("{}.{}", entity.name, attribute.name),
                    "fields that differ from one to the next: as [{k, v}, …] with an index on both \
                     where they are looked for"
                        .into(),
                );
            }
        }
        if let Some(days) = entity.keep_days {
            say(
                "archive",
                entity.name.clone(),
                format!("after {days} days they go; what must stay is put away before"),
            );
        }
    }
    say(
        "schema versioning",
        "every collection".into(),
        "the validators take a field schema_version, so that a later form can stand beside this one"
            .into(),
    );
    found
}

/// Why the first of the many are kept with the one, and whether that is by the rule of thumb.
fn why_subset(model: &Model, subset: &Subset) -> String {
    let by: Vec<String> = subset
        .order
        .iter()
        .map(|(name, down)| format!("{name}{}", if *down { " descending" } else { "" }))
        .collect();
    let work = Work::new(model);
    let [asked, written] = reads_and_writes(model, &work, subset);
    let rule = match subset_by_the_rules(model, &work, subset) {
        true => "as the rule of thumb has it",
        false => "against the rule of thumb, which is for long relations with ten reads to a write",
    };
    format!(
        "the first {} {} of one by {} are read with it, and all of them stay in their own \
         collection: {asked:.1} reads a second to {written:.1} writes, {rule}",
        subset.count,
        model.relations[subset.relation].from,
        by.join(", ")
    )
}
