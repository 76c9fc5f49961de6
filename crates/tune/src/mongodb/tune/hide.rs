//! Indexes that are in the way: those another one makes superfluous, and those nobody uses. They
//! are proposed for hiding, which takes nothing away that cannot be had back at once.

use std::collections::BTreeSet;

use bson::Bson;
use marula_core::{
    Change, ChangeId, ChangeKind, Collection, DocumentCatalog, DocumentIndex, Engine, Json, Proof,
    Result, Version,
};
use marula_lab::bench::Bench;
use marula_mongodb::{CollMod, Command, CreateIndexes, DropIndex, Operation};

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

/// Counters younger than this tell little: a week.
const YOUNG: f64 = 7.0 * 86_400.0;

/// The indexes that could go, measured: with each hidden, no statement examines more.
pub(super) async fn hide(
    trial: &mut Trial<'_>,
    queries: &[Query],
    table: &Table,
    after: &[Cell],
    picked: &[(&Index, bool)],
    catalog: &DocumentCatalog,
    counted: &Counted,
) -> Result<(Vec<Hide>, Vec<Kept>)> {
    let (mut found, mut kept): (Vec<Hide>, Vec<Kept>) = (Vec::new(), Vec::new());
    let mut gone: BTreeSet<(String, String)> = BTreeSet::new();
    for collection in &catalog.collections {
        for index in &collection.indexes {
            let left = |other: &DocumentIndex| {
                !gone.contains(&(collection.name.clone(), other.name.clone()))
            };
            let Some(why) = superfluous(index, collection, picked, queries, table, &left) else {
                continue;
            };
            let why = match exception(index, collection, queries, counted) {
                Some(reason) => {
                    kept.push(Kept {
                        index: index.name.clone(),
                        collection: collection.name.clone(),
                        reason: format!("{why}, but {reason}"),
                    });
                    continue;
                }
                None => why,
            };
            if trial.options.stop.is_stopped() {
                return Ok((found, kept));
            }
            let change = change(index, collection, &why, trial.version, counted);
            match without(trial, queries, table, after, &change, &collection.name).await? {
                Ok(statements) => {
                    gone.insert((collection.name.clone(), index.name.clone()));
                    found.push(Hide { change, bytes: index.bytes, statements });
                }
                Err(reason) => kept.push(Kept {
                    index: index.name.clone(),
                    collection: collection.name.clone(),
                    reason: format!("{why}, but {reason}"),
                }),
            }
        }
    }
    for hidden in &found {
        trial.bench.revert(&hidden.change).await?;
    }
    Ok((found, kept))
}

