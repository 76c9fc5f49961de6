use bson::{Bson, Document, doc};
use marula_core::model::Entity;
use marula_mongodb::{Command, CreateCollection, Operation};

use super::timeseries::TimeSeries;
use super::{Draw, expiry, validators};
use crate::schema::Piece;
use crate::structure::Store;

/// A store's collection.
pub(super) fn piece(
    draw: &mut Draw<'_>,
    entity: &Entity,
    store: &Store,
    series: Option<&TimeSeries>,
) -> Piece {
    let (options, why) = match series {
        Some(series) => (time_series(entity, series), series.why.clone()),
        None => {
            let validator = validators::validator(draw, entity, store);
            let bucket = draw.structure.bucket(draw.model, &entity.name);
            let why = bucket.map_or_else(String::new, |(_, bucket)| {
                format!(
                    "buckets of {}: one update ($push, $inc, where count < {} and last < its {}) \
                     adds to the last of one; where that finds none a transaction begins the next \
                     bucket, or puts what is late where it belongs, and cuts a bucket of {} in two",
                    bucket.count,
                    bucket.count,
                    bucket.time,
                    2 * bucket.count
                )
            });
            (doc! { "validator": validator }, why)
        }
    };
    let create = Operation::CreateCollection(CreateCollection { options });
    let command = Command::new(&entity.name, create);
    let about = entity.description.clone().map(|text| crate::schema::one_line(&text));
    let parts: Vec<String> =
        about.into_iter().chain([why]).filter(|text| !text.is_empty()).collect();
    Piece::before(format!("collection {}", entity.name), vec![command.to_shell()])
        .because(parts.join("; "))
}

fn time_series(entity: &Entity, series: &TimeSeries) -> Document {
    let mut how = doc! { "timeField": &series.time };
    if let Some(source) = &series.source {
        how.insert("metaField", source);
    }
    how.insert("granularity", series.granularity);
    let mut options = doc! { "timeseries": how };
    if let Some(days) = entity.keep_days {
        let seconds = match expiry::seconds(days) {
            Bson::Int32(seconds) => i64::from(seconds),
            Bson::Int64(seconds) => seconds,
            _ => return options,
        };
        options.insert("expireAfterSeconds", seconds);
    }
    options
}

/// Whether a collection can have that name.
pub(super) fn is_possible(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['$', '\0'])
        && !name.starts_with("system.")
        && !name.starts_with('.')
        && !name.ends_with('.')
        && name.len() < 200
}
