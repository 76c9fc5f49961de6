//! Which regular expressions are intervals of an index: our reading against the server's bounds.

use bson::{Bson, Document, doc};
use marula_mongodb::access::predicate::{Kind, regex_kind};

use crate::support::{VERSIONS, place};

const PATTERNS: [&str; 28] = [
    "abc",
    "^abc",
    "\\Aabc",
    "^\\/p",
    "^\\d",
    "^a|b",
    "^(a)",
    "^.",
    "^$",
    "^[a]",
    "^a*",
    "^ab*",
    "^a?b",
    "^a{2}",
    "^a+",
    "^ a",
    "^#a",
    "^\\.com",
    "^\\Qa.b\\E",
    "^\\Q\\E",
    "^é",
    "^*a",
    "^",
    "",
    "^\\\\a",
    "^a\\d",
    "^\\.*",
    "^\\é",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_is_an_interval_exactly_where_the_server_says_so() {
    let mut intervals = 0;
    for version in VERSIONS {
        let place = place(version).await;
        let database = place.lab.database();
        let index = doc! { "key": { "name": 1 }, "name": "name_1" };
        let create = doc! { "createIndexes": "customers", "indexes": [index] };
        database.run_command(create).await.unwrap();
        for pattern in PATTERNS {
            for options in ["", "i", "m", "s", "x", "ms"] {
                let filter = doc! { "name": { "$regex": pattern, "$options": options } };
                let find = doc! { "find": "customers", "filter": filter, "hint": "name_1" };
                let explain = doc! { "explain": find, "verbosity": "queryPlanner" };
                // Some are no regular expressions to the server.
                let Ok(explained) = database.run_command(explain).await else { continue };
                let bounds = bounds_of(&explained).expect("an index is hinted");
                let interval = !bounds.contains("[\"\", {})");
                let ours = regex_kind(pattern, options) == Kind::Range;
                assert_eq!(ours, interval, "{version:?} /{pattern}/{options}: {bounds}");
                intervals += usize::from(interval);
            }
        }
    }
    assert!(intervals > 50, "{intervals}");
}

/// The first `indexBounds` of an explain, as JSON.
fn bounds_of(explained: &Document) -> Option<String> {
    explained.iter().find_map(|(key, value)| match value {
        Bson::Document(bounds) if key == "indexBounds" => Some(bounds.to_string()),
        Bson::Document(below) => bounds_of(below),
        Bson::Array(parts) => parts.iter().filter_map(Bson::as_document).find_map(bounds_of),
        _ => None,
    })
}
