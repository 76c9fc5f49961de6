//! What a statement reads, as the storage engine counts it: for servers whose explain leaves out
//! what a `$lookup` reads inside (up to 4.4).

use bson::{Bson, Document, doc};
use marula_mongodb::Session;

use super::cost::{FETCHED, KEY};
use crate::mongodb::shape::number;

/// What the cursors on the tables of these collections did since the server started, in documents
/// read in passing (see `cost.rs`). `None` where the storage engine does not count. Views have
/// nothing of their own to count.
pub(super) async fn calls(session: &Session, collections: &[String]) -> Option<f64> {
    let mut all = None;
    for name in collections {
        let ask = doc! {"collStats": name, "indexDetails": true};
        let Ok(stats) = session.database().run_command(ask).await else { continue };
        let Ok(own) = stats.get_document("wiredTiger") else { continue };
        let mut counted = on(own, 1.0, FETCHED);
        let indexes = stats.get_document("indexDetails").ok();
        let indexes = indexes.into_iter().flat_map(Document::values).filter_map(Bson::as_document);
        counted += indexes.map(|index| on(index, KEY, KEY)).sum::<f64>();
        all = Some(all.unwrap_or(0.0) + counted);
    }
    all
}

/// What the cursors on a table did, where going on costs `next` and going to a place `search`.
fn on(table: &Document, next: f64, search: f64) -> f64 {
    let Ok(cursor) = table.get_document("cursor") else { return 0.0 };
    let count = |call: &str| number(cursor.get(call)).map_or(0.0, |calls| calls as f64);
    next * (count("next calls") + count("prev calls"))
        + search * (count("search calls") + count("search near calls"))
}
