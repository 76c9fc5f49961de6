//! Indexes that are in the way: those another one makes superfluous, and those nobody uses. They
//! are proposed for hiding, which takes nothing away that cannot be had back at once.

mod change;
mod stays;

use std::collections::BTreeSet;

use marula_core::{Change, Collection, DocumentCatalog, DocumentIndex, Result};
use marula_lab::bench::Bench;

use super::query::Query;
use super::table::{Cell, Table, WORTH, best};
use super::trial::Trial;
use crate::mongodb::index::{Index, as_direction};

/// An index that is proposed for hiding.
pub(super) struct Hide {
    pub change: Change,
    /// What dropping it gives back, in bytes.
    pub bytes: u64,
    /// Statements that were measured without it.
    pub statements: u32,
}

/// What keeps an index from being hidden.
pub(super) struct Kept {
    pub index: String,
    pub collection: String,
    pub reason: String,
}

/// What is known of the server whose indexes they are.
pub(super) struct Counted {
    /// How long it has been running, in seconds, when it says so.
    pub uptime: Option<f64>,
    /// Whether it is one member of several.
    pub member: bool,
    /// The keys collections are sharded by.
    pub shard_keys: Vec<(String, Vec<String>)>,
}

/// What there is when indexes are looked at that could go.
pub(super) struct InPlace<'p> {
    pub queries: &'p [Query],
    pub table: &'p Table,
    /// Each statement with the picked set.
    pub after: &'p [Cell],
    /// The picked indexes, and whether they are multikey.
    pub picked: &'p [(&'p Index, bool)],
}

/// Why an index may be one too many.
pub(super) enum Why {
    /// Another one does its work.
    Redundant(String),
    /// Nobody was seen to use it.
    Unused,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Why::Redundant(by) => f.write_str(by),
            Why::Unused => {
                f.write_str("nothing has used it since the counters began, nor does this workload")
            }
        }
    }
}

impl Why {
    /// What was looked at before it is hidden.
    fn checked(&self) -> &'static str {
        match self {
            Why::Redundant(_) => {
                "it is neither unique, sparse, partial nor TTL, has no collation of its own, and no \
                 statement names it in a hint"
            }
            Why::Unused => {
                "it is neither unique nor TTL, no operator needs it, and no statement names it in a \
                 hint"
            }
        }
    }
}

/// The indexes that could go, measured: with each hidden, no statement examines more.
pub(super) async fn hide(
    trial: &mut Trial<'_>,
    in_place: &InPlace<'_>,
    catalog: &DocumentCatalog,
    counted: &Counted,
    (found, kept): (&mut Vec<Hide>, &mut Vec<Kept>),
) -> Result<()> {
    let mut gone: BTreeSet<(String, String)> = BTreeSet::new();
    for collection in &catalog.collections {
        for index in &collection.indexes {
            let left = |other: &DocumentIndex| {
                !gone.contains(&(collection.name.clone(), other.name.clone()))
            };
            let Some(why) = superfluous(index, collection, in_place, &left) else { continue };
            let mut stays = |reason: String| {
                kept.push(Kept {
                    index: index.name.clone(),
                    collection: collection.name.clone(),
                    reason: format!("{why}, but {reason}"),
                });
            };
            let queries = in_place.queries;
            if let Some(reason) = stays::exception(index, collection, &why, queries, counted) {
                stays(reason);
                continue;
            }
            if trial.options.stop.is_stopped() {
                return Ok(());
            }
            let said = why.to_string();
            let change =
                change::change(index, collection, &said, trial.version, counted, why.checked());
            match without(trial, in_place, &change, &collection.name).await? {
                Ok(statements) => {
                    gone.insert((collection.name.clone(), index.name.clone()));
                    found.push(Hide { change, bytes: index.bytes, statements });
                }
                Err(reason) => stays(reason),
            }
        }
    }
    for hidden in found {
        trial.bench.revert(&hidden.change).await?;
    }
    Ok(())
}

