//! What a statement reads, as the storage engine counts it: for servers whose explain leaves out
//! what a `$lookup` reads inside (up to 4.4).

use bson::{Bson, Document, doc};
use marula_mongodb::Session;

use crate::mongodb::shape::number;

/// What every cursor on a table counts when it goes to a key or a document.
const CALLS: [&str; 4] = ["next calls", "prev calls", "search calls", "search near calls"];

/// How often cursors went to a document or a key of these collections since the server started.
/// `None` where the storage engine does not count. Views have nothing of their own to count.
pub(super) async fn calls(session: &Session, collections: &[String]) -> Option<u64> {
    let mut all = None;
    for name in collections {
        let ask = doc! {"collStats": name, "indexDetails": true};
        let Ok(stats) = session.database().run_command(ask).await else { continue };
        let indexes = stats.get_document("indexDetails").ok();
        let indexes = indexes.into_iter().flat_map(Document::values).filter_map(Bson::as_document);
        let own = stats.get_document("wiredTiger").ok();
        for table in own.into_iter().chain(indexes) {
            let Ok(cursor) = table.get_document("cursor") else { continue };
            let counted = CALLS.iter().filter_map(|call| number(cursor.get(call)));
            let counted = counted.filter_map(|calls| u64::try_from(calls).ok()).sum::<u64>();
            all = Some(all.unwrap_or(0_u64).saturating_add(counted));
        }
    }
    all
}
