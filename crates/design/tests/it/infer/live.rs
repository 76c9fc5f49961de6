use marula_core::Quiet;
use marula_design::infer::read::{Limits, mongodb, postgres};
use marula_postgres::SessionOptions;

use super::{entity, inferred, read_again};

#[tokio::test]
async fn a_postgresql_database_is_read_as_it_stands() {
    let server = marula_lab::shared::postgres(15).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let lab = marula_postgres::Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    lab.client()
        .batch_execute(
            "CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL, tags jsonb);
             CREATE TABLE visits (at timestamptz, customer_id bigint, city text, country text);
             INSERT INTO customers SELECT n, 'C' || n, '[\"x\", \"y\"]' FROM generate_series(1, 40) n;
             INSERT INTO visits SELECT '2026-01-01'::timestamptz + n * interval '1 hour', 1 + n % 40,
               'City ' || n % 9, 'Country ' || n % 9 / 3 FROM generate_series(1, 900) n;
             ANALYZE",
        )
        .await
        .unwrap();
    let timeout = std::time::Duration::from_secs(60);
    let options = SessionOptions::read_only(timeout);
    let session = marula_postgres::Session::open(&spec, &options).await.unwrap();
    let reads = postgres(&session, Limits::default(), &Quiet).await.unwrap();
    let inferred = inferred(reads, true).await;
    let model = read_again(&inferred);
    assert_eq!(entity(&model, "customers").key(), ["id"]);
    assert_eq!(entity(&model, "cities").rows.0, 9, "{model:#?}");
    let refers =
        |from: &str, to: &str| model.relations.iter().any(|r| r.from == from && r.to == to);
    assert!(refers("visits", "customers") && refers("visits", "cities"));
    assert!(refers("customers_tags", "customers"));
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);

    let few = Limits { rows: 100, ..Limits::default() };
    let reads = postgres(&session, few, &Quiet).await.unwrap();
    let visits = reads.iter().find(|read| read.source.name == "public.visits").unwrap();
    assert_eq!(visits.source.of, Some(900));
    assert!(
        visits.source.kept <= 100 && visits.source.how.contains("sample"),
        "{:?}",
        visits.source
    );
}

#[tokio::test]
async fn a_mongodb_database_is_read_as_it_stands() {
    let server = marula_lab::shared::mongodb(6, 0).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let options = marula_mongodb::SessionOptions::lab();
    let lab = marula_mongodb::Session::open(&spec, &options).await.unwrap();
    let products = lab.database().collection::<bson::Document>("products");
    let all = (0..50_i32)
        .map(|n| bson::doc! {"_id": n, "name": format!("P{n}"), "price": 1.5 * f64::from(n)});
    products.insert_many(all).await.unwrap();
    let orders = lab.database().collection::<bson::Document>("orders");
    let all = (0..300_i32).map(|n| {
        let lines: Vec<bson::Document> =
            (0..1 + n % 3).map(|l| bson::doc! {"product_id": (n + l) % 50, "n": l}).collect();
        bson::doc! {"_id": bson::oid::ObjectId::new(), "at": bson::DateTime::now(), "lines": lines}
    });
    orders.insert_many(all).await.unwrap();
    let timeout = std::time::Duration::from_secs(60);
    let options = marula_mongodb::SessionOptions::read_only(timeout);
    let session = marula_mongodb::Session::open(&spec, &options).await.unwrap();
    let reads = mongodb(&session, Limits::default(), &Quiet).await.unwrap();
    let inferred = inferred(reads, true).await;
    let model = read_again(&inferred);
    let lines = model.relations.iter().find(|r| r.from == "orders_lines" && r.to == "products");
    assert_eq!(lines.unwrap().attributes, ["product_id"], "{model:#?}");
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
    let few = Limits { rows: 100, ..Limits::default() };
    let reads = mongodb(&session, few, &Quiet).await.unwrap();
    let orders = reads.iter().find(|read| read.source.name == "orders").unwrap();
    assert_eq!((orders.source.of, orders.source.kept), (Some(300), 100));
}