/// Why an index may be one too many.
fn superfluous(
    index: &DocumentIndex,
    collection: &Collection,
    in_place: &InPlace<'_>,
    left: &dyn Fn(&DocumentIndex) -> bool,
) -> Option<Why> {
    if index.hidden || index.name == "_id_" {
        return None;
    }
    let mut picked = in_place.picked.iter();
    let by_new = picked.find(|(new, _)| new.collection == collection.name && covers(new, index));
    if let Some((new, multikey)) = by_new {
        let more = if *multikey { " (which is multikey)" } else { "" };
        let by = format!("the new index {}{more} begins with its keys", new.name());
        return Some(Why::Redundant(by));
    }
    let other = collection.indexes.iter().find(|other| {
        let longer = other.keys.len() > index.keys.len()
            || other.keys.len() == index.keys.len() && other.name > index.name;
        other.name != index.name && !other.hidden && left(other) && longer && begins(other, index)
    });
    if let Some(other) = other {
        return Some(Why::Redundant(format!("{} begins with its keys", other.name)));
    }
    let used =
        in_place.queries.iter().enumerate().any(|(at, query)| {
            query.reads(&collection.name)
                && in_place.table.base.get(at).is_some_and(|cost| {
                    cost.plan.summary.indexes.iter().any(|name| {
                        *name == index.name || name.ends_with(&format!(".{}", index.name))
                    })
                })
        });
    (index.accesses == Some(0) && !used).then_some(Why::Unused)
}

/// Whether a new index does what `existing` does.
fn covers(new: &Index, existing: &DocumentIndex) -> bool {
    let same = new.keys.len() >= existing.keys.len()
        && new.special.is_none()
        && new.partial.is_none()
        && new.extends(existing);
    same && existing.collation.is_none() == new.collation.is_none()
}

/// Whether `other` begins with the keys of `index`, forwards or backwards, over all documents.
fn begins(other: &DocumentIndex, index: &DocumentIndex) -> bool {
    let plain = !other.sparse && other.partial.is_none() && other.collation == index.collation;
    let directions =
        index.keys.iter().chain(&other.keys).all(|(_, kind)| as_direction(kind).is_some());
    let alike = |flip: i64| {
        index.keys.iter().zip(&other.keys).all(|((a, x), (b, y))| {
            a == b && as_direction(x) == as_direction(y).map(|direction| direction * flip)
        })
    };
    plain && directions && other.keys.len() >= index.keys.len() && (alike(1) || alike(-1))
}

/// Hides it on the bench and measures every statement on the collection; `Err` says which one
/// gets worse. Where it does, it is shown again.
async fn without(
    trial: &mut Trial<'_>,
    in_place: &InPlace<'_>,
    change: &Change,
    collection: &str,
) -> Result<Result<u32, String>> {
    if let Err(error) = trial.bench.apply(change).await {
        if super::trial::fatal(error.kind()) {
            return Err(error);
        }
        return Ok(Err(format!("the lab could not hide it: {}", error.message())));
    }
    let InPlace { queries, table, after, .. } = in_place;
    let mut statements = 0;
    for (at, query) in queries.iter().enumerate() {
        if !query.reads(collection) {
            continue;
        }
        statements += 1;
        let limit = table.limit(at, trial.options.timeout) * 2;
        let with = after.get(at).map_or(f64::INFINITY, |cell| cell.value);
        let cost = best(trial, query, limit).await?;
        let worse = |value: f64| value > with * WORTH && value - with > 10.0;
        if cost.as_ref().is_none_or(|(cell, _)| worse(cell.value)) {
            trial.bench.revert(change).await?;
            let text: String = query.wordings[0].statement.text.chars().take(100).collect();
            let more = match cost {
                Some((_, cost)) if cost.plan.executed => {
                    format!("examines {} keys and documents, which is more", cost.examined)
                }
                _ => "does not finish".into(),
            };
            return Ok(Err(format!("without it a statement {more}: {text}")));
        }
    }
    Ok(Ok(statements))
}