/// Why an index may be one too many.
fn superfluous(
    index: &DocumentIndex,
    collection: &Collection,
    picked: &[(&Index, bool)],
    queries: &[Query],
    table: &Table,
    left: &dyn Fn(&DocumentIndex) -> bool,
) -> Option<String> {
    if index.hidden || index.name == "_id_" {
        return None;
    }
    let by_new =
        picked.iter().find(|(new, _)| new.collection == collection.name && covers(new, index));
    if let Some((new, multikey)) = by_new {
        let more = if *multikey { " (which is multikey)" } else { "" };
        return Some(format!("the new index {}{more} begins with its keys", new.name()));
    }
    let other = collection.indexes.iter().find(|other| {
        let longer = other.keys.len() > index.keys.len()
            || other.keys.len() == index.keys.len() && other.name > index.name;
        other.name != index.name && !other.hidden && left(other) && longer && begins(other, index)
    });
    if let Some(other) = other {
        return Some(format!("{} begins with its keys", other.name));
    }
    let used =
        queries.iter().enumerate().any(|(at, query)| {
            query.reads(&collection.name)
                && table.base.get(at).is_some_and(|cost| {
                    cost.plan.summary.indexes.iter().any(|name| {
                        *name == index.name || name.ends_with(&format!(".{}", index.name))
                    })
                })
        });
    (index.accesses == Some(0) && !used)
        .then(|| "nothing has used it since the counters began, nor does this workload".to_string())
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

/// What an index is for besides being read, so that it has to stay.
fn exception(
    index: &DocumentIndex,
    collection: &Collection,
    queries: &[Query],
    counted: &Counted,
) -> Option<String> {
    if index.unique {
        return Some("it forbids duplicates".into());
    }
    if index.expire_after_seconds.is_some() {
        return Some("it removes documents by their age (TTL)".into());
    }
    if index.sparse {
        return Some("it is sparse, and smaller than what takes its place".into());
    }
    if index.partial.is_some() {
        return Some("it is partial, and smaller than what takes its place".into());
    }
    if index.collation.is_some() {
        return Some("it has a collation of its own".into());
    }
    if index.keys.iter().any(|(_, kind)| as_direction(kind).is_none()) {
        return Some("it is of another kind than those that are simply sorted".into());
    }
    let shard = counted.shard_keys.iter().find(|(name, _)| *name == collection.name);
    let paths: Vec<&String> = index.keys.iter().map(|(path, _)| path).collect();
    if shard.is_some_and(|(_, key)| key.iter().zip(&paths).all(|(a, b)| a == *b)) {
        return Some("the collection is sharded by its keys".into());
    }
    let keys = Json::Object(index.keys.iter().cloned().collect());
    let hinted =
        queries.iter().filter(|query| query.command.collection == collection.name).any(|query| {
            match query.hint() {
                Some(Bson::String(name)) => name == index.name,
                Some(hint @ Bson::Document(_)) => hint.into_relaxed_extjson() == keys,
                _ => false,
            }
        });
    hinted.then(|| "a statement of the workload names it in a hint".into())
}

/// Hides it on the bench and measures every statement on the collection; `Err` says which one
/// gets worse. Where it does, it is shown again.
async fn without(
    trial: &mut Trial<'_>,
    queries: &[Query],
    table: &Table,
    after: &[Cell],
    change: &Change,
    collection: &str,
) -> Result<Result<u32, String>> {
    if let Err(error) = trial.bench.apply(change).await {
        if super::trial::fatal(error.kind()) {
            return Err(error);
        }
        return Ok(Err(format!("the lab could not hide it: {}", error.message())));
    }
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

fn change(
    index: &DocumentIndex,
    collection: &Collection,
    why: &str,
    version: Version,
    counted: &Counted,
) -> Change {
    let text = |operation: Operation| Command::new(&collection.name, operation).to_shell();
    let named = |hidden: bool| CollMod {
        options: bson::doc! {"index": {"name": index.name.as_str(), "hidden": hidden}},
    };
    let (up, down) = if version >= Version::new(4, 4, 0) {
        (text(Operation::CollMod(named(true))), text(Operation::CollMod(named(false))))
    } else {
        let specification = match Bson::try_from(index.specification.clone()) {
            Ok(Bson::Document(specification)) => specification,
            _ => bson::Document::new(),
        };
        let mut specification = specification;
        specification.remove("v");
        specification.remove("ns");
        (
            text(Operation::DropIndex(DropIndex { index: Bson::from(index.name.as_str()) })),
            text(Operation::CreateIndexes(CreateIndexes { indexes: vec![specification] })),
        )
    };
    let mut hazards = vec![
        "hidden it is still written; drop it once nothing was missed for a while".to_string(),
        "statements that are not in this workload may use it".to_string(),
    ];
    match counted.uptime {
        Some(seconds) if seconds < YOUNG => hazards.push(format!(
            "the server's counters of use are {:.1} h young: they begin anew at each start",
            seconds / 3600.0
        )),
        None => hazards.push("how long the counters of use have run is not known".into()),
        _ => {}
    }
    if counted.member {
        hazards.push("each member of the replica set counts for itself: look at the others".into());
    }
    Change {
        id: ChangeId(format!("h_{}_{}", collection.name, index.name)),
        kind: ChangeKind::Index,
        engine: Engine::Mongodb,
        title: format!("hide the index {} of {}: {why}", index.name, collection.name),
        relation: Some(collection.name.clone()),
        up: vec![up],
        down: vec![down],
        hazards,
        conditions: vec![
            "it is neither unique, sparse, partial nor TTL, has no collation of its own, and no \
             statement names it in a hint"
                .into(),
        ],
        proof: Proof::not_tried("not tried yet"),
    }
}
