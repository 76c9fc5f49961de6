use bson::{Bson, doc};
use marula_core::{Engine, Quiet, Severity, Version};
use marula_design::ReviewOptions;
use marula_design::mongodb::schema::{SchemaOptions, commands, schema};
use marula_design::schema::{Schema, Stage};
use marula_design::structure::{Computed, Placement};
use marula_mongodb::{Session, SessionOptions, shell};

use super::models::*;
use crate::postgres::target;

pub const VERSIONS: [(u16, u16); 3] = [(4, 4), (5, 0), (6, 0)];

pub async fn fresh(version: (u16, u16)) -> Session {
    let server = marula_lab::shared::mongodb(version.0, version.1).await.unwrap();
    let spec = server.create_database().await.unwrap();
    Session::open(&spec, &SessionOptions::lab()).await.unwrap()
}

/// Runs one line of mongosh; the code of the error, 0 for none.
pub async fn run(session: &Session, text: &str) -> i32 {
    let command = shell::parse(text).unwrap_or_else(|error| panic!("{text}\n{error}")).to_command();
    match session.database().run_command(command).await {
        Ok(reply) => match reply.get_array("writeErrors").map(Vec::as_slice) {
            Ok([Bson::Document(first), ..]) => first.get_i32("code").unwrap(),
            _ => 0,
        },
        Err(error) => match *error.kind {
            mongodb::error::ErrorKind::Command(error) => error.code,
            other => panic!("{text}\n{other}"),
        },
    }
}

pub async fn count(session: &Session, collection: &str, filter: bson::Document) -> u64 {
    let collection = session.database().collection::<bson::Document>(collection);
    collection.count_documents(filter).await.unwrap()
}

pub fn drawn(case: &Case, version: Version) -> Schema {
    let options = SchemaOptions::new(version);
    schema(&case.model, &case.structure, &case.layout(), &case.wanted, &options)
}

/// Makes the schema, with `rows` between its stages, and tries commands: 0, or the code they are
/// to be refused with. Then the review looks at what there is.
async fn tried(case: &Case, rows: &[&str], statements: &[(&str, i32)]) -> Schema {
    let mut last = None;
    for version in VERSIONS {
        let session = fresh(version).await;
        let schema = drawn(case, session.version());
        for statement in schema.statements(Stage::BeforeLoading) {
            assert_eq!(run(&session, statement).await, 0, "{version:?} {statement}");
        }
        for row in rows {
            assert_eq!(run(&session, row).await, 0, "{version:?} {row}\n{}", schema.to_script());
        }
        for statement in schema.statements(Stage::AfterLoading) {
            assert_eq!(run(&session, statement).await, 0, "{version:?} {statement}");
        }
        let mut faults = Vec::new();
        for (statement, expected) in statements {
            let got = run(&session, statement).await;
            if got != *expected {
                faults.push(format!("{version:?} «{statement}»: {got}, not {expected}"));
            }
        }
        assert!(faults.is_empty(), "{}\n{}", faults.join("\n"), schema.to_script());
        assert_eq!(
            reviewed(&session).await,
            Vec::<String>::new(),
            "{version:?}\n{}",
            schema.to_script()
        );
        session.database().drop().await.unwrap();
        last = Some(schema);
    }
    last.unwrap()
}

/// What our own review has against it.
async fn reviewed(session: &Session) -> Vec<String> {
    let options = ReviewOptions { prove: false, ..ReviewOptions::default() };
    let target = target(Engine::Mongodb);
    let report = marula_design::mongodb::review(session, &target, &options, &Quiet).await.unwrap();
    let grave = report.findings.iter().filter(|one| one.severity >= Severity::Medium);
    grave.map(|one| format!("{}: {}", one.rule, one.title)).collect()
}

const INVALID: i32 = 121;
const UNIQUE: i32 = 11000;

