//! What copies of collections need.

use bson::{Bson, Document, doc};

use super::{ENTRY, Need, PACKED, SAMPLE, Stats, counted, one, oplog_room};
use crate::mongodb::apply::Ground;

/// What `$out` writes, or `$merge` into what is not there yet.
pub(super) async fn of_pipeline(ground: &Ground, command: &Document) -> Option<Need> {
    let source = command.get_str("aggregate").ok()?;
    let stages: Vec<Document> = command
        .get_array("pipeline")
        .ok()?
        .iter()
        .map(|stage| stage.as_document().cloned())
        .collect::<Option<_>>()?;
    let (last, before) = stages.split_last()?;
    let text = |value: Option<&Bson>, key: &str| match value {
        Some(Bson::String(name)) => Some(name.clone()),
        Some(Bson::Document(to)) => to.get_str(key).ok().map(str::to_string),
        _ => None,
    };
    let into = match (last.get("$out"), last.get_document("$merge")) {
        (Some(out), _) => text(Some(out), "coll")?,
        (None, Ok(merge)) => {
            let into = text(merge.get("into"), "coll")?;
            let there = Stats::of(ground, None, &into).await.is_some_and(|there| there.count > 0.0);
            if there {
                return None;
            }
            into
        }
        _ => return None,
    };
    // One document in, at most one out: how many come and how large they are can be seen.
    let plain = [
        "$match",
        "$set",
        "$addFields",
        "$unset",
        "$project",
        "$replaceRoot",
        "$replaceWith",
        "$sort",
    ];
    let known = |stage: &Document| stage.keys().all(|name| plain.contains(&name.as_str()));
    if !before.iter().all(known) {
        return None;
    }
    let stats = Stats::of(ground, None, source).await.filter(|stats| stats.count > 0.0)?;
    let matched = matches!(before.first(), Some(stage) if stage.contains_key("$match"));
    let n = match (matched, before.iter().skip(1).any(|stage| stage.contains_key("$match"))) {
        (_, true) => return None,
        (false, false) => stats.count,
        (true, false) => {
            let filter = before.first()?.get_document("$match").ok()?.clone();
            counted(ground, source, filter).await?
        }
    };
    let mut look: Vec<Document> = before[..usize::from(matched)].to_vec();
    look.push(doc! { "$limit": SAMPLE });
    let rest = before[usize::from(matched)..].iter();
    look.extend(rest.filter(|stage| !stage.contains_key("$sort")).cloned());
    look.push(doc! { "$group": { "_id": Bson::Null, "n": { "$avg": { "$bsonSize": "$$ROOT" } } } });
    let size = one(ground, source, look).await?;
    let size = size.get_f64("n").ok()?;
    // Each inserted document is whole in the oplog.
    let oplog = (n * (size + ENTRY)).min(oplog_room(ground).await) * PACKED;
    let stays = n * (size * stats.packed() + 20.0) + oplog;
    let what =
        format!("writing {} documents of {source} to {into}", marula_core::grouped(n as u64));
    Some(Need { what, stays, passes: 0.0 })
}

/// Another database is another place: the collection and its indexes are copied.
pub(super) async fn of_rename(ground: &Ground, command: &Document) -> Option<Need> {
    let (from, name) = command.get_str("renameCollection").ok()?.split_once('.')?;
    let (to, _) = command.get_str("to").ok()?.split_once('.')?;
    if from == to {
        return None;
    }
    let stats = Stats::of(ground, Some(from), name).await?;
    let what = format!("the copy of {from}.{name} to {to} (a rename to another database is one)");
    let data = (stats.storage - stats.reusable).max(stats.size * stats.packed());
    Some(Need { what, stays: data + stats.indexes, passes: 0.0 })
}
