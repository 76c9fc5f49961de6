//! What the picked indexes cost those who write: documents are really inserted, changed and
//! removed on the copy, without and with them, in turn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use marula_core::{Result, WriteCost};
use marula_mongodb::{Operation, Session};

use super::query::Write;
use super::trial::Trial;

/// Documents of one batch.
const BATCH: usize = 200;
/// Batches of each kind on each side.
const ROUNDS: usize = 4;
/// Turns of both sides.
const TURNS: usize = 2;

/// Measures the workload's writes on the collections of `touched`.
pub(super) async fn writes(
    trial: &mut Trial<'_>,
    writes: &[Write],
    touched: &BTreeSet<String>,
    shown: &BTreeSet<usize>,
) -> Result<Vec<WriteCost>> {
    let mut found = Vec::new();
    // The same kind of write of a collection is measured once.
    let mut by_kind: BTreeMap<(&str, &'static str), (u64, &Write)> = BTreeMap::new();
    for write in writes.iter().filter(|write| touched.contains(&write.command.collection)) {
        let Some(kind) = kind(&write.command.operation) else { continue };
        let entry = by_kind.entry((&write.command.collection, kind)).or_insert((0, write));
        entry.0 += write.calls;
        if write.calls > entry.1.calls {
            entry.1 = write;
        }
    }
    for collection in touched {
        let kinds: Vec<(&'static str, u64, &Write)> = by_kind
            .iter()
            .filter(|((name, _), _)| name == collection)
            .map(|((_, kind), (calls, write))| (*kind, *calls, *write))
            .collect();
        if kinds.is_empty() || trial.options.stop.is_stopped() {
            continue;
        }
        trial.progress.step(&format!("measuring writes to {collection}"));
        let session = trial.bench.session().clone();
        let documents = sample(&session, collection).await.unwrap_or_default();
        if documents.is_empty() {
            continue;
        }
        // In turn and twice, so that a machine that gets busier or warmer shows on both sides.
        let mut before = vec![Vec::new(); kinds.len()];
        let mut after = vec![Vec::new(); kinds.len()];
        for _ in 0..TURNS {
            // A hidden index is written all the same: it has to be gone for this.
            trial.clear(collection).await?;
            rates(&session, collection, &kinds, &documents, &mut before).await;
            trial.show(shown).await?;
            rates(&session, collection, &kinds, &documents, &mut after).await;
        }
        for ((kind, calls, write), (before, after)) in
            kinds.into_iter().zip(before.iter().zip(&after))
        {
            if before.is_empty() || after.is_empty() {
                continue;
            }
            found.push(WriteCost {
                relation: collection.clone(),
                operation: kind.to_uppercase(),
                statement: write.command.to_shell(),
                calls,
                before_per_second: most(before),
                after_per_second: most(after),
                hot_before: None,
                hot_after: None,
            });
        }
    }
    trial.show(shown).await?;
    Ok(found)
}

/// The best of several rates: whatever else a machine does only makes it slower.
fn most(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(0.0, f64::max)
}

/// Adds what each kind of write comes to in documents a second, several times over.
async fn rates(
    session: &Session,
    collection: &str,
    kinds: &[(&'static str, u64, &Write)],
    documents: &[Document],
    found: &mut [Vec<f64>],
) {
    for round in 0..=ROUNDS {
        for ((kind, _, write), rates) in kinds.iter().zip(found.iter_mut()) {
            let rate = rate(session, collection, kind, write, documents).await;
            // The first round warms up.
            rates.extend(rate.filter(|_| round > 0));
        }
    }
}

fn kind(operation: &Operation) -> Option<&'static str> {
    match operation {
        Operation::Insert(_) => Some("insert"),
        Operation::Update(_) => Some("update"),
        Operation::Delete(_) => Some("delete"),
        Operation::FindAndModify(modify) if modify.update.is_none() => Some("delete"),
        Operation::FindAndModify(_) => Some("update"),
        _ => None,
    }
}

/// Some documents of a collection.
async fn sample(session: &Session, collection: &str) -> Option<Vec<Document>> {
    let pipeline = vec![doc! {"$sample": {"size": BATCH as i64}}];
    let source = session.database().collection::<Document>(collection);
    let mut cursor = source.aggregate(pipeline).await.ok()?;
    let mut found = Vec::new();
    while cursor.advance().await.ok()? {
        found.push(cursor.deserialize_current().ok()?);
    }
    Some(found)
}

/// Documents a second of one kind of write. What is inserted is taken out again.
async fn rate(
    session: &Session,
    collection: &str,
    kind: &str,
    write: &Write,
    documents: &[Document],
) -> Option<f64> {
    let target = session.database().collection::<Document>(collection);
    let fresh: Vec<Document> = documents
        .iter()
        .map(|document| {
            let mut copy = document.clone();
            copy.insert("_id", bson::oid::ObjectId::new());
            copy
        })
        .collect();
    let ids: Vec<Bson> = fresh.iter().filter_map(|document| document.get("_id").cloned()).collect();
    let mine = doc! {"_id": {"$in": ids}};
    let inserted = Instant::now();
    // Where an index forbids duplicates some copies do not go in: those that do are counted.
    let count = match target
        .insert_many(fresh.clone())
        .ordered(false)
        .bypass_document_validation(true)
        .await
    {
        Ok(done) => done.inserted_ids.len(),
        Err(_) => usize::try_from(target.count_documents(mine.clone()).await.ok()?).ok()?,
    };
    let inserting = inserted.elapsed();
    let per_second = |count: usize, time: Duration| {
        (count > 0).then(|| count as f64 / time.as_secs_f64().max(1e-6))
    };
    let rate = match kind {
        "insert" => per_second(count, inserting),
        "update" => {
            let update = update(&write.command.operation)?;
            let started = Instant::now();
            let mut changed = 0;
            for document in fresh.iter().take(BATCH / 2) {
                let id = document.get("_id").cloned()?;
                let one = doc! {"update": collection, "updates": [
                    {"q": {"_id": id}, "u": update.clone(), "multi": false},
                ]};
                changed += usize::from(session.database().run_command(one).await.is_ok());
            }
            per_second(changed, started.elapsed())
        }
        _ => {
            let started = Instant::now();
            let gone = target.delete_many(mine.clone()).await.ok()?;
            per_second(usize::try_from(gone.deleted_count).ok()?, started.elapsed())
        }
    };
    let _ = target.delete_many(mine).await;
    rate
}

fn update(operation: &Operation) -> Option<Bson> {
    match operation {
        Operation::Update(update) => Some(update.update.clone()),
        Operation::FindAndModify(modify) => modify.update.clone(),
        _ => None,
    }
}
