//! A sample in which every document still finds what its `$lookup`s look for.
//!
//! Keys alone are read and hashed here, since servers before 7.0 have no hash of their own. A
//! collection that no other looks into is drawn by a hash of its `_id`; one that is looked into
//! is drawn by the values its drawn lookers hold, and a hash of the rest.

use std::collections::{BTreeMap, HashSet};

use bson::{Bson, Document, doc};
use marula_core::{Progress, Result};
use marula_mongodb::Session;

use super::shape::Shape;
use super::{Join, Size, keys};

const BUCKETS: u64 = 100_000;

/// The `_id`s to copy, by collection; a collection that is not in it is copied whole.
pub(super) async fn draw(
    source: &Session,
    shapes: &[Shape],
    joins: &[Join],
    size: Size,
    progress: &dyn Progress,
) -> Result<BTreeMap<String, Vec<Bson>>> {
    let total: u64 = shapes.iter().map(|shape| shape.bytes).sum();
    let (share, tiny) = match size {
        Size::Limit(limit) if total <= limit => return Ok(BTreeMap::new()),
        Size::Limit(limit) => (limit as f64 / total.max(1) as f64, limit / 50),
        Size::Share(share) => (share, 64 * 1024),
    };
    let kept = ((share * BUCKETS as f64) as u64).clamp(1, BUCKETS);
    // Time-series measurements have no key of their own to be drawn by.
    let mut open: Vec<&Shape> = shapes
        .iter()
        .filter(|shape| !shape.is_view() && !shape.is_timeseries() && shape.bytes > tiny)
        .collect();
    let mut drawn: BTreeMap<String, Vec<Bson>> = BTreeMap::new();
    // By collection and path: the values its drawn documents hold.
    let mut held: BTreeMap<(String, String), HashSet<u64>> = BTreeMap::new();
    while !open.is_empty() {
        let ready = open.iter().position(|shape| {
            joins
                .iter()
                .filter(|join| join.right == shape.name && join.left != shape.name)
                .all(|join| !open.iter().any(|other| other.name == join.left))
        });
        let shape = open.remove(ready.unwrap_or(0));
        progress.step(&format!("drawing a sample of {}", shape.name));
        let wanted: Vec<(&str, &HashSet<u64>)> = joins
            .iter()
            .filter(|join| join.right == shape.name)
            .filter_map(|join| {
                let of = (join.left.clone(), join.left_column.clone());
                held.get(&of).map(|values| (join.right_column.as_str(), values))
            })
            .collect();
        let paths: Vec<&str> = joins
            .iter()
            .flat_map(|join| {
                let left = (join.left == shape.name).then_some(join.left_column.as_str());
                let right = (join.right == shape.name).then_some(join.right_column.as_str());
                left.into_iter().chain(right)
            })
            .collect();
        let (ids, values) = scan(source, shape, &paths, &wanted, kept).await?;
        for (path, values) in values {
            held.insert((shape.name.clone(), path), values);
        }
        drawn.insert(shape.name.clone(), ids);
    }
    Ok(drawn)
}

type Held = BTreeMap<String, HashSet<u64>>;

/// Reads `_id` and `paths` of all documents; gives the drawn `_id`s and the values the drawn
/// documents hold at the paths.
async fn scan(
    source: &Session,
    shape: &Shape,
    paths: &[&str],
    wanted: &[(&str, &HashSet<u64>)],
    kept: u64,
) -> Result<(Vec<Bson>, Held)> {
    let mut projection = doc! { "_id": 1 };
    for path in paths.iter().filter(|path| **path != "_id" && !path.starts_with("_id.")) {
        // A path and one below it cannot both be projected.
        let covered = paths
            .iter()
            .any(|other| path.len() > other.len() && path.starts_with(&format!("{other}.")));
        if !covered {
            projection.insert(*path, 1);
        }
    }
    let collection = source.database().collection::<Document>(&shape.name);
    let mut cursor = collection
        .find(doc! {})
        .projection(projection)
        .batch_size(10_000)
        .await
        .map_err(|error| source.map(error))?;
    let mut ids = Vec::new();
    let mut values: Held = paths.iter().map(|path| ((*path).to_owned(), HashSet::new())).collect();
    while cursor.advance().await.map_err(|error| source.map(error))? {
        let document = cursor.deserialize_current().map_err(|error| source.map(error))?;
        let Some(id) = document.get("_id") else { continue };
        let looked_for = wanted.iter().any(|(path, values)| {
            keys::at(&document, path).iter().any(|value| values.contains(value))
        });
        if looked_for || keys::hash(id) % BUCKETS < kept {
            ids.push(id.clone());
            for (path, held) in &mut values {
                held.extend(keys::at(&document, path));
            }
        }
    }
    Ok((ids, values))
}
