//! The demo data: the same bytes for the same seed, the same content in both engines, and what
//! the module's documentation says of them.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use marula_core::{Engine, ErrorKind, Quiet};
use marula_lab::shared;
use marula_lab::shop::{Counts, Scale, TABLES, generate, load_mongodb, load_postgres};
use tokio::sync::OnceCell;

const SEED: u64 = 1;

fn scale() -> Scale {
    Scale::new(0.01).unwrap()
}

/// Loaded once for all tests: where, and what the loaders counted.
struct Loaded {
    postgres: (marula_postgres::ConnectSpec, Counts),
    mongodb: (marula_mongodb::ConnectSpec, Counts),
}

async fn loaded() -> &'static Loaded {
    static LOADED: OnceCell<Loaded> = OnceCell::const_new();
    LOADED
        .get_or_init(async || {
            let spec = shared::postgres(15).await.unwrap().create_database().await.unwrap();
            let counts = load_postgres(&postgres(&spec).await, scale(), SEED, &Quiet).await;
            let postgres = (spec, counts.unwrap());
            let spec = shared::mongodb(6, 0).await.unwrap().create_database().await.unwrap();
            let counts = load_mongodb(&mongodb(&spec).await, scale(), SEED, &Quiet).await;
            Loaded { postgres, mongodb: (spec, counts.unwrap()) }
        })
        .await
}

async fn postgres(spec: &marula_postgres::ConnectSpec) -> marula_postgres::Session {
    use marula_postgres::{Session, SessionOptions};
    Session::open(spec, &SessionOptions::lab()).await.unwrap()
}

async fn mongodb(spec: &marula_mongodb::ConnectSpec) -> marula_mongodb::Session {
    use marula_mongodb::{Session, SessionOptions};
    Session::open(spec, &SessionOptions::lab()).await.unwrap()
}

/// The one text column of a query.
async fn lines(sql: &str) -> Vec<String> {
    let session = postgres(&loaded().await.postgres.0).await;
    let rows = session.client().query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or_default()).collect()
}

/// The same of a collection: after `pipeline`, the values at `paths`, with `|` between.
async fn documents(collection: &str, pipeline: Vec<Document>, paths: &[&str]) -> Vec<String> {
    let session = mongodb(&loaded().await.mongodb.0).await;
    let found = session.database().collection::<Document>(collection);
    let cursor = found.aggregate(pipeline).await.unwrap();
    let found: Vec<Document> = cursor.try_collect().await.unwrap();
    let line = |document: &Document| {
        paths.iter().map(|path| shown(at(document, path))).collect::<Vec<_>>().join("|")
    };
    found.iter().map(line).collect()
}

fn at<'a>(document: &'a Document, path: &str) -> Option<&'a Bson> {
    match path.split_once('.') {
        None => document.get(path),
        Some((first, rest)) => at(document.get_document(first).ok()?, rest),
    }
}

/// A value as PostgreSQL shows it: dates in milliseconds, missing and null as nothing.
fn shown(value: Option<&Bson>) -> String {
    match value {
        None | Some(Bson::Null) => String::new(),
        Some(Bson::String(text)) => text.clone(),
        Some(Bson::DateTime(time)) => time.timestamp_millis().to_string(),
        Some(Bson::Binary(bytes)) => bytes.to_uuid().unwrap().to_string(),
        Some(Bson::Array(list)) => {
            list.iter().map(|value| shown(Some(value))).collect::<Vec<_>>().join(",")
        }
        Some(value) => value.to_string(),
    }
}

/// Compares whole tables, row by row.
async fn assert_same(sql: &str, collection: &str, pipeline: Vec<Document>, paths: &[&str]) {
    let rows = lines(sql).await;
    let documents = documents(collection, pipeline, paths).await;
    assert!(!rows.is_empty());
    assert_eq!(rows.len(), documents.len(), "{collection}");
    for (row, document) in rows.iter().zip(&documents) {
        assert_eq!(row, document, "{collection}");
    }
}

