use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Decimal128, Document, Regex, Timestamp, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use marula_lab::bench::Bench as _;
use marula_lab::clone::Join;
use marula_mongodb::Session;

use crate::support::{mongo_copy, mongo_source};

/// One value of every BSON type a server stores.
fn everything(n: i32) -> Document {
    doc! {
        "_id": if n % 2 == 0 { Bson::Int32(n) } else { Bson::ObjectId(ObjectId::new()) },
        "double": f64::from(n) / 7.0, "nan": f64::NAN, "minus_zero": -0.0, "inf": f64::INFINITY,
        "text": format!("Zeile\n\t{n} ü"), "empty": "", "null": Bson::Null,
        "nested": { "b": n, "a": [n, [n, "x"], { "deep": { "er": n } }] }, "none": [],
        "int": n, "long": i64::from(n) << 40, "flag": n % 3 == 0,
        "decimal": "1234567890.123456789012345678901234".parse::<Decimal128>().unwrap(),
        "binary": Binary { subtype: BinarySubtype::Uuid, bytes: vec![n as u8; 16] },
        "at": bson::DateTime::from_millis(i64::from(n) * 86_400_000 - 1_000_000_000_000),
        "pattern": Regex { pattern: "^a.*".try_into().unwrap(), options: "i".try_into().unwrap() },
        "stamp": Timestamp { time: n as u32, increment: 7 },
        "min": Bson::MinKey, "max": Bson::MaxKey, "code": Bson::JavaScriptCode("x".into()),
        "a.b": 1, "tags": ["red", "green"], "place": { "type": "Point", "coordinates": [8.5, 47.4] },
    }
}

async fn run(session: &Session, command: Document) -> Document {
    session
        .database()
        .run_command(command.clone())
        .await
        .unwrap_or_else(|e| panic!("{command}: {e}"))
}

/// The server's own hash over all collections.
async fn hashes(session: &Session, names: &[&str]) -> Document {
    let reply = run(session, doc! { "dbHash": 1, "collections": names.to_vec() }).await;
    reply.get_document("collections").unwrap().clone()
}

async fn indexes(session: &Session, name: &str) -> Vec<Document> {
    let cursor = session.database().run_cursor_command(doc! { "listIndexes": name }).await.unwrap();
    cursor.try_collect().await.unwrap()
}

async fn options_of(session: &Session, name: &str) -> Document {
    let cursor = session
        .database()
        .run_cursor_command(doc! { "listCollections": 1, "filter": { "name": name } })
        .await
        .unwrap();
    let all: Vec<Document> = cursor.try_collect().await.unwrap();
    all[0].get_document("options").unwrap().clone()
}

async fn a_copy_equals_its_source(major: u16, minor: u16) {
    let source = mongo_source(major, minor).await;
    let all: Vec<Document> = (0..500).map(everything).collect();
    source.database().collection("everything").insert_many(all).await.unwrap();
    run(&source, doc! { "createIndexes": "everything", "indexes": [
        { "key": { "int": 1, "nested.a": -1 }, "name": "compound" },
        { "key": { "text": "text" }, "name": "words" },
        { "key": { "place": "2dsphere" }, "name": "place" },
        { "key": { "at": 1 }, "name": "ttl", "expireAfterSeconds": 10 },
        { "key": { "empty": "hashed" }, "name": "hashed" },
        { "key": { "long": 1 }, "name": "partial", "partialFilterExpression": { "flag": true } },
        { "key": { "decimal": 1 }, "name": "sparse", "sparse": true, "hidden": true },
        { "key": { "nested.$**": 1 }, "name": "wild" },
        { "key": { "tags": 1 }, "name": "collated", "collation": { "locale": "de", "strength": 2 } },
    ] }).await;
    run(
        &source,
        doc! { "create": "checked", "validator": { "n": { "$gt": 5 } },
        "collation": { "locale": "fr" } },
    )
    .await;
    run(
        &source,
        doc! { "createIndexes": "checked", "indexes": [
            { "key": { "n": 1 }, "name": "own" },
            { "key": { "n": 1 }, "name": "simple", "collation": { "locale": "simple" } },
        ] },
    )
    .await;
    let unchecked: Vec<Document> = (0..10).map(|n| doc! { "n": n }).collect();
    let checked = source.database().collection::<Document>("checked");
    checked.insert_many(unchecked).bypass_document_validation(true).await.unwrap();
    run(&source, doc! { "create": "ring", "capped": true, "size": 100_000, "max": 50 }).await;
    let ring: Vec<Document> = (0..120).map(|n| doc! { "n": n }).collect();
    source.database().collection("ring").insert_many(ring).await.unwrap();
    run(&source, doc! { "create": "seen", "viewOn": "everything", "pipeline": [
        { "$lookup": { "from": "checked", "localField": "int", "foreignField": "n", "as": "c" } },
        { "$project": { "int": 1, "c.n": 1 } },
    ] }).await;
    let timeseries = major >= 5;
    if timeseries {
        run(
            &source,
            doc! { "create": "readings", "timeseries": { "timeField": "t", "metaField": "m" } },
        )
        .await;
        let readings: Vec<Document> = (0..300)
            .map(|n| doc! { "t": bson::DateTime::from_millis(n * 1000), "m": { "s": n % 3 }, "v": n })
            .collect();
        source.database().collection("readings").insert_many(readings).await.unwrap();
    }

    let mut names = vec!["seen", "ring"];
    names.extend(timeseries.then_some("readings"));
    let bench = mongo_copy(&source, &names, Vec::new(), 1 << 30).await;
    assert_eq!(bench.notes(), [""; 0]);
    assert_eq!(bench.dataset().share, 1.0);
    let lab = bench.session();
    let stored = ["everything", "checked", "ring"];
    assert_eq!(hashes(lab, &stored).await, hashes(&source, &stored).await);
    for name in stored {
        assert_eq!(indexes(lab, name).await, indexes(&source, name).await, "{name}");
        assert_eq!(options_of(lab, name).await, options_of(&source, name).await, "{name}");
    }
    let count = async |session: &Session, name: &str| {
        session.database().collection::<Document>(name).count_documents(doc! {}).await.unwrap()
    };
    for name in names {
        assert_eq!(count(lab, name).await, count(&source, name).await, "{name}");
    }
    bench.close().await.unwrap();
}

