//! The catalogue against what the server counts and what was put in.

use bson::doc;
use marula_core::{CollectionKind, ErrorKind};
use marula_mongodb::catalog::{Scope, read};
use marula_mongodb::{run, shell};

#[tokio::test]
async fn the_catalogue_agrees_with_the_server_and_the_data() {
    for version in crate::support::VERSIONS {
        let place = crate::support::place(version).await;
        for text in [
            "db.customers.createIndex({name: 1}, {name: 'n', unique: true, collation: {locale: 'en', strength: 2}})",
            "db.orders.createIndex({at: 1}, {partialFilterExpression: {total: {$gt: 10}}, name: 'p'})",
            "db.orders.createIndex({'items.sku': 1}, {sparse: true, hidden: true})",
            "db.createCollection('log', {capped: true, size: 8192})",
        ] {
            run::apply(&place.lab, &shell::parse(text).unwrap()).await.unwrap();
        }
        place
            .lab
            .database()
            .run_command(doc! { "create": "paid", "viewOn": "orders",
            "pipeline": [{ "$match": { "status": "paid" } }] })
            .await
            .unwrap();
        if place.version.major >= 5 {
            place
                .lab
                .database()
                .run_command(doc! { "create": "ticks", "timeseries": { "timeField": "at" } })
                .await
                .unwrap();
        }
        let catalog = read(&place.target, Scope::All, Some(5_000)).await.unwrap();
        assert_eq!(catalog.notes, Vec::<String>::new());
        assert_eq!(catalog.database, place.spec.database().unwrap());
        let names: Vec<_> = catalog.collections.iter().map(|c| c.name.as_str()).collect();
        let expected: &[&str] = match place.version.major {
            4 => &["customers", "log", "orders", "paid"],
            _ => &["customers", "log", "orders", "paid", "ticks"],
        };
        assert_eq!(names, expected);

        let orders = catalog.find("orders").unwrap();
        let counted =
            place.lab.database().run_command(doc! { "collStats": "orders" }).await.unwrap();
        assert_eq!(orders.documents, 2_000);
        assert_eq!(orders.bytes as i64, marula_number(&counted, "size"));
        assert_eq!(orders.index_bytes as i64, marula_number(&counted, "totalIndexSize"));
        assert_eq!(orders.average_bytes as i64, marula_number(&counted, "avgObjSize"));
        let sizes: u64 = orders.indexes.iter().map(|index| index.bytes).sum();
        assert_eq!(sizes, orders.index_bytes);
        let index = |name: &str| orders.indexes.iter().find(|index| index.name == name).unwrap();
        assert!(index("_id_").unique);
        assert_eq!(index("status_1_at_-1").keys[1], ("at".to_string(), (-1).into()));
        let used = index("status_1_at_-1").accesses.unwrap();
        assert!(index("p").partial.is_some());
        assert!(index("items.sku_1").hidden && index("items.sku_1").sparse);
        let customers = catalog.find("customers").unwrap();
        assert!(
            customers.indexes.iter().any(|i| i.name == "n" && i.unique && i.collation.is_some())
        );
        assert_eq!(catalog.find("paid").unwrap().kind, CollectionKind::View);
        assert_eq!(catalog.find("log").unwrap().options["capped"], true);

        let schema = orders.schema.as_ref().unwrap();
        assert!(schema.complete);
        assert_eq!(schema.sampled, 2_000);
        let field = |path: &str| &schema.fields[path];
        assert_eq!(field("_id").types["int"], 2_000);
        assert_eq!(field("_id").distinct, 1_000, "counting stops there");
        assert_eq!(field("status").distinct, 3);
        assert_eq!(field("status").common_values[0], ("sent".into(), 1_000));
        assert_eq!(field("at").types["date"], 2_000);
        assert_eq!((field("note").null(), field("note").missing()), (200, 1_000));
        assert_eq!(field("items").array_length.unwrap().median, 2);
        assert_eq!(field("items[]").present, 4_000);
        assert_eq!(field("items[].sku").parents, 4_000);
        assert_eq!(field("items[].sku").distinct, 50);

        let find = shell::parse("db.orders.find({status: 'paid'})").unwrap();
        for _ in 0..3 {
            run::run(&place.target, &find, |_| Ok(())).await.unwrap();
        }
        let again =
            read(&place.target, Scope::Collections(&["orders".into()]), None).await.unwrap();
        let index =
            again.collections[0].indexes.iter().find(|i| i.name == "status_1_at_-1").unwrap();
        assert!(index.accesses.unwrap() >= used + 3, "{:?} after {used}", index.accesses);

        let sample =
            read(&place.target, Scope::Collections(&["orders".into()]), Some(100)).await.unwrap();
        let schema = sample.collections[0].schema.as_ref().unwrap();
        assert_eq!((schema.sampled, schema.complete), (100, false));

        let error =
            read(&place.target, Scope::Collections(&["ordres".into()]), None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.hints()[0].contains("orders"), "{error:?}");
    }
}

fn marula_number(document: &bson::Document, key: &str) -> i64 {
    match document.get(key) {
        Some(bson::Bson::Int32(n)) => i64::from(*n),
        Some(bson::Bson::Int64(n)) => *n,
        Some(bson::Bson::Double(n)) => *n as i64,
        other => panic!("{key}: {other:?}"),
    }
}
