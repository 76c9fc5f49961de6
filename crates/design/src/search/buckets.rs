use marula_core::Engine;
use marula_core::model::{AttributeType, Deed, Model};

use crate::figures::Figures;
use crate::schema::{is_required, time_attribute};
use crate::structure::{Bucket, Placement, Structure};

/// Fewer of one are no series.
const SERIES: f64 = 50.0;
/// What a bucket holds at least and at most: a tenth of what one has.
const ROWS: [f64; 2] = [10.0, 200.0];
/// Larger members are no measurements, in bytes.
const SMALL: f64 = 500.0;

/// What could be kept in buckets: the many small members of one, each with its moment, that are
/// added and never changed. PostgreSQL's rows of one lie together by an index.
pub(super) fn buckets(model: &Model, engine: Engine) -> Vec<Bucket> {
    match engine {
        Engine::Postgres => Vec::new(),
        Engine::Mongodb => {
            (0..model.relations.len()).filter_map(|relation| bucket(model, relation)).collect()
        }
    }
}

fn bucket(model: &Model, relation: usize) -> Option<Bucket> {
    let r = &model.relations[relation];
    let many = model.entity(&r.from)?;
    let time = time_attribute(many).filter(|time| time.kind == AttributeType::Timestamp)?;
    let figures = Figures { model };
    let fanout = figures.fanout(relation);
    let width: f64 = many.attributes.iter().map(crate::figures::width).sum();
    let only_added =
        model.writes.iter().all(|write| write.entity != many.name || write.does == Deed::Insert);
    // Nothing but the members of one bucket can be kept apart; a key that is given out is anyway.
    let key = many.key();
    let bucket = Bucket {
        relation,
        time: time.name.clone(),
        count: (fanout / 10.0).clamp(ROWS[0], ROWS[1]) as u64,
    };
    let told = bucket.is_by_moment(model)
        || matches!(key[..], [one] if crate::schema::is_given_out(model, many, many.attribute(one)?));
    let unique = !many.unique.is_empty() || many.attributes.iter().any(|a| a.unique);
    let taken = [Bucket::FIRST, Bucket::LAST, Bucket::COUNT, Bucket::ROWS];
    let plain = !r.attributes.iter().any(|name| taken.contains(&name.as_str()));
    // The first relationship by which they belong to one is what they are put together by.
    let first = model.relations.iter().position(|other| other.from == many.name);
    (only_added
        && told
        && !unique
        && plain
        && first == Some(relation)
        && is_required(model, r)
        && r.from != r.to
        && fanout >= SERIES
        && width <= SMALL)
        .then_some(bucket)
}

/// Whether nothing else is done with what a structure keeps in buckets.
pub(super) fn are_possible(model: &Model, structure: &Structure) -> bool {
    structure.buckets.iter().all(|bucket| {
        let r = &model.relations[bucket.relation];
        let relations = || model.relations.iter().zip(&structure.placements);
        structure.home(model, &r.to).is_none()
            && relations().all(|(other, placement)| {
                other.to != r.from && (other.from != r.from || *placement == Placement::Reference)
            })
            && structure.subsets.iter().all(|s| model.relations[s.relation].from != r.from)
    })
}