const ANN: &str = "db.customers.insertOne({_id: Long(1), email: 'ann@example.org', name: 'Ann', country: 'DE', created_at: ISODate('2026-01-01T00:00:00Z')})";
const SHOE: &str = "db.products.insertOne({_id: UUID('00000000-0000-7000-8000-000000000001'), sku: 'A-1', title: 'Running shoes', price: NumberDecimal('59.90'), tags: ['red'], details: {colour: 'red', sizes: [1, 2]}})";

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_keeps_its_rules() {
    let case = Case::of(SHOP)
        .wanting("orders", &[("customer_id", false), ("placed_at", true)])
        .wanting("customers", &[("id", false), ("name", false)])
        .wanting("products", &[("details.colour", false)]);
    let order = |fields: &str| {
        format!(
            "db.orders.insertOne({{_id: 9, customer_id: 1, status: 'open', placed_at: new Date(0), total: NumberDecimal('5'){fields}}})"
        )
    };
    let customer = |fields: &str| {
        format!(
            "db.customers.insertOne({{_id: 9, name: 'B', country: 'DE', created_at: new Date(0){fields}}})"
        )
    };
    let review = |fields: &str| {
        format!(
            "db.reviews.insertOne({{product_id: UUID('00000000-0000-7000-8000-000000000001'), {fields}}})"
        )
    };
    let schema = tried(
        &case,
        &[ANN, SHOE],
        &[
            (&customer(", email: 'ann@example.org'"), UNIQUE),
            (&customer(""), INVALID),
            (&customer(&format!(", email: '{}'", "ä".repeat(321))), INVALID),
            (&customer(", email: 'b', nmae: 'B'"), INVALID),
            (&customer(&format!(", email: '{}', schema_version: 2", "ä".repeat(320))), 0),
            ("db.customers.updateOne({_id: 1}, {$set: {country: 'XX'}})", INVALID),
            ("db.customers.updateOne({_id: 1}, {$set: {created_at: '2026-01-01'}})", INVALID),
            ("db.products.updateOne({}, {$set: {price: NumberDecimal('0.09')}})", INVALID),
            ("db.products.updateOne({}, {$set: {price: NumberDecimal('0.1')}})", 0),
            ("db.products.updateOne({}, {$set: {price: 1.5}})", INVALID),
            ("db.products.updateOne({}, {$set: {tags: ['a', 'b', 'c', 'd', 'e', 'f']}})", INVALID),
            ("db.products.updateOne({}, {$set: {tags: [1]}})", INVALID),
            (&order(", paid: NumberDecimal('6')"), INVALID),
            (&order(", paid: null"), INVALID),
            (&order(", paid: NumberDecimal('5')"), 0),
            ("db.orders.updateOne({}, {$set: {status: 'lost'}})", INVALID),
            ("db.order_lines.insertOne({order_id: 1, line_no: 1, product_id: UUID('00000000-0000-7000-8000-000000000001'), quantity: 1, unit_price: NumberDecimal('1')})", 0),
            ("db.order_lines.insertOne({order_id: 1, line_no: 1, product_id: UUID('00000000-0000-7000-8000-000000000001'), quantity: 1, unit_price: NumberDecimal('1')})", UNIQUE),
            ("db.order_lines.insertOne({order_id: 1, line_no: 2, product_id: UUID('00000000-0000-7000-8000-000000000001'), quantity: 0, unit_price: NumberDecimal('1')})", INVALID),
            (&review("_id: 1, customer_id: 1, stars: 5"), 0),
            (&review("_id: 2, customer_id: 1, stars: 5"), UNIQUE),
            (&review("_id: 3, customer_id: 2, stars: 6"), INVALID),
            (&review("_id: 4, customer_id: 3, stars: 5, body: '123456789012345678901'"), INVALID),
            // Who is gone leaves the sku free.
            ("db.products.updateOne({}, {$set: {deleted_at: new Date(0)}})", 0),
            (&SHOE.replace("0001'", "0002'"), 0),
            (&SHOE.replace("0001'", "0003'"), UNIQUE),
        ],
    )
    .await;
    let script = schema.to_script();
    let names: Vec<&str> =
        schema.pieces.iter().filter_map(|piece| piece.object.strip_prefix("index ")).collect();
    assert_eq!(
        names,
        [
            "customers email_1",
            "products sku_1",
            "products details.colour_1",
            "products title_text",
            "orders customer_id_1_placed_at_-1",
            "order_lines order_id_1_line_no_1",
            "order_lines product_id_1",
            "reviews product_id_1_customer_id_1",
            "reviews customer_id_1",
            "reviews moderator_id_1",
        ],
        "{script}"
    );
    assert_eq!(commands(&schema).unwrap().len(), schema.pieces.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_within_a_document_keeps_its_rules_too() {
    let mut case = Case::of(SHOP)
        .placed("order_lines", "orders", Placement::Embed)
        .placed("orders", "customers", Placement::Copy(vec!["name".into()]))
        .wanting("orders", &[("lines.product_id", false), ("placed_at", true)]);
    case.model.entities[3].checks = vec!["unit_price * quantity < 10000 OR quantity = 1".into()];
    let at = case.model.relations.iter().position(|r| r.inverse.as_deref() == Some("reviews"));
    case.structure.computed.push(Computed {
        relation: at.unwrap(),
        function: marula_core::model::AggregateFunction::Count,
        attribute: None,
        name: "review_count".into(),
    });
    let order = |lines: &str| {
        format!(
            "db.orders.insertOne({{customer_id: 1, customer_name: 'Ann', status: 'open', placed_at: new Date(0), total: NumberDecimal('5'), _id: {}, lines: {lines}}})",
            lines.len()
        )
    };
    let line = |number: u32, quantity: u32, price: &str| {
        format!(
            "{{line_no: {number}, product_id: UUID('00000000-0000-7000-8000-000000000001'), quantity: {quantity}, unit_price: NumberDecimal('{price}')}}"
        )
    };
    let many: Vec<String> = (1..=101).map(|number| line(number, 1, "1")).collect();
    let schema = tried(
        &case,
        &[ANN, SHOE],
        &[
            (&order("[]"), 0),
            (&order(&format!("[{}, {}]", line(1, 2, "1"), line(2, 1, "1"))), 0),
            (&order(&format!("[{}, {}]", line(1, 2, "1"), line(1, 10, "1"))), INVALID),
            (&order(&format!("[{}]", line(1, 0, "1"))), INVALID),
            (&order(&format!("[{}]", line(1, 11, "1000"))), INVALID),
            (&order(&format!("[{}]", line(1, 1, "20000"))), 0),
            (&order("[{line_no: 1}]"), INVALID),
            (&order(&format!("[{}]", many.join(", "))), INVALID),
            (&order(&format!("[{}]", many[..100].join(", "))), 0),
            ("db.products.updateOne({}, {$inc: {review_count: 1}})", 0),
            ("db.products.updateOne({}, {$set: {review_count: 'many'}})", INVALID),
        ],
    )
    .await;
    let script = schema.to_script();
    assert!(
        script.contains("db.orders.createIndex({ \"lines.product_id\": 1, placed_at: -1 }"),
        "{script}"
    );
    assert!(schema.notes.iter().any(|note| {
        note.starts_with("orders.customer_name repeats customers.name; rename_customer also")
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_pairs_searches_and_bookings() {
    tried(
        &Case::of(SCHOOL),
        &["db.enrolments.insertOne({student_id: 1, course_id: 1, mark: NumberDecimal('1.3')})"],
        &[
            ("db.enrolments.insertOne({student_id: 1, course_id: 1})", UNIQUE),
            ("db.enrolments.insertOne({student_id: 1, course_id: 2, mark: NumberDecimal('6.1')})", INVALID),
            ("db.desks.insertOne({_id: 1, student_id: 1})", 0),
            ("db.desks.insertOne({_id: 2, student_id: 1})", UNIQUE),
            ("db.desks.insertOne({_id: 3})", INVALID),
        ],
    )
    .await;
    tried(
        &Case::of(TREE),
        &["db.categories.insertMany([{_id: 1, title: 'all'}, {_id: 2, parent_id: 1, title: 'books'}])"],
        &[("db.categories.insertOne({_id: 3, parent_id: 'x', title: 'lost'})", INVALID)],
    )
    .await;
    tried(
        &Case::of(LIBRARY),
        &["db.books.insertOne({_id: 1, title: 'Running shoes', author: 'Ann', shelf: 'S1', language: 'Klingon'})"],
        &[("db.books.find({$text: {$search: 'run'}})", 0)],
    )
    .await;
    let booking = |more: &str| {
        format!(
            "db.bookings.insertOne({{_id: UUID('00000000-0000-4000-8000-000000000001'), room_id: 1, guests: 2, {more}}})"
        )
    };
    let schema = tried(
        &Case::of(BOOKING),
        &["db.rooms.insertOne({_id: 1, place: {type: 'Point', coordinates: [13.4, 52.5]}, opens: '08:00:00', cleaning: Long(1800), photo: BinData(0, 'AAAA'), area: 20.5, closed: false})"],
        &[
            ("db.rooms.updateOne({}, {$set: {opens: '25:00'}})", INVALID),
            ("db.rooms.updateOne({}, {$set: {place: [13.4, 52.5]}})", INVALID),
            ("db.rooms.updateOne({}, {$set: {area: -1}})", INVALID),
            ("db.rooms.find({place: {$near: {$geometry: {type: 'Point', coordinates: [13, 52]}}}})", 0),
            (&booking("period: {from: new Date(0)}, colour: 'red'"), INVALID),
            (&booking("period: {from: 0}"), INVALID),
            (&booking("period: {from: new Date(0), to: new Date(1)}"), 0),
        ],
    )
    .await;
    assert!(
        schema
            .notes
            .iter()
            .any(|note| note.starts_with("no index keeps period of bookings from overlapping"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn measurements_go_into_time_series_where_the_server_has_them() {
    let case = Case::of(SENSORS);
    for version in VERSIONS {
        let session = fresh(version).await;
        let schema = drawn(&case, session.version());
        for statement in
            schema.statements(Stage::BeforeLoading).chain(schema.statements(Stage::AfterLoading))
        {
            assert_eq!(run(&session, statement).await, 0, "{version:?} {statement}");
        }
        assert_eq!(run(&session, "db.readings.insertMany([{_id: 1, sensor_id: 1, measured_at: new Date(), value: 1.5}, {_id: 2, sensor_id: 1, measured_at: new Date(), value: 2.5}])").await, 0);
        assert_eq!(count(&session, "readings", doc! { "sensor_id": 1 }).await, 2);
        let made = session
            .database()
            .run_command(doc! { "listCollections": 1, "filter": { "name": "readings" } })
            .await
            .unwrap();
        let first = made.get_document("cursor").unwrap().get_array("firstBatch").unwrap()[0]
            .as_document()
            .unwrap()
            .clone();
        let kind = first.get_str("type").unwrap();
        let script = flat(&schema.to_script());
        if version.0 < 5 {
            assert_eq!(kind, "collection");
            assert!(script.contains("the server has them from 5.0 on"), "{script}");
            assert!(script.contains("expireAfterSeconds: 7776000"), "{script}");
        } else {
            assert_eq!(kind, "timeseries", "{script}");
            let options = first.get_document("options").unwrap();
            assert_eq!(options.get("expireAfterSeconds").and_then(Bson::as_i64), Some(7_776_000));
            // A thousand sensors, ten measurements a second: one of each in 100 seconds.
            assert_eq!(
                options.get_document("timeseries").unwrap().get_str("granularity").unwrap(),
                "minutes"
            );
            assert!(!script.contains("db.readings.createIndex({ measured_at: 1 }"));
        }
        assert!(script.contains("db.alarms.createIndex({ raised_at: 1 }, { expireAfterSeconds: 2592000, name: \"raised_at_1\" })"), "{script}");
        assert_eq!(reviewed(&session).await, Vec::<String>::new());
        session.database().drop().await.unwrap();
    }
}

const LOCKERS: &str = "
name: lockers
entities:
  - name: people
    attributes: [{name: id, type: id}, {name: mail, type: text, required: true, unique: true}, {name: deleted_at, type: timestamp}]
    rows: 2k
  - name: lockers
    attributes: [{name: number, type: integer, required: true}, {name: person_id, type: id}]
    key: [number]
    rows: 1k
relations:
  - {from: lockers, attributes: [person_id], to: people, name: person, inverse: locker, fanout: {max: 1}}
";

/// Who may have one at most is found by the index that says so; beside it there is another only for
/// what is asked of those without, under a name of its own, where the server takes both.
#[tokio::test(flavor = "multi_thread")]
async fn one_index_on_the_same_keys_unless_both_are_needed() {
    let found = |name: &str, schema: &Schema| -> Vec<String> {
        let of_it = schema.pieces.iter().filter(|piece| piece.object.starts_with(name));
        of_it.map(|piece| piece.object.clone()).collect()
    };
    let case = Case::of(LOCKERS);
    let rows = ["db.lockers.insertMany([{_id: 1, person_id: NumberLong(1)}, {_id: 2}, {_id: 3}])"];
    let two = "db.lockers.insertOne({_id: 4, person_id: NumberLong(1)})";
    let schema = tried(&case, &rows, &[(two, 11_000)]).await;
    assert_eq!(found("index lockers", &schema), ["index lockers person_id_1"]);
    for version in VERSIONS {
        let session = fresh(version).await;
        for statement in drawn(&case, session.version()).statements(Stage::AfterLoading) {
            run(&session, statement).await;
        }
        let find = doc! { "find": "lockers", "filter": { "person_id": 1_i64 } };
        let plan = session.database().run_command(doc! { "explain": find }).await.unwrap();
        assert!(plan.to_string().contains("person_id_1"), "{version:?} {plan}");
    }

    let case =
        case.wanting("lockers", &[("person_id", false)]).wanting("people", &[("mail", false)]);
    let schema = tried(&case, &rows, &[(two, 11_000)]).await;
    let both = ["index lockers person_id_1", "index lockers person_id_1_all"];
    assert_eq!(found("index lockers", &schema), both);
    assert_eq!(found("index people", &schema), ["index people mail_1", "index people mail_1_all"]);
    let old = drawn(&case, Version::new(4, 4, 0));
    assert_eq!(found("index lockers", &old), ["index lockers person_id_1"]);
    assert!(old.notes.iter().any(|note| note.contains("(person_id) beside")), "{:?}", old.notes);
}

/// What comes along with what is new is written in one transaction, which no time-series collection
/// takes part in.
#[test]
fn measurements_that_come_along_are_no_time_series() {
    let mut case = Case::of(SENSORS);
    let script = |case: &Case| flat(&drawn(case, Version::new(6, 0, 0)).to_script());
    assert!(script(&case).contains("timeseries: {"));
    case.model.writes.push(marula_core::model::Write {
        name: "install".into(),
        entity: "sensors".into(),
        with: vec!["readings".into()],
        ..Default::default()
    });
    let script = script(&case);
    assert!(!script.contains("timeseries: {"), "{script}");
    assert!(script.contains("install writes them with their sensors"), "{script}");
}

/// A key of one attribute is stored as `_id`, which cannot be the moment of a time series.
#[test]
fn measurements_whose_moment_has_no_field_of_its_own_are_no_time_series() {
    let spoilt: [fn(&mut marula_core::model::Entity); 2] = [
        |readings| readings.key = vec!["measured_at".into()],
        |readings| readings.attributes[2].name = "\u{2028}\0".into(),
    ];
    for spoil in spoilt {
        let mut case = Case::of(SENSORS);
        spoil(&mut case.model.entities[1]);
        let schema = drawn(&case, Version::new(6, 0, 0));
        commands(&schema).unwrap();
        let script = flat(&schema.to_script());
        assert!(!script.contains("timeseries: {"), "{script}");
        assert!(script.contains("has a name that such a collection cannot take"), "{script}");
    }
}

const STAFF: &str = "
name: staff
entities:
  - name: staff
    key: [team, code]
    rows: 1k
    attributes:
      - {name: team, type: integer, required: true}
      - {name: code, type: text, required: true}
      - {name: badge, type: text, required: true, unique: true}
      - {name: deleted_at, type: timestamp}
      - {name: slot, type: timestamp_range}
      - {name: ages, type: number_range}
      - {name: begins, type: time}
";

/// A text beside a text is a text, whatever else the entity holds: that a moment is called `at` has
/// nothing to do with a status.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_with_a_text_holds_beside_moments() {
    let model = "
name: jobs
entities:
  - name: jobs
    rows: 100
    checks: [\"status <> 'done' OR fee IS NOT NULL\", \"at > '2026-01-01'\"]
    attributes:
      - {name: id, type: id}
      - {name: status, type: enumeration, required: true, values: [open, done]}
      - {name: fee, type: integer}
      - {name: at, type: timestamp, required: true}
";
    let put = |fields: &str| format!("db.jobs.insertOne({{{fields}, at: new Date(0)}})");
    let schema = tried(
        &Case::of(model),
        &[],
        &[
            (&put("_id: NumberLong(1), status: 'open'"), 0),
            (&put("_id: NumberLong(2), status: 'done', fee: NumberLong(3)"), 0),
            (&put("_id: NumberLong(3), status: 'done'"), INVALID),
        ],
    )
    .await;
    let left: Vec<&String> =
        schema.notes.iter().filter(|note| note.contains("left to the program")).collect();
    let [note] = left.as_slice() else { panic!("{:#?}", schema.notes) };
    assert!(note.contains("at > '2026-01-01'"), "{note}");
}

/// Who is marked as deleted keeps the key, as on PostgreSQL; what else is unique is free again.
/// Ranges begin before they end, and a day has 24 hours.
#[tokio::test(flavor = "multi_thread")]
async fn keys_outlive_a_mark_and_ranges_and_times_are_true() {
    let one = |code: &str, fields: &str| {
        format!("db.staff.insertOne({{team: 1, code: '{code}', badge: '{code}', {fields}}})")
    };
    let gone = "db.staff.insertOne({team: 1, code: 'a', badge: 'b', deleted_at: new Date(0)})";
    let free = "db.staff.insertOne({team: 1, code: 'z', badge: 'c'})";
    let rows = [one("a", ""), one("c", "deleted_at: new Date(0)")];
    let case = Case::of(STAFF);
    tried(
        &case,
        &rows.each_ref().map(String::as_str),
        &[
            (gone, 11_000),
            (free, 0),
            (&one("d", "slot: {from: new Date(5), to: new Date(2)}"), INVALID),
            (&one("d", "slot: {from: new Date(5), to: new Date(5)}"), INVALID),
            (&one("d", "ages: {from: 5, to: 2}"), INVALID),
            (&one("d", "ages: {from: 5}, slot: {from: new Date(2), to: new Date(5)}"), 0),
            (&one("e", "begins: '24:30'"), INVALID),
            (&one("e", r"begins: '10:00\n'"), INVALID),
            (&one("e", "begins: '24:00'"), 0),
            (&one("f", "begins: '23:59:59.5'"), 0),
        ],
    )
    .await;
    let session = fresh(VERSIONS[0]).await;
    let schema = drawn(&case, session.version());
    for statement in
        schema.statements(Stage::BeforeLoading).chain(schema.statements(Stage::AfterLoading))
    {
        run(&session, statement).await;
    }
    let find = doc! { "find": "staff", "filter": { "team": 1, "code": "a" } };
    let plan = session.database().run_command(doc! { "explain": find }).await.unwrap();
    assert!(plan.to_string().contains("team_1_code_1"), "{plan}");
}