#[tokio::test]
async fn a_copy_equals_its_source_on_6_0() {
    a_copy_equals_its_source(6, 0).await;
}

#[tokio::test]
async fn a_copy_equals_its_source_on_4_4() {
    a_copy_equals_its_source(4, 4).await;
}

#[tokio::test]
async fn every_document_of_a_sample_finds_what_it_looks_up() {
    let source = mongo_source(6, 0).await;
    let filler = "x".repeat(100);
    let orders: Vec<Document> = (0..8000)
        .map(|n| doc! { "customer": n % 3000, "items": [{ "sku": n % 700 }, { "sku": n % 901 }], "f": &filler })
        .collect();
    let customers: Vec<Document> = (0..3000).map(|n| doc! { "_id": n, "f": &filler }).collect();
    let stock: Vec<Document> = (0..3000).map(|n| doc! { "sku": n % 1000, "f": &filler }).collect();
    source.database().collection("orders").insert_many(orders).await.unwrap();
    source.database().collection("customers").insert_many(customers).await.unwrap();
    source.database().collection("stock").insert_many(stock).await.unwrap();
    let join = |left_column: &str, right: &str, right_column: &str| Join {
        left: "orders".into(),
        left_column: left_column.into(),
        right: right.into(),
        right_column: right_column.into(),
    };
    let joins = vec![join("customer", "customers", "_id"), join("items.sku", "stock", "sku")];
    let bench = mongo_copy(&source, &["orders", "customers", "stock"], joins, 300_000).await;
    let share = bench.dataset().share;
    assert!(share > 0.02 && share < 0.7, "{share}");
    // For each drawn order the lookups find as many documents as on the source.
    let pipeline = |ids: Option<Vec<Bson>>| {
        let mut stages = vec![
            doc! { "$lookup": { "from": "customers", "localField": "customer", "foreignField": "_id", "as": "c" } },
            doc! { "$lookup": { "from": "stock", "localField": "items.sku", "foreignField": "sku", "as": "s" } },
            doc! { "$project": { "c": { "$size": "$c" }, "s": { "$size": "$s" } } },
            doc! { "$sort": { "_id": 1 } },
        ];
        if let Some(ids) = ids {
            stages.insert(0, doc! { "$match": { "_id": { "$in": ids } } });
        }
        stages
    };
    let orders = |session: &Session| session.database().collection::<Document>("orders");
    let drawn: Vec<Document> = orders(bench.session())
        .aggregate(pipeline(None))
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert!(drawn.len() > 50, "{}", drawn.len());
    let ids = drawn.iter().map(|d| d.get("_id").unwrap().clone()).collect();
    let whole: Vec<Document> =
        orders(&source).aggregate(pipeline(Some(ids))).await.unwrap().try_collect().await.unwrap();
    assert_eq!(drawn, whole);
}
