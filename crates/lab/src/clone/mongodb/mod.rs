//! A copy of what a command touches, from a MongoDB server that is only read.
//!
//! Collections are made with their options, documents go as raw BSON from `find` to `insert`
//! with several batches under way, indexes are built after them as `listIndexes` gives them.

mod data;
mod keys;
mod sample;
mod shape;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use futures_util::future::try_join_all;
use marula_core::{Dataset, Depth, Error, ErrorKind, Progress, Result};
use marula_mongodb::{ConnectSpec, Session, SessionOptions};

use super::{CloneLimits, Join, Size};
use crate::bench::mongodb::{Copied, MongoBench};
use shape::Shape;

/// What to copy.
#[derive(Debug, Clone)]
pub struct Request {
    /// The collections and views the command names.
    pub collections: Vec<String>,
    /// Its `$lookup`s: the local collection and path on the left, the foreign ones on the right.
    pub joins: Vec<Join>,
    /// How much may be copied.
    pub limits: CloneLimits,
}

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// Copies what `request` names from `source` into a new database of the lab server at `lab`.
///
/// # Errors
/// `NotFound` when no collection of the request exists, `Denied` without the right to read,
/// `Lab` when the lab server refuses what the source has.
pub async fn clone(
    source: &Session,
    lab: &ConnectSpec,
    request: &Request,
    progress: &dyn Progress,
) -> Result<MongoBench> {
    copy(source, lab, request, Size::Limit(request.limits.bytes), progress).await
}

pub(crate) async fn copy(
    source: &Session,
    lab: &ConnectSpec,
    request: &Request,
    size: Size,
    progress: &dyn Progress,
) -> Result<MongoBench> {
    progress.step("reading the collections the command touches");
    let shapes = shape::read(source, &request.collections).await?;
    if shapes.is_empty() && !request.collections.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("no collection is called {}", request.collections.join(" or ")),
        ));
    }
    let mut notes = Vec::new();
    let size = size.on_this_disk(shapes.iter().map(|shape| shape.bytes).sum(), &mut notes)?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("bench_{}_{number}", std::process::id());
    let spec = lab.with_database(&name);
    let target = Session::open(&spec, &SessionOptions::lab()).await?;
    for shape in shapes.iter().filter(|shape| !shape.is_view()) {
        shape::create(&target, shape, &mut notes).await?;
    }

    let kept = sample::draw(source, &shapes, &request.joins, size, progress).await?;
    let total: u64 = shapes.iter().map(|shape| shape.bytes).sum();
    let done = AtomicU64::new(0);
    let copy_one = async |shape: &Shape| -> Result<(String, u64)> {
        progress.step(&format!("copying {}", shape.name));
        let advance = |bytes: u64| {
            let now = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
            progress.advance(now.min(total), total);
        };
        let documents = match kept.get(&shape.name) {
            Some(ids) => data::copy_some(source, &target, shape, ids, &advance).await,
            None => data::copy_all(source, &target, shape, &advance).await,
        };
        Ok((shape.name.clone(), documents.map_err(|error| error.at(shape.name.clone()))?))
    };
    let mut stored: Vec<&Shape> = shapes.iter().filter(|shape| !shape.is_view()).collect();
    stored.sort_by_key(|shape| std::cmp::Reverse(shape.bytes));
    let mut copied: BTreeMap<String, u64> = BTreeMap::new();
    for lanes in stored.chunks(request.limits.parallel.clamp(1, 8)) {
        copied.extend(try_join_all(lanes.iter().map(|shape| copy_one(shape))).await?);
    }

    progress.step("building indexes on the copy");
    for shape in &stored {
        shape::build_indexes(&target, shape, &mut notes).await?;
    }
    for view in shapes.iter().filter(|shape| shape.is_view()) {
        shape::create(&target, view, &mut notes).await?;
    }
    let documents: u64 = copied.values().sum();
    let all: u64 = stored
        .iter()
        .map(|shape| shape.documents.max(copied.get(&shape.name).copied().unwrap_or(0)))
        .sum();
    let share = if kept.is_empty() || all == 0 { 1.0 } else { documents as f64 / all as f64 };
    Ok(MongoBench::new(Copied {
        lab: lab.clone(),
        session: target,
        dataset: Dataset {
            depth: if kept.is_empty() { Depth::Full } else { Depth::Sample },
            share,
            rows: documents,
        },
        request: request.clone(),
        notes,
    }))
}
