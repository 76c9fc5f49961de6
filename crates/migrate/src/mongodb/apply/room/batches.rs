//! What documents need that are changed or deleted batch by batch.

use bson::{Bson, Document, doc};

use super::{ENTRY, Need, PACKED, SAMPLE, Stats, bytes, counted, one, oplog_room};
use crate::mongodb::apply::Ground;
use crate::mongodb::apply::data::stages_of;
use crate::mongodb::apply::pieces::Batched;

/// So many documents are changed between two checkpoints, at most: only then what was there before
/// can be written over.
const BETWEEN_CHECKPOINTS: f64 = 500_000.0;

/// Documents changed or deleted by `_id`.
pub(super) async fn need(ground: &Ground, batched: &Batched, after: Option<&Bson>) -> Option<Need> {
    let name = &batched.collection;
    let stats = Stats::of(ground, None, name).await.filter(|stats| stats.count > 0.0)?;
    let filter = match (after, batched.filter.is_empty()) {
        (None, _) => batched.filter.clone(),
        (Some(after), true) => doc! { "_id": { "$gt": after.clone() } },
        (Some(after), false) => {
            doc! { "$and": [{ "_id": { "$gt": after.clone() } }, batched.filter.clone()] }
        }
    };
    let n = match filter.is_empty() {
        true => stats.count,
        false => counted(ground, name, filter.clone()).await?,
    };
    let growth = match &batched.update {
        Some(update) => growth(ground, batched, &filter, update).await?,
        None => 0.0,
    };
    let packed = stats.packed();
    let between = n.min(BETWEEN_CHECKPOINTS);
    // Where there is an oplog it grows up to its limit; every change is in the journal until the
    // next checkpoint, and so is the new block beside the old one.
    let entry = ENTRY + growth.max(0.0);
    let oplog = (n * entry).min(oplog_room(ground).await) * PACKED;
    let rewritten = match batched.update {
        Some(_) => between * (stats.average() + growth) * packed,
        None => 0.0,
    };
    let stays = (n * growth.max(0.0) * packed - stats.reusable).max(0.0) + oplog;
    let verb = if batched.update.is_some() { "changing" } else { "deleting" };
    let by = match growth >= 1.0 {
        true => format!(" by about {} each", bytes(growth)),
        false => String::new(),
    };
    let what = format!("{verb} {} documents of {name}{by}", marula_core::grouped(n as u64));
    Some(Need { what, stays, passes: rewritten + between * entry * PACKED })
}

/// How many bytes a document grows by, on average.
async fn growth(
    ground: &Ground,
    batched: &Batched,
    filter: &Document,
    update: &Bson,
) -> Option<f64> {
    let Some(stages) = stages_of(update) else {
        // What cannot be played: what the operators hold is what they add.
        let operators = update.as_document()?;
        let held = ["$set", "$push", "$addToSet", "$setOnInsert"];
        let held: Document = operators
            .iter()
            .filter(|(operator, _)| held.contains(&operator.as_str()))
            .map(|(operator, fields)| (operator.clone(), fields.clone()))
            .collect();
        return Some(if held.is_empty() {
            0.0
        } else {
            bson::serialize_to_vec(&held).ok()?.len() as f64
        });
    };
    let some = doc! { "$match": filter.clone() };
    let limit = doc! { "$limit": SAMPLE };
    let size = doc! { "$group": { "_id": Bson::Null, "n": { "$avg": { "$bsonSize": "$$ROOT" } } } };
    let name = &batched.collection;
    let before = one(ground, name, vec![some.clone(), limit.clone(), size.clone()]).await?;
    let mut look = vec![some, limit];
    look.extend(stages);
    look.push(size);
    let then = one(ground, name, look).await?;
    Some(then.get_f64("n").ok()? - before.get_f64("n").ok()?)
}
