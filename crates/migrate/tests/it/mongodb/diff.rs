//! Differences of MongoDB databases: replayed there and back on real servers.

use std::path::PathBuf;

use marula_lab::shared;
use marula_migrate::mongodb::diff::{Difference, Source, diff};
use serde_json::{Value, json};

fn source(value: &Value) -> Source<'static> {
    Source::Declared(PathBuf::from("x.json"), json!({ "collections": value }).to_string())
}

fn french() -> Value {
    json!({ "locale": "fr", "strength": 1 })
}

const VERSIONS: [(u16, u16); 3] = [(4, 4), (5, 0), (6, 0)];

/// Whether a server of that version knows what is in a pair, and can change it.
fn is_for(version: (u16, u16), from: &Value, to: &Value) -> bool {
    let text = format!("{from} {to}");
    let says = |word: &str| text.contains(word);
    let new = says("clusteredIndex") || says("changeStreamPreAndPostImages") || says("capped");
    (version >= (5, 0) || !says("timeseries")) && (version >= (6, 0) || !new)
}

async fn led(version: (u16, u16), from: Value, to: Value) -> Difference {
    let server = shared::mongodb(version.0, version.1).await.unwrap();
    let found = diff(server, &source(&from), &source(&to)).await;
    let found = found
        .unwrap_or_else(|error| panic!("{version:?} {error} {:?}\n{from}\n{to}", error.hints()));
    assert!(found.remains.is_empty(), "{:?}\n{:?}", found.remains, found.text);
    let lost = found.notes.iter().any(|note| note.starts_with("after the way back"));
    assert!(!lost, "{:?}\n{:?}", found.notes, found.text);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_of_collections_is_led_over_and_back() {
    let schema = |field: &str| json!({ "$jsonSchema": { "required": [field] } });
    let pairs = [
        (json!({}), json!({ "users": {} })),
        (json!({ "users": {} }), json!({})),
        (
            json!({ "users": {} }),
            json!({ "users": { "indexes": [{ "key": { "email": 1 }, "unique": true }] } }),
        ),
        (
            json!({ "users": { "indexes": [{ "key": { "a": 1 } }, { "key": { "b": -1 } }] } }),
            json!({ "users": { "indexes": [{ "key": { "a": 1, "b": 1 } }, { "key": { "b": -1 }, "sparse": true }] } }),
        ),
        (
            json!({ "users": { "indexes": [{ "key": { "a": 1 } }] } }),
            json!({ "users": { "indexes": [{ "key": { "a": 1 }, "hidden": true }] } }),
        ),
        (
            json!({ "s": { "indexes": [{ "key": { "at": 1 }, "expireAfterSeconds": 60 }] } }),
            json!({ "s": { "indexes": [{ "key": { "at": 1 }, "expireAfterSeconds": 3600 }] } }),
        ),
        (
            json!({ "s": { "indexes": [{ "key": { "a": 1 }, "name": "old" }] } }),
            json!({ "s": { "indexes": [{ "key": { "a": 1 }, "name": "new" }] } }),
        ),
        (
            json!({ "s": {} }),
            json!({ "s": { "indexes": [
                { "key": { "t": "text", "u": "text" }, "weights": { "t": 5, "u": 1 }, "default_language": "german" },
                { "key": { "p": "2dsphere" } },
                { "key": { "h": "hashed" } },
                { "key": { "$**": 1 }, "wildcardProjection": { "x": 1 }, "name": "wild" },
                { "key": { "c": 1 }, "collation": { "locale": "de", "strength": 2 } },
                { "key": { "d": 1 }, "partialFilterExpression": { "d": { "$gt": 5 } } }
            ] } }),
        ),
        (json!({ "u": {} }), json!({ "u": { "validator": schema("a") } })),
        (json!({ "u": { "validator": schema("a") } }), json!({ "u": {} })),
        (
            json!({ "u": { "validator": schema("a") } }),
            json!({ "u": { "validator": schema("b"), "validationLevel": "moderate", "validationAction": "warn" } }),
        ),
        (
            json!({ "c": { "capped": true, "size": 4096 } }),
            json!({ "c": { "capped": true, "size": 8192, "max": 10 } }),
        ),
        (
            json!({}),
            json!({ "t": { "timeseries": { "timeField": "at", "metaField": "m", "granularity": "seconds" }, "expireAfterSeconds": 3600 } }),
        ),
        (
            json!({ "t": { "timeseries": { "timeField": "at", "granularity": "seconds" }, "expireAfterSeconds": 3600 } }),
            json!({ "t": { "timeseries": { "timeField": "at", "granularity": "seconds" }, "expireAfterSeconds": 7200 } }),
        ),
        (
            json!({}),
            json!({ "c": { "collation": { "locale": "fr" }, "indexes": [{ "key": { "a": 1 } }] } }),
        ),
        (json!({}), json!({ "k": { "clusteredIndex": { "key": { "_id": 1 }, "unique": true } } })),
        (
            json!({ "u": {} }),
            json!({ "u": { "changeStreamPreAndPostImages": { "enabled": true } } }),
        ),
        (
            json!({ "u": {} }),
            json!({ "u": {}, "v": { "viewOn": "u", "pipeline": [{ "$match": { "a": 1 } }] } }),
        ),
        (
            json!({ "u": {}, "v": { "viewOn": "u", "pipeline": [{ "$match": { "a": 1 } }] } }),
            json!({ "u": {}, "v": { "viewOn": "u", "pipeline": [{ "$match": { "a": 2 } }] } }),
        ),
        (json!({ "u": {}, "v": { "viewOn": "u", "pipeline": [] } }), json!({ "u": {} })),
        (json!({ "u": {}, "x": { "viewOn": "u", "pipeline": [] } }), json!({ "u": {}, "x": {} })),
        // The order of fields counts: in keys of indexes, in a $sort, in a document that is compared.
        (
            json!({ "o": { "indexes": [{ "key": { "a": 1, "b": 1 }, "name": "i" }] } }),
            json!({ "o": { "indexes": [{ "key": { "b": 1, "a": 1 }, "name": "i" }] } }),
        ),
        (
            json!({ "u": {}, "v": { "viewOn": "u", "pipeline": [{ "$sort": { "a": 1, "b": -1 } }] } }),
            json!({ "u": {}, "v": { "viewOn": "u", "pipeline": [{ "$sort": { "b": -1, "a": 1 } }] } }),
        ),
        (
            json!({ "u": { "validator": { "d": { "$eq": { "a": 1, "b": 1 } } } } }),
            json!({ "u": { "validator": { "d": { "$eq": { "b": 1, "a": 1 } } } } }),
        ),
        // The simple collation beside a collection's own.
        (
            json!({ "f": { "collation": french(), "indexes": [
                { "key": { "a": 1 }, "unique": true, "collation": { "locale": "simple" } },
            ] } }),
            json!({ "f": { "collation": french(), "indexes": [{ "key": { "a": 1 }, "unique": true }] } }),
        ),
        (
            json!({ "f": { "collation": french(), "indexes": [
                { "key": { "a": 1 } },
                { "key": { "a": 1 }, "name": "s", "collation": { "locale": "simple" } },
            ] } }),
            json!({}),
        ),
        // An index takes the keys of one that goes, or of one that gets others.
        (
            json!({ "s": { "indexes": [{ "key": { "x": 1 }, "name": "a" }, { "key": { "y": 1 }, "name": "b" }] } }),
            json!({ "s": { "indexes": [{ "key": { "y": 1 }, "name": "a" }] } }),
        ),
        (
            json!({ "s": { "indexes": [{ "key": { "t": "text" }, "name": "a" }] } }),
            json!({ "s": { "indexes": [{ "key": { "u": "text", "p": 1 }, "name": "b" }] } }),
        ),
    ];
    for version in VERSIONS {
        let mut count = 0;
        for (from, to) in pairs.iter().filter(|(from, to)| is_for(version, from, to)) {
            count += 1;
            let found = led(version, from.clone(), to.clone()).await;
            assert!(found.text.is_some() && !found.outline.is_empty(), "{from} {to}");
            let same = led(version, to.clone(), to.clone()).await;
            assert!(same.text.is_none(), "{:?}", same.text);
        }
        println!("{count} pairs on {version:?}");
        assert!(count >= 15, "{count}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_server_cannot_change_is_said_and_remains() {
    let capped = |size: u32, max: u32| json!({ "c": { "capped": true, "size": size, "max": max } });
    for version in [(4, 4), (5, 0)] {
        let server = shared::mongodb(version.0, version.1).await.unwrap();
        let found = diff(server, &source(&capped(4096, 9)), &source(&capped(8192, 10))).await;
        let found = found.unwrap();
        for (note, key) in found.notes.iter().zip(["max", "size"]) {
            let said = format!("the {key} of collection c cannot be changed before 6.0");
            assert!(note.starts_with(&said), "{version:?}: {note}");
        }
        assert_eq!((found.notes.len(), found.remains.len()), (2, 2), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_made_capped_keeps_its_indexes_and_what_is_lost_is_named() {
    let plain = json!({ "g": { "indexes": [{ "key": { "p": 1 } }, { "key": { "q": 1 } }] } });
    let capped = json!({ "g": { "capped": true, "size": 4096, "indexes": [
        { "key": { "p": 1 } }, { "key": { "r": 1 } },
    ] } });
    let server = shared::mongodb(6, 0).await.unwrap();
    let found = diff(server, &source(&plain), &source(&capped)).await.unwrap();
    assert!(found.remains.is_empty(), "{found:?}");
    let lines: Vec<String> =
        found.outline.iter().map(|(sign, what)| format!("{sign} {what}")).collect();
    for line in ["~ index p_1 of g (built anew)", "+ index r_1 of g", "- index q_1 of g"] {
        assert!(lines.iter().any(|own| own == line), "{lines:?}");
    }
    assert!(found.destroys[0].contains("do not fit its size"), "{found:?}");
    let view = json!({ "u": {}, "g": { "viewOn": "u", "pipeline": [] } });
    let found = led((6, 0), json!({ "u": {}, "g": {} }), view).await;
    assert_eq!(found.destroys, ["collection g is dropped with its documents"]);
    let empty = "the way back makes collection g empty: its documents are gone";
    assert!(found.notes.iter().any(|note| note == empty), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_way_in_place_is_said_and_remains() {
    let server = shared::mongodb(6, 0).await.unwrap();
    let (from, to) = (json!({ "c": {} }), json!({ "c": { "collation": { "locale": "fr" } } }));
    let found = diff(server, &source(&from), &source(&to)).await.unwrap();
    assert!(found.notes[0].contains("collation of collection c cannot be changed"), "{found:?}");
    assert!(!found.remains.is_empty());
    let capped = json!({ "c": { "capped": true, "size": 4096 } });
    let found = diff(server, &source(&capped), &source(&from)).await.unwrap();
    assert!(found.notes[0].contains("capped of collection c cannot be changed"), "{found:?}");
    assert!(!found.remains.is_empty());
    let wrong = Source::Declared(
        PathBuf::from("x.json"),
        r#"{"collections": {"a": {"indexes": 3}}}"#.into(),
    );
    let error = diff(server, &Source::Empty, &wrong).await.unwrap_err();
    assert!(error.message().contains("indexes of a are no list"), "{error}");
}
