use bson::Bson;
use marula_core::model::Entity;

use super::Draw;
use super::indexes::Wish;
use super::timeseries::TimeSeries;
use super::types::{is_plain, stored_name, whole};
use crate::schema::time_attribute;
use crate::structure::{Bucket, Store};

/// A TTL index, which deletes what is old.
pub(super) fn wishes(
    draw: &mut Draw<'_>,
    entity: &Entity,
    store: &Store,
    series: Option<&TimeSeries>,
) -> Vec<Wish> {
    let Some(days) = entity.keep_days.filter(|_| series.is_none()) else { return Vec::new() };
    let bucket = draw.structure.bucket(draw.model, &entity.name);
    if bucket.is_some() {
        let why = format!("deletes buckets all of which is older than {days} days");
        let mut wish = Wish::on(Bucket::LAST.to_owned(), why);
        wish.options.insert("expireAfterSeconds", seconds(days));
        return vec![wish];
    }
    let time = time_attribute(entity).filter(|time| store.attribute(&time.name).is_some());
    let Some(time) = time.filter(|time| is_plain(&time.name)) else {
        draw.note(format!("{} has no required moment by which old ones could expire", entity.name));
        return Vec::new();
    };
    for one in draw.references.iter().filter(|one| one.relation.to == entity.name) {
        let many = &one.relation.from;
        draw.notes
            .push(format!("{many} that refer to one of {} stay when it expires", entity.name));
    }
    let stored = stored_name(entity, &time.name).to_owned();
    let mut wish = Wish::on(stored, format!("deletes what is older than {days} days"));
    wish.options.insert("expireAfterSeconds", seconds(days));
    vec![wish]
}

/// Days as the server takes them; it takes no more than an int holds.
pub(super) fn seconds(days: u32) -> Bson {
    whole((u64::from(days) * 86_400).min(i32::MAX as u64))
}
