//! Members that do not go to the end of the last bucket.

use bson::{Bson, DateTime, Document, doc};
use marula_mongodb::Session;
use mongodb::ClientSession;
use mongodb::error::{Error, Result};

use crate::mongodb::Append;
use crate::structure::Bucket;

/// Adds a member where the last bucket did not take it: begins the next one behind a full one, or
/// puts it among those of its time. The buckets stay one behind the other, and all but the last full.
pub(super) async fn append(
    session: &Session,
    transaction: &mut ClientSession,
    append: &Append,
) -> Result<()> {
    let buckets = session.database().collection::<Document>(&append.collection);
    let mut of_its_time = append.whose.clone();
    of_its_time.insert(Bucket::LAST, doc! { "$gte": append.at.clone() });
    let found = buckets
        .find_one(of_its_time)
        .sort(doc! { Bucket::LAST: 1 })
        .session(&mut *transaction)
        .await?;
    let Some(found) = found else {
        // Newer than all: the last bucket is full, or there is none.
        let next = bucket(append, vec![append.row.clone()]);
        return buckets.insert_one(next).session(&mut *transaction).await.map(drop);
    };
    let mut rows: Vec<Document> = found
        .get_array(Bucket::ROWS)
        .map(|rows| rows.iter().filter_map(|row| row.as_document().cloned()).collect())
        .unwrap_or_default();
    let own = moment(&append.row, &append.time);
    if append.unique && rows.iter().any(|row| moment(row, &append.time) == own) {
        return Err(Error::custom(format!("there is one of {:?} already: {}", own, append.whose)));
    }
    rows.push(append.row.clone());
    rows.sort_by_key(|row| moment(row, &append.time));
    let behind = split(&rows, append).map(|at| rows.split_off(at));
    let it = doc! { "_id": found.get("_id").cloned().unwrap_or(Bson::Null) };
    let change = doc! { "$set": bucket(append, rows) };
    buckets.update_one(it, change).session(&mut *transaction).await?;
    if let Some(rows) = behind {
        buckets.insert_one(bucket(append, rows)).session(&mut *transaction).await?;
    }
    Ok(())
}

/// Where a bucket with twice as many as it takes is cut in two: both full, and no moment in both.
fn split(rows: &[Document], append: &Append) -> Option<usize> {
    let count = append.count as usize;
    let moment = |at: usize| moment(&rows[at], &append.time);
    let most = rows.len().checked_sub(count)?;
    (count..=most).find(|&at| moment(at - 1) < moment(at))
}

fn bucket(append: &Append, rows: Vec<Document>) -> Document {
    let moment = |row: Option<&Document>| row.and_then(|row| row.get(&append.time)).cloned();
    let mut bucket = append.whose.clone();
    bucket.insert(Bucket::FIRST, moment(rows.first()).unwrap_or(Bson::Null));
    bucket.insert(Bucket::LAST, moment(rows.last()).unwrap_or(Bson::Null));
    bucket.insert(Bucket::COUNT, rows.len() as i64);
    bucket.insert(Bucket::ROWS, rows);
    bucket
}

fn moment(row: &Document, time: &str) -> Option<DateTime> {
    row.get_datetime(time).ok().copied()
}
