//! What the server says of itself: how long it counts, how large its cache is, what is sharded.

use bson::{Bson, Document, doc};
use marula_mongodb::Session;

use super::hide::Counted;
use crate::mongodb::shape::number;

/// What is known of the server.
pub(super) struct Server {
    /// For its counters of use.
    pub counted: Counted,
    /// The size of its cache in bytes, when it may be asked.
    pub cache: Option<u64>,
}

/// Asks the server; what it does not say is not known.
pub(super) async fn ask(session: &Session) -> Server {
    let status = session.database().run_command(doc! {"serverStatus": 1}).await.ok();
    let status = status.as_ref();
    let uptime = status.and_then(|status| number(status.get("uptime")));
    let member = status.is_some_and(|status| status.contains_key("repl"));
    let cache = status
        .and_then(|status| status.get_document("wiredTiger").ok())
        .and_then(|engine| engine.get_document("cache").ok())
        .and_then(|cache| number(cache.get("maximum bytes configured")))
        .and_then(|bytes| u64::try_from(bytes).ok());
    Server {
        counted: Counted {
            uptime: uptime.map(|seconds| seconds as f64),
            member,
            shard_keys: shard_keys(session).await,
        },
        cache,
    }
}

/// The keys this database's collections are sharded by; none where that may not be seen.
async fn shard_keys(session: &Session) -> Vec<(String, Vec<String>)> {
    let prefix = format!("{}.", session.database().name());
    let config = session.client().database("config");
    let collections = config.collection::<Document>("collections");
    let mut found = Vec::new();
    let Ok(mut cursor) = collections.find(doc! {}).await else { return found };
    while cursor.advance().await.unwrap_or(false) {
        let Ok(about) = cursor.deserialize_current() else { continue };
        let name = about.get_str("_id").ok().and_then(|name| name.strip_prefix(&prefix));
        if let (Some(name), Ok(key)) = (name, about.get_document("key"))
            && about.get("dropped") != Some(&Bson::Boolean(true))
        {
            found.push((name.to_string(), key.keys().map(|path| path.to_string()).collect()));
        }
    }
    found
}
