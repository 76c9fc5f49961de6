//! What the tests share: a database of some hundred documents on a server of each version.

use std::time::Duration;

use bson::{Document, doc};
use marula_core::Version;
use marula_lab::shared;
use marula_mongodb::{ConnectSpec, Session, SessionOptions};

pub const VERSIONS: [(u16, u16); 3] = [(4, 4), (5, 0), (6, 0)];

pub struct Place {
    pub version: Version,
    pub spec: ConnectSpec,
    /// Full rights.
    pub lab: Session,
    /// As a target is opened.
    pub target: Session,
}

/// A fresh database: 2,000 orders with two items each, 200 customers, an index on status and at.
pub async fn place(version: (u16, u16)) -> Place {
    let server = shared::mongodb(version.0, version.1).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let lab = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    let target =
        Session::open(&spec, &SessionOptions::read_only(Duration::from_secs(20))).await.unwrap();
    fill(&lab).await;
    Place { version: lab.version(), spec, lab, target }
}

async fn fill(session: &Session) {
    let database = session.database();
    let start = bson::DateTime::parse_rfc3339_str("2024-01-01T00:00:00Z").unwrap();
    let orders: Vec<Document> = (0..2_000)
        .map(|n: i32| {
            let mut order = doc! {
                "_id": n,
                "customer": n % 200,
                "status": (["new", "paid", "sent", "sent"][n as usize % 4]),
                "at": start.saturating_add_millis(i64::from(n) * 3_600_000),
                "total": f64::from(n % 97) * 1.5,
                "items": [
                    { "sku": format!("s{}", n % 50), "n": n % 5 },
                    { "sku": format!("s{}", n % 7), "n": 1 },
                ],
            };
            if n % 10 == 0 {
                order.insert("note", bson::Bson::Null);
            } else if n % 10 < 5 {
                order.insert("note", format!("note {n}"));
            }
            order
        })
        .collect();
    database.collection("orders").insert_many(orders).await.unwrap();
    let customers: Vec<Document> =
        (0..200).map(|n| doc! { "_id": n, "number": n, "name": format!("customer {n}") }).collect();
    database.collection("customers").insert_many(customers).await.unwrap();
    let command =
        marula_mongodb::shell::parse("db.orders.createIndex({status: 1, at: -1})").unwrap();
    marula_mongodb::run::apply(session, &command).await.unwrap();
}
