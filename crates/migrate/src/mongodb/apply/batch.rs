//! Documents changed batch by batch in the order of `_id`. Each batch and the note of it are one
//! transaction where there are transactions; elsewhere only what may run twice comes here.

use bson::{Bson, Document, doc};
use marula_core::{Error, ErrorKind, Result};
use mongodb::options::Hint;

use super::pieces::{Batched, of_batch};
use super::run::Work;
use super::send::number;
use super::{history, lag, send};
use crate::apply::record::{Batch, Current, digest};

/// Runs a step batch by batch, from where it was left.
pub(super) async fn run(work: &Work<'_>, step: usize, batched: &Batched) -> Result<()> {
    let (ground, due) = (work.ground, work.due);
    let own = &due.steps()[step];
    let begun = work.begun(step).and_then(|current| current.batch.clone());
    let mut current = Current {
        step,
        digest: digest(own),
        text: own.text.clone(),
        before: Vec::new(),
        batch: Some(begun.unwrap_or_default()),
    };
    let title = format!("{}: command {}", due.migration.title(), step + 1);
    let total = total(work, batched).await;
    work.progress.step(&title);
    loop {
        let batch = current.batch.clone().unwrap_or_default();
        work.progress.advance(batch.seen.min(total), total);
        work.options.stop.check()?;
        lag::wait(ground, work.options.max_lag, &work.options.stop, work.progress, &title).await?;
        let after = batch.after.as_deref().map(read_key).transpose()?;
        let ids = next(work, batched, after.as_ref()).await?;
        let Some(last) = ids.last() else { break };
        let mut noted = current.clone();
        let command = of_batch(batched, &ids);
        let seen = batch.seen + ids.len() as u64;
        let mut made = Batch { after: Some(write_key(last)?), seen, rows: batch.rows };
        if ground.deployment.transactions {
            noted = send::together(ground, work.options, async |session| {
                let reply = send::inside(ground, session, &command).await?;
                made.rows = batch.rows + changed(&reply);
                let noted = Current { batch: Some(made.clone()), ..noted.clone() };
                history::current(ground, due, step, Some(&noted), Some(session)).await?;
                Ok(noted)
            })
            .await?;
        } else {
            let reply = send::alone(ground, &command).await?;
            made.rows += changed(&reply);
            noted.batch = Some(made);
            let wrote = history::current(ground, due, step, Some(&noted), None).await;
            history::plainly(ground, wrote)?;
        }
        current = noted;
        // A batch that is not full was the end: who waits until there is none at all runs after
        // those who insert for as long as they do.
        if (ids.len() as u64) < batched.size {
            break;
        }
        let pace = match batched.pace.is_zero() {
            true => work.options.pace,
            false => batched.pace,
        };
        if !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
    }
    let wrote = history::advance(ground, due, step..step + 1, work.is_last(step), None).await;
    history::plainly(ground, wrote)
}

/// How many documents a reply says were changed.
fn changed(reply: &Document) -> u64 {
    let key = if reply.contains_key("nModified") { "nModified" } else { "n" };
    u64::try_from(number(reply, key)).unwrap_or_default()
}

/// The ids of the next batch.
async fn next(work: &Work<'_>, batched: &Batched, after: Option<&Bson>) -> Result<Vec<Bson>> {
    let ground = work.ground;
    let map = |error| ground.session.map(error);
    // The greatest id there can be: nothing comes behind it, and no bound takes it in.
    if after == Some(&Bson::MaxKey) {
        return Ok(Vec::new());
    }
    let size = i64::try_from(batched.size).unwrap_or(i64::MAX).saturating_add(1);
    // Bounds of the index, not a comparison: ids of several types are in one order.
    let documents = ground.collection(&batched.collection);
    let mut find = documents
        .find(batched.filter.clone())
        .projection(doc! { "_id": 1 })
        .sort(doc! { "_id": 1 })
        .hint(Hint::Keys(doc! { "_id": 1 }))
        .limit(size);
    if let Some(after) = after {
        find = find.min(doc! { "_id": after.clone() });
    }
    if let Ok(collation) = batched.options.get_document("collation")
        && let Ok(collation) = bson::deserialize_from_document(collation.clone())
    {
        find = find.collation(collation);
    }
    let mut cursor = find.await.map_err(map)?;
    let mut ids = Vec::new();
    while cursor.advance().await.map_err(map)? {
        let document: Document = cursor.deserialize_current().map_err(map)?;
        let Some(id) = document.get("_id") else { continue };
        if after.is_none_or(|after| !same(after, id)) {
            ids.push(id.clone());
        }
    }
    if after.is_some() && (ids.len() as u64) < batched.size {
        let last = doc! { "$and": [batched.filter.clone(), { "_id": Bson::MaxKey }] };
        let greatest = documents.find_one(last).projection(doc! { "_id": 1 }).await.map_err(map)?;
        ids.extend(greatest.map(|_| Bson::MaxKey));
    }
    ids.truncate(usize::try_from(batched.size).unwrap_or(usize::MAX));
    Ok(ids)
}

/// Whether two ids are one: what is no number is not even equal to itself.
fn same(one: &Bson, other: &Bson) -> bool {
    let nan = |id: &Bson| matches!(id, Bson::Double(number) if number.is_nan());
    one == other || nan(one) && nan(other)
}

/// About how many documents match; 0 when that would take long to count.
async fn total(work: &Work<'_>, batched: &Batched) -> u64 {
    let documents = work.ground.collection(&batched.collection);
    let patience = std::time::Duration::from_secs(2);
    let counted = match batched.filter.is_empty() {
        true => documents.estimated_document_count().await,
        false => documents.count_documents(batched.filter.clone()).max_time(patience).await,
    };
    counted.unwrap_or_default()
}

pub(super) fn read_key(text: &str) -> Result<Bson> {
    let wrong = |what: String| {
        Error::new(ErrorKind::Internal, format!("the history holds no _id: {what}"))
            .at("marula.migrations")
    };
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    Bson::try_from(value).map_err(|error| wrong(error.to_string()))
}

fn write_key(id: &Bson) -> Result<String> {
    let text = serde_json::to_string(&id.clone().into_canonical_extjson());
    text.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_of_every_type_survive_the_history() {
        for id in [
            Bson::Int32(7),
            Bson::Int64(7),
            Bson::Double(0.5),
            Bson::String("a\"b".into()),
            Bson::ObjectId(bson::oid::ObjectId::from_bytes([7; 12])),
            Bson::DateTime(bson::DateTime::from_millis(-1)),
            Bson::Document(doc! { "a": 1, "b": [1_i64, "x"] }),
            Bson::Null,
        ] {
            assert_eq!(read_key(&write_key(&id).unwrap()).unwrap(), id);
        }
    }
}