/// SQL for the milliseconds of a time.
fn ms(column: &str) -> String {
    format!("(extract(epoch FROM {column}) * 1000)::bigint")
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_good() {
    let digests = [Engine::Postgres, Engine::Mongodb].map(|engine| {
        let one = generate(engine, scale(), SEED, 1);
        assert_eq!(one, generate(engine, scale(), SEED, 3), "threads do not matter");
        let other = generate(engine, scale(), SEED + 1, 2);
        let differing = one.iter().zip(&other).filter(|(one, other)| one.digest != other.digest);
        assert_eq!(differing.count(), one.len() - 1, "all but the categories depend on the seed");
        let all = one.iter().fold(0u64, |all, table| all.rotate_left(7) ^ table.digest);
        format!("{all:016x}")
    });
    // When this fails on purpose, say in the changelog that the demo data changed.
    assert_eq!(digests, ["d614f701db18d447", "e001dc2017b417b3"]);
}

#[tokio::test]
async fn the_loaders_count_what_the_server_counts() {
    let loaded = loaded().await;
    let session = mongodb(&loaded.mongodb.0).await;
    for table in TABLES {
        let rows = loaded.postgres.1.get(table);
        assert_eq!(lines(&format!("SELECT count(*)::text FROM {table}")).await, [rows.to_string()]);
        if !matches!(table, "addresses" | "order_items") {
            assert_eq!(loaded.mongodb.1.get(table), rows, "{table}");
            let found = session.database().collection::<Document>(table);
            assert_eq!(found.count_documents(doc! {}).await.unwrap(), rows, "{table}");
        }
    }
    assert_eq!(loaded.postgres.1.get("orders"), 4000);
    assert!((9_500..10_500).contains(&loaded.postgres.1.get("order_items")));
    assert!((20_000..20_064).contains(&loaded.postgres.1.get("events")));
}

#[tokio::test]
async fn both_engines_hold_the_same_rows() {
    let by_id = || vec![doc! { "$sort": { "_id": 1 } }];
    let sql = format!(
        "SELECT concat(id, '|', email, '|', name, '|', phone, '|', newsletter::text, '|', {}, '|', \
         {}) FROM customers ORDER BY id",
        ms("birth_date::timestamp"),
        ms("last_login_at")
    );
    let paths = ["_id", "email", "name", "phone", "newsletter", "birth_date", "last_login_at"];
    assert_same(&sql, "customers", by_id(), &paths).await;

    let sql = "SELECT concat(id, '|', customer_id, '|', kind, '|', street, '|', city, '|', \
               country) FROM addresses ORDER BY id";
    let unwound = vec![doc! { "$unwind": "$addresses" }, doc! { "$sort": { "addresses.id": 1 } }];
    let paths = ["id", "kind", "street", "city", "country"].map(|name| format!("addresses.{name}"));
    let paths = [&paths[0], "_id", &paths[1], &paths[2], &paths[3], &paths[4]];
    assert_same(sql, "customers", unwound, &paths).await;

    let sql = "SELECT concat(id, '|', sku, '|', name, '|', price, '|', attributes ->> 'colour', \
               '|', attributes #>> '{dimensions,width_mm}', '|', array_to_string(tags, ',')) \
               FROM products ORDER BY id";
    let paths = "_id sku name price attributes.colour attributes.dimensions.width_mm tags";
    let paths: Vec<&str> = paths.split(' ').collect();
    assert_same(sql, "products", by_id(), &paths).await;

    let sql = format!(
        "SELECT concat(id, '|', customer_id, '|', shipping_address_id, '|', status, '|', coupon, \
         '|', total, '|', {}, '|', {}) FROM orders ORDER BY id",
        ms("created_at"),
        ms("shipped_at")
    );
    let paths = "_id customer_id shipping_address_id status coupon total created_at shipped_at";
    let paths: Vec<&str> = paths.split(' ').collect();
    assert_same(&sql, "orders", by_id(), &paths).await;

    let sql = "SELECT concat(id, '|', order_id, '|', product_id, '|', quantity, '|', unit_price) \
               FROM order_items ORDER BY id";
    let unwound = vec![doc! { "$unwind": "$items" }, doc! { "$sort": { "items.id": 1 } }];
    let paths = ["items.id", "_id", "items.product_id", "items.quantity", "items.unit_price"];
    assert_same(sql, "orders", unwound, &paths).await;

    let sql = "SELECT concat(id, '|', order_id, '|', status, '|', amount, '|', failure_code) \
               FROM payments ORDER BY id";
    let paths = ["_id", "order_id", "status", "amount", "failure_code"];
    assert_same(sql, "payments", by_id(), &paths).await;

    let sql = "SELECT concat(id, '|', product_id, '|', customer_id, '|', order_id, '|', rating, \
               '|', title, '|', body) FROM reviews ORDER BY id";
    let paths = ["_id", "product_id", "customer_id", "order_id", "rating", "title", "body"];
    assert_same(sql, "reviews", by_id(), &paths).await;

    let sql = format!(
        "SELECT concat(id, '|', type, '|', session_id, '|', customer_id, '|', product_id, '|', \
         {}, '|', payload #>> '{{device,os}}', '|', payload #>> '{{cart,value}}', '|', \
         payload #>> '{{order,id}}') FROM events ORDER BY id",
        ms("created_at")
    );
    let paths = "_id type session_id customer_id product_id created_at payload.device.os \
                 payload.cart.value payload.order.id";
    let paths: Vec<&str> = paths.split_whitespace().collect();
    assert_same(&sql, "events", by_id(), &paths).await;
}

#[tokio::test]
async fn both_engines_agree_about_every_customer() {
    let sql = "SELECT concat(customer_id, '|', count(*), '|', sum(total)) FROM orders \
               GROUP BY customer_id ORDER BY customer_id";
    let group = doc! { "$group": {
        "_id": "$customer_id", "orders": { "$sum": 1 }, "total": { "$sum": "$total" }
    } };
    let pipeline = vec![group, doc! { "$sort": { "_id": 1 } }];
    assert_same(sql, "orders", pipeline, &["_id", "orders", "total"]).await;
}

#[tokio::test]
async fn some_have_no_telephone_and_of_others_nobody_knows() {
    let nulls = lines("SELECT count(*)::text FROM customers WHERE phone IS NULL").await;
    let session = mongodb(&loaded().await.mongodb.0).await;
    let customers = session.database().collection::<Document>("customers");
    let null = customers.count_documents(doc! { "phone": { "$type": "null" } }).await.unwrap();
    let missing = customers.count_documents(doc! { "phone": { "$exists": false } }).await.unwrap();
    assert!(null > 100 && missing > 100, "{null} null, {missing} missing");
    assert_eq!(nulls, [(null + missing).to_string()]);
}

#[tokio::test]
async fn money_adds_up() {
    let wrong = "SELECT o.id::text FROM orders o WHERE total <> \
                 (SELECT sum(quantity * unit_price) FROM order_items WHERE order_id = o.id)";
    assert_eq!(lines(wrong).await, Vec::<String>::new());
    let unpaid = "SELECT o.id::text FROM orders o LEFT JOIN payments p \
                  ON p.order_id = o.id AND p.status IN ('captured', 'refunded') GROUP BY o.id \
                  HAVING coalesce(sum(amount), 0) <> CASE WHEN o.status IN \
                  ('delivered', 'shipped', 'processing') THEN o.total ELSE 0 END";
    assert_eq!(lines(unpaid).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_reference_finds_its_row() {
    for (table, column, parent) in [
        ("addresses", "customer_id", "customers"),
        ("categories", "parent_id", "categories"),
        ("products", "category_id", "categories"),
        ("orders", "customer_id", "customers"),
        ("orders", "shipping_address_id", "addresses"),
        ("order_items", "order_id", "orders"),
        ("order_items", "product_id", "products"),
        ("payments", "order_id", "orders"),
        ("reviews", "product_id", "products"),
        ("reviews", "customer_id", "customers"),
        ("reviews", "order_id", "orders"),
        ("events", "customer_id", "customers"),
        ("events", "product_id", "products"),
        ("events", "(payload #>> '{order,id}')::bigint", "orders"),
    ] {
        let lost = format!(
            "SELECT t.id::text FROM {table} t WHERE {column} IS NOT NULL \
             AND {column} NOT IN (SELECT id FROM {parent}) LIMIT 1"
        );
        assert_eq!(lines(&lost).await, Vec::<String>::new(), "{table}.{column}");
    }
    let stranger = "SELECT r.id::text FROM reviews r WHERE NOT EXISTS (SELECT FROM orders o \
                    JOIN order_items i ON i.order_id = o.id WHERE o.id = r.order_id \
                    AND o.customer_id = r.customer_id AND i.product_id = r.product_id)";
    assert_eq!(lines(stranger).await, Vec::<String>::new());
}

#[tokio::test]
async fn time_runs_forward_and_ends_on_the_last_day() {
    for wrong in [
        "SELECT o.id::text FROM orders o JOIN customers c ON c.id = customer_id \
         WHERE o.created_at < c.created_at",
        "SELECT id::text FROM orders WHERE shipped_at < created_at OR delivered_at < shipped_at \
         OR greatest(created_at, shipped_at, delivered_at) >= '2026-10-01'",
        "SELECT r.id::text FROM reviews r JOIN orders o ON o.id = order_id \
         WHERE r.created_at < o.created_at OR r.created_at >= '2026-10-01'",
        "SELECT id::text FROM events WHERE created_at < '2023-09-30Z' \
         OR created_at >= '2026-10-01Z'",
        "SELECT e.id::text FROM events e JOIN orders o ON o.id = (payload #>> '{order,id}')::int \
         WHERE e.created_at AT TIME ZONE 'UTC' <> o.created_at OR e.customer_id <> o.customer_id",
    ] {
        assert_eq!(lines(&format!("{wrong} LIMIT 1")).await, Vec::<String>::new(), "{wrong}");
    }
}

#[tokio::test]
async fn few_products_and_customers_have_much() {
    // A tenth of the 200 products and 1,000 customers there are at this scale.
    for (of, table, tenth) in [("product_id", "order_items", 20), ("customer_id", "orders", 100)] {
        let top = format!(
            "SELECT (sum(n) FILTER (WHERE place <= {tenth}) / sum(n))::text FROM \
             (SELECT count(*) AS n, row_number() OVER (ORDER BY count(*) DESC) AS place \
             FROM {table} GROUP BY {of}) AS ranked"
        );
        let top: f64 = lines(&top).await[0].parse().unwrap();
        assert!((0.28..0.6).contains(&top), "a tenth of {of} have {top} of {table}");
    }
    let cities = "SELECT city FROM addresses GROUP BY city HAVING count(DISTINCT country) > 1";
    assert_eq!(lines(cities).await, Vec::<String>::new(), "a city decides the country");
    let delivered = "SELECT avg((status = 'delivered')::int)::text FROM orders";
    let delivered: f64 = lines(delivered).await[0].parse().unwrap();
    assert!((0.85..0.97).contains(&delivered), "{delivered}");
}

#[tokio::test]
async fn there_are_primary_keys_and_nothing_else() {
    let keys = "SELECT concat(conrelid::regclass, ' ', pg_get_constraintdef(oid)) \
                FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1";
    let mut expected = TABLES.map(|table| format!("{table} PRIMARY KEY (id)")).to_vec();
    expected.sort();
    assert_eq!(lines(keys).await, expected);
    let indexes = "SELECT count(*)::text FROM pg_indexes WHERE schemaname = 'public'";
    assert_eq!(lines(indexes).await, [TABLES.len().to_string()]);
    let unknown = "SELECT relname::text FROM pg_class WHERE relkind = 'r' \
                   AND relnamespace = 'public'::regnamespace AND reltuples < 0";
    assert_eq!(lines(unknown).await, Vec::<String>::new(), "all tables are analysed");
    let session = mongodb(&loaded().await.mongodb.0).await;
    for name in session.database().list_collection_names().await.unwrap() {
        let found = session.database().collection::<Document>(&name);
        assert_eq!(found.list_index_names().await.unwrap(), ["_id_"], "{name}");
    }
}

#[tokio::test]
async fn a_filled_database_is_refused_by_name() {
    let loaded = loaded().await;
    let session = postgres(&loaded.postgres.0).await;
    let refused = load_postgres(&session, scale(), SEED, &Quiet).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(refused.message().contains(session.database()), "{refused}");
    assert!(refused.message().contains("the table addresses"), "{refused}");
    // What an interrupted load leaves can be taken away as it is told.
    let told = refused.hints()[1].split_once(": ").unwrap().1;
    session.client().batch_execute(&format!("BEGIN; {told}")).await.unwrap();
    let left = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    let row = session.client().query_one(left, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
    session.client().batch_execute("ROLLBACK").await.unwrap();
    let session = mongodb(&loaded.mongodb.0).await;
    let refused = load_mongodb(&session, scale(), SEED, &Quiet).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(refused.message().contains(session.database().name()), "{refused}");
    assert!(refused.message().contains("the collection categories"), "{refused}");
}
