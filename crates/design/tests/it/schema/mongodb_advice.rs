use bson::doc;
use marula_core::Version;
use marula_design::mongodb::schema::{DOCUMENT_LIMIT, SchemaOptions, advice, sizes};
use marula_design::structure::Placement;

use super::models::*;

#[test]
fn sizes_rule_out_what_does_not_fit() {
    let of = |case: &Case, name: &str| {
        let all = sizes(&case.model, &case.structure, &case.layout());
        all.into_iter().find(|size| size.store == name).unwrap()
    };
    let apart = of(&Case::of(SHOP), "orders");
    assert!(apart.fits() && apart.average > 60.0 && apart.average < 150.0, "{apart:?}");
    let within = of(&Case::of(SHOP).placed("order_lines", "orders", Placement::Embed), "orders");
    assert!(within.fits() && within.average > apart.average + 3.0 * 60.0, "{within:?}");
    assert!(within.p99 > apart.p99 + 20.0 * 60.0 && within.maximum.unwrap() > 100.0 * 60.0);
    // Nobody says how many reviews one product may have.
    let reviews = of(&Case::of(SHOP).placed("reviews", "products", Placement::Embed), "products");
    assert!(!reviews.fits());
    assert_eq!((reviews.maximum, reviews.unbounded), (None, vec!["reviews".to_owned()]));
    let mut large = Case::of(SHOP).placed("order_lines", "orders", Placement::Embed);
    large.model.relations[1].fanout.as_mut().unwrap().max = Some(1_000_000);
    let large = of(&large, "orders");
    assert!(!large.fits() && large.maximum.unwrap() > DOCUMENT_LIMIT);
}

/// A largest size that rests on a guess says so.
#[test]
fn what_no_limit_is_said_of_is_named_beside_the_largest_size() {
    let case = Case::of(SHOP);
    let said = |case: &Case| {
        let options = SchemaOptions::new(Version::new(6, 0, 0));
        let lines = advice(&case.model, &case.structure, &case.layout(), &options).to_lines();
        lines.into_iter().find(|line| line.starts_with("a document of customers")).unwrap()
    };
    let guess = "at most (the limit is 16 MB), if no name is longer than ten times the average";
    assert!(said(&case).contains(guess), "{}", said(&case));
    let mut limited = Case::of(SHOP);
    let customers = &mut limited.model.entities[0].attributes;
    customers.iter_mut().find(|a| a.name == "name").unwrap().max_length = Some(80);
    assert!(said(&limited).ends_with("at most (the limit is 16 MB)"), "{}", said(&limited));
}

/// What is said of a document's size is what the server says.
#[tokio::test(flavor = "multi_thread")]
async fn sizes_are_those_of_real_documents() {
    let case = Case::of(SHOP).placed("order_lines", "orders", Placement::Embed);
    let said = sizes(&case.model, &case.structure, &case.layout());
    let said = said.iter().find(|size| size.store == "orders").unwrap().average;
    let line = doc! {
        "line_no": 1_i64, "product_id": bson::Uuid::new(), "quantity": 2_i64,
        "unit_price": "1.50".parse::<bson::Decimal128>().unwrap(),
    };
    let order = doc! {
        "_id": 1_i64, "customer_id": 1_i64, "status": "paid", "placed_at": bson::DateTime::now(),
        "total": "1.50".parse::<bson::Decimal128>().unwrap(),
        "paid": "1.50".parse::<bson::Decimal128>().unwrap(),
        "lines": [line.clone(), line.clone(), line],
    };
    let real = order.to_vec().unwrap().len() as f64;
    assert!((said - real).abs() < real * 0.05, "{said} said, {real} real");
}

#[test]
fn patterns_and_shard_keys_are_named_with_what_they_rest_on() {
    let mut case = Case::of(SHOP).placed("order_lines", "orders", Placement::Embed).placed(
        "orders",
        "customers",
        Placement::Copy(vec!["name".into()]),
    );
    case.model.relations[1].fanout.as_mut().unwrap().max = Some(900);
    let advice = advice(
        &case.model,
        &case.structure,
        &case.layout(),
        &SchemaOptions::new(Version::new(6, 0, 0)),
    );
    let patterns: Vec<(&str, &str)> =
        advice.patterns.iter().map(|one| (one.name, one.place.as_str())).collect();
    assert_eq!(
        patterns,
        [
            ("extended reference", "orders.customer"),
            ("embedding", "orders.lines"),
            ("outlier", "orders.lines"),
            ("attribute", "products.details"),
            ("schema versioning", "every collection"),
        ]
    );
    let key = |store: &str| advice.shard_keys.iter().find(|one| one.store == store).unwrap();
    // Two of three reads of orders name the customer, and no customer has many.
    let orders = key("orders");
    assert_eq!(
        orders.to_shell("shop"),
        "sh.shardCollection(\"shop.orders\", { customer_id: 1, _id: 1 })"
    );
    assert!((orders.targeted - 2.0 / 3.0).abs() < 0.01 && !orders.monotonic, "{orders:?}");
    assert_eq!(orders.frequency, 2000.0 / 400_000.0);
    assert_eq!(key("customers").key, doc! { "_id": "hashed" });
    let sensors = Case::of(SENSORS);
    let of_sensors = marula_design::mongodb::schema::patterns(
        &sensors.model,
        &sensors.structure,
        &sensors.layout(),
        &SchemaOptions::new(Version::new(6, 0, 0)),
    );
    assert!(of_sensors.iter().any(|one| one.name == "time series" && one.place == "readings"));
    assert!(of_sensors.iter().any(|one| one.name == "archive"));
}
