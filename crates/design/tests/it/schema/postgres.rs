use marula_core::{Quiet, Severity};
use marula_design::ReviewOptions;
use marula_design::postgres::schema::{SchemaOptions, schema};
use marula_design::schema::{Schema, Stage};
use marula_design::structure::{Computed, Placement};
use marula_postgres::{ConnectSpec, Session, SessionOptions};

use super::models::*;
use crate::postgres::target;

pub const MAJORS: [u16; 2] = [15, 18];

pub async fn session(spec: &ConnectSpec) -> Session {
    Session::open(spec, &SessionOptions::lab()).await.unwrap()
}

pub async fn fresh(major: u16) -> (ConnectSpec, Session) {
    let server = marula_lab::shared::postgres(major).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let session = session(&spec).await;
    (spec, session)
}

pub async fn run(session: &Session, sql: &str) -> Result<(), String> {
    session.client().batch_execute(sql).await.map_err(|error| {
        // 18 has a code of its own for RESTRICT.
        error.code().map_or_else(|| error.to_string(), |code| code.code().replace("23001", FOREIGN))
    })
}

pub async fn drawn(case: &Case, session: &Session) -> Schema {
    let options = SchemaOptions::of(session).await.unwrap();
    schema(&case.model, &case.structure, &case.layout(), &case.wanted, &options)
}

/// Makes the schema on each server, the one without PostGIS last, with `rows` between its stages, and tries statements: none refuses, or the
/// SQLSTATE it is to be refused with. Then the review looks at what there is.
async fn tried(case: &Case, rows: &[&str], statements: &[(&str, &str)]) -> Schema {
    let mut last = None;
    for major in MAJORS {
        let (_, session) = fresh(major).await;
        let schema = drawn(case, &session).await;
        let mut faults = Vec::new();
        for statement in schema.statements(Stage::BeforeLoading) {
            run(&session, statement).await.unwrap_or_else(|e| panic!("{major} {e}\n{statement}"));
        }
        for row in rows {
            // A place is written as its column takes it: with PostGIS it is a geography.
            let row = match schema.to_script().contains("geography(Point") {
                true => row.replace("'(13.4,52.5)'", "'POINT(13.4 52.5)'"),
                false => (*row).to_owned(),
            };
            run(&session, &row).await.unwrap_or_else(|error| panic!("{major} {error}\n{row}"));
        }
        for statement in schema.statements(Stage::AfterLoading) {
            run(&session, statement).await.unwrap_or_else(|e| panic!("{major} {e}\n{statement}"));
        }
        for (statement, expected) in statements {
            let got = run(&session, statement).await.err().unwrap_or_default();
            if got != *expected {
                faults.push(format!("{major} «{statement}»: {got:?}, not {expected:?}"));
            }
        }
        assert!(faults.is_empty(), "{}\n{}", faults.join("\n"), schema.to_script());
        assert_eq!(
            reviewed(&session).await,
            Vec::<String>::new(),
            "{major}\n{}",
            schema.to_script()
        );
        last = Some(schema);
    }
    last.unwrap()
}

/// What our own review has against it.
pub async fn reviewed(session: &Session) -> Vec<String> {
    run(session, "ANALYZE").await.unwrap();
    let options = ReviewOptions { prove: false, ..ReviewOptions::default() };
    let target = target(marula_core::Engine::Postgres);
    let report = marula_design::postgres::review(session, &target, &options, &Quiet).await.unwrap();
    let grave = report.findings.iter().filter(|one| one.severity >= Severity::Medium);
    grave.map(|one| format!("{}: {}", one.rule, one.title)).collect()
}

pub const CHECK: &str = "23514";
const NULL: &str = "23502";
const UNIQUE: &str = "23505";
const FOREIGN: &str = "23503";
const EXCLUDED: &str = "23P01";
const ENOUGH_CUSTOMERS: &str = "INSERT INTO customers (id, email, name, country) SELECT i, 'u' || i || '@example.org', 'User ' || i, 'DE' FROM generate_series(1000, 3000) i";
const ENOUGH_ORDERS: &str = "INSERT INTO orders (id, customer_id, status, placed_at, total) SELECT i, i, 'open', now(), i FROM generate_series(1000, 3000) i";

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_keeps_its_rules() {
    let case = Case::of(SHOP)
        .wanting("orders", &[("customer_id", false), ("placed_at", true)])
        .wanting("orders", &[("customer_id", false)])
        .wanting("products", &[("tags", false)])
        .wanting("products", &[("details.colour", false)])
        .wanting("customers", &[("id", false), ("name", false)]);
    let a = "'00000000-0000-7000-8000-000000000001'";
    let rows = [
        "INSERT INTO customers (id, email, name, country) VALUES (1, 'ann@example.org', 'Ann', 'DE'), (2, 'bo@example.org', 'Bo', 'FI')",
        &format!(
            "INSERT INTO products (id, sku, title, price, tags) VALUES ({a}, 'A-1', 'Running shoes', 59.90, '{{red}}')"
        ),
        "INSERT INTO orders (id, customer_id, placed_at, total, paid) VALUES (1, 1, now(), 119.80, NULL)",
        &format!("INSERT INTO order_lines VALUES (1, 1, {a}, 2, 59.90)"),
        ENOUGH_CUSTOMERS,
        ENOUGH_ORDERS,
    ];
    let line = |values: &str| format!("INSERT INTO order_lines VALUES ({values})");
    let schema = tried(
        &case,
        &rows,
        &[
            ("INSERT INTO customers (email, name, country) VALUES ('ann@example.org', 'A', 'DE')", UNIQUE),
            ("INSERT INTO customers (email, name, country) VALUES (NULL, 'A', 'DE')", NULL),
            ("INSERT INTO customers (email, name, country) VALUES ('c', 'A', 'XX')", FOREIGN),
            (&format!("INSERT INTO customers (email, name, country) VALUES ('{}', 'A', 'DE')", "x".repeat(321)), CHECK),
            ("UPDATE products SET price = 0.09", CHECK),
            ("UPDATE products SET price = 0.1", ""),
            ("UPDATE products SET tags = '{a,b,c,d,e,f}'", CHECK),
            ("UPDATE orders SET status = 'lost'", CHECK),
            ("UPDATE orders SET paid = total + 1 WHERE id = 1", CHECK),
            ("UPDATE orders SET paid = total WHERE id = 1", ""),
            ("UPDATE orders SET customer_id = 99 WHERE id = 1", FOREIGN),
            (&line(&format!("1, 1, {a}, 1, 1")), UNIQUE),
            (&line(&format!("1, 2, {a}, 0, 1")), CHECK),
            (&line(&format!("9, 1, {a}, 1, 1")), FOREIGN),
            (&line("1, 2, '00000000-0000-7000-8000-000000000009', 1, 1"), FOREIGN),
            (&format!("INSERT INTO reviews (product_id, customer_id, stars, moderator_id) VALUES ({a}, 1, 5, 2)"), ""),
            (&format!("INSERT INTO reviews (product_id, customer_id, stars) VALUES ({a}, 1, 4)"), UNIQUE),
            (&format!("INSERT INTO reviews (product_id, customer_id, stars) VALUES ({a}, 2, 6)"), CHECK),
            (&format!("INSERT INTO reviews (product_id, customer_id, stars, body) VALUES ({a}, 2, 5, '123456789012345678901')"), CHECK),
            // A product that is sold cannot go; who is gone leaves the sku free.
            ("DELETE FROM products", FOREIGN),
            ("UPDATE products SET deleted_at = now()", ""),
            ("INSERT INTO products (id, sku, title, price) VALUES ('00000000-0000-7000-8000-000000000002', 'A-1', 'Shoes', 1)", ""),
            ("INSERT INTO products (id, sku, title, price) VALUES ('00000000-0000-7000-8000-000000000003', 'A-1', 'Shoes', 1)", UNIQUE),
            // The moderator may go, the review stays; the customer of an order may not.
            ("DELETE FROM customers WHERE id = 2", ""),
            ("DO $$ BEGIN ASSERT (SELECT moderator_id IS NULL FROM reviews WHERE customer_id = 1); END $$", ""),
            ("DELETE FROM customers WHERE id = 1", FOREIGN),
            // The lines go with their order.
            ("DELETE FROM orders WHERE id = 1", ""),
            ("DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM order_lines); END $$", ""),
            ("DO $$ BEGIN ASSERT EXISTS (SELECT FROM products WHERE to_tsvector('simple', title) @@ plainto_tsquery('simple', 'shoes')); END $$", ""),
        ],
    )
    .await;
    let script = schema.to_script();
    let indexes: Vec<&str> =
        script.lines().filter(|line| line.starts_with("CREATE INDEX")).collect();
    assert_eq!(
        indexes,
        [
            // Neither customers (id, name), which the key serves, nor customers by country twice.
            "CREATE INDEX customers_country_idx ON customers (country);",
            "CREATE INDEX products_tags_idx ON products USING gin (tags);",
            "CREATE INDEX products_details_idx ON products USING gin (details jsonb_path_ops);",
            "CREATE INDEX products_title_words_idx ON products USING gin (to_tsvector('simple', title));",
            "CREATE INDEX orders_customer_id_placed_at_idx ON orders (customer_id, placed_at DESC);",
            "CREATE INDEX order_lines_product_id_idx ON order_lines (product_id);",
            "CREATE INDEX reviews_customer_id_idx ON reviews (customer_id);",
            "CREATE INDEX reviews_moderator_id_idx ON reviews (moderator_id);",
        ],
        "{script}"
    );
    assert!(
        script.contains(
            "-- foreign key reviews → products: reviews live and die with their products"
        )
    );
    assert!(script.contains("COMMENT ON COLUMN customers.name IS 'the customer''s full name'"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_embedded_copied_and_computed_are_columns() {
    let mut case = Case::of(SHOP)
        .placed("order_lines", "orders", Placement::Embed)
        .placed("orders", "customers", Placement::Copy(vec!["name".into()]))
        .wanting("orders", &[("lines.product_id", false)]);
    let at = case.model.relations.iter().position(|r| r.inverse.as_deref() == Some("reviews"));
    case.structure.computed.push(Computed {
        relation: at.unwrap(),
        function: marula_core::model::AggregateFunction::Count,
        attribute: None,
        name: "review_count".into(),
    });
    let schema = tried(
        &case,
        &["INSERT INTO customers (id, email, name, country) VALUES (1, 'a', 'Ann', 'DE')"],
        &[
            ("INSERT INTO orders (id, customer_id, customer_name, placed_at, total, lines) VALUES (1, 1, 'Ann', now(), 1, '[{\"line_no\": 1, \"product_id\": \"00000000-0000-7000-8000-000000000001\", \"quantity\": 1, \"unit_price\": 1.5}]')", ""),
            ("INSERT INTO orders (id, customer_id, placed_at, total) VALUES (2, 1, now(), 1)", ""),
            ("UPDATE orders SET lines = '{}'", CHECK),
            ("UPDATE orders SET lines = NULL", NULL),
            ("UPDATE orders SET lines = lines || lines", ""),
            ("UPDATE orders SET lines = (SELECT jsonb_agg(l) FROM generate_series(1, 101), jsonb_array_elements(lines) l) WHERE id = 1", CHECK),
            ("UPDATE orders SET lines = '[{\"line_no\": 1}]'", CHECK),
            ("UPDATE orders SET lines = jsonb_set(lines, '{0,quantity}', '0') WHERE id = 1", CHECK),
            ("UPDATE orders SET lines = jsonb_set(lines, '{0,quantity}', '\"1\"') WHERE id = 1", CHECK),
            ("UPDATE orders SET lines = jsonb_set(lines, '{0,quantity}', 'null') WHERE id = 1", CHECK),
            ("UPDATE orders SET lines = jsonb_set(lines, '{0,quantity}', '7') WHERE id = 1", ""),
            ("INSERT INTO products (id, sku, title, price) VALUES (gen_random_uuid(), 's', 't', 1)", ""),
            ("DO $$ BEGIN ASSERT (SELECT review_count FROM products) = 0; END $$", ""),
        ],
    )
    .await;
    let script = flat(&schema.to_script());
    assert!(script.contains("ON orders USING gin (lines jsonb_path_ops)"), "{script}");
    assert!(
        schema.notes.iter().any(|note| note
            == "orders.customer_name repeats customers.name; rename_customer also sets it in all \
                orders of the one it changes (in one transaction with rename_customer); place_order \
                also reads name of its customer and writes it along (in the transaction checkout)"),
        "{:#?}",
        schema.notes
    );
}

/// Within a jsonb column a check says what it says of rows; what a path cannot say is told.
#[tokio::test(flavor = "multi_thread")]
async fn the_checks_of_what_is_embedded_hold_within_it() {
    let model = "
name: notes
entities:
  - {name: notes, rows: 100, attributes: [{name: id, type: id}, {name: title, type: text, required: true}]}
  - name: parts
    rows: 300
    key: [note_id, no]
    checks:
      - low <= high
      - kind <> 'paid' OR fee IS NOT NULL
      - low + high <= 10
      - until > '2026-01-31'
      - char_length(kind) > 1
    attributes:
      - {name: note_id, type: id}
      - {name: no, type: integer, required: true, min: 1, max: 99}
      - {name: low, type: integer, required: true}
      - {name: high, type: integer}
      - {name: kind, type: text, required: true}
      - {name: fee, type: money}
      - {name: until, type: date}
relations:
  - {from: parts, attributes: [note_id], to: notes, owned: true, fanout: {average: 3, max: 20}}
";
    let case = Case::of(model).placed("parts", "notes", Placement::Embed);
    let put = |element: &str| {
        format!("INSERT INTO notes (title, parts) VALUES ('t', '[{{\"no\": 1, {element}}}]')")
    };
    let good = [
        r#""low": 1, "high": 2, "kind": "free""#,
        r#""low": 1, "kind": "free", "until": "2026-02-01""#,
        r#""low": 1, "high": null, "kind": "free", "fee": null"#,
        r#""low": 1, "high": 9, "kind": "paid", "fee": 2.5"#,
    ];
    let bad = [
        r#""low": 3, "high": 2, "kind": "free""#,
        r#""low": 1, "kind": "paid""#,
        r#""low": 1, "kind": "paid", "fee": null"#,
        r#""low": 2, "high": 9, "kind": "free""#,
        r#""low": 1, "kind": "free", "until": "2026-01-31""#,
        r#""low": 1.5, "kind": "free""#,
    ];
    let statements: Vec<(String, &str)> = good
        .iter()
        .map(|one| (put(one), ""))
        .chain(bad.iter().map(|one| (put(one), CHECK)))
        .collect();
    let statements: Vec<(&str, &str)> =
        statements.iter().map(|(text, code)| (text.as_str(), *code)).collect();
    let schema = tried(&case, &[], &statements).await;
    let left = "a check of parts is left to the program: «char_length(kind) > 1»: it asks for the \
                length of a text";
    assert!(schema.notes.iter().any(|note| note == left), "{:#?}", schema.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_pairs_and_circles_are_held() {
    tried(
        &Case::of(TREE),
        &["INSERT INTO categories VALUES (1, NULL, 'all'), (2, 1, 'books')"],
        &[
            ("INSERT INTO categories (id, parent_id, title) VALUES (3, 9, 'lost')", FOREIGN),
            ("DELETE FROM categories WHERE id = 1", ""),
            ("DO $$ BEGIN ASSERT (SELECT parent_id IS NULL FROM categories WHERE id = 2); END $$", ""),
        ],
    )
    .await;
    tried(
        &Case::of(SCHOOL),
        &[
            "INSERT INTO students VALUES (1, 'Ann'), (2, 'Bo')",
            "INSERT INTO courses VALUES (1, 'Maths')",
            "INSERT INTO enrolments VALUES (1, 1, 1.3)",
            "INSERT INTO desks VALUES (1, 1)",
        ],
        &[
            ("INSERT INTO enrolments VALUES (1, 1, 2.0)", UNIQUE),
            ("INSERT INTO enrolments VALUES (2, 1, 6.1)", CHECK),
            ("INSERT INTO enrolments VALUES (2, 1, 123)", "22003"),
            ("INSERT INTO desks VALUES (2, 1)", UNIQUE),
            ("DELETE FROM courses", FOREIGN),
            ("DELETE FROM students WHERE id = 1", ""),
            ("DELETE FROM courses", ""),
        ],
    )
    .await;
    let both = "BEGIN; INSERT INTO teams VALUES (1, 7); INSERT INTO people VALUES (7, 1); COMMIT";
    let schema = tried(
        &Case::of(CIRCLE),
        &[],
        &[
            ("INSERT INTO teams VALUES (1, 7)", FOREIGN),
            (both, ""),
            ("DELETE FROM people", FOREIGN),
            ("BEGIN; DELETE FROM people; DELETE FROM teams; COMMIT", ""),
        ],
    )
    .await;
    assert!(schema.to_script().contains("DEFERRABLE INITIALLY DEFERRED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_do_not_overlap_and_places_are_found() {
    let schema = tried(
        &Case::of(BOOKING),
        &["INSERT INTO rooms (id, place, opens, cleaning, area) VALUES (1, '(13.4,52.5)', '08:00', '30 min', 20)"],
        &[
            ("INSERT INTO bookings (room_id, period, guests) VALUES (1, '[2026-01-01, 2026-01-03)', 2)", ""),
            ("INSERT INTO bookings (room_id, period, guests) VALUES (1, '[2026-01-02, 2026-01-04)', 2)", EXCLUDED),
            ("INSERT INTO bookings (room_id, period, guests) VALUES (1, '[2026-01-03, 2026-01-04)', 2)", ""),
            ("INSERT INTO bookings (room_id, period, guests) VALUES (1, 'empty', 2)", CHECK),
            ("INSERT INTO bookings (room_id, period, guests) VALUES (1, '[2027-01-03, 2027-01-04)', 21)", CHECK),
            ("UPDATE rooms SET area = -1", CHECK),
            ("UPDATE rooms SET closed = NULL", NULL),
        ],
    )
    .await;
    let script = flat(&schema.to_script());
    assert!(script.contains("the server does not offer PostGIS"), "{script}");
    assert!(script.contains("CREATE EXTENSION IF NOT EXISTS btree_gist"), "{script}");
    // Where it is offered, it is used.
    let case = Case::of(BOOKING);
    let mut options = SchemaOptions::new(marula_core::Version::new(18, 0, 0));
    options.extensions.push("postgis".into());
    let geography = schema_of(&case, &options).to_script();
    assert!(geography.contains("place geography(Point,4326) NOT NULL"), "{geography}");
    assert!(geography.contains("CREATE EXTENSION IF NOT EXISTS postgis"), "{geography}");
    options.extensions.clear();
    let without = schema_of(&case, &options);
    assert!(without.notes.iter().any(|n| n.contains("needs the extension btree_gist")));
}

fn schema_of(case: &Case, options: &SchemaOptions) -> Schema {
    schema(&case.model, &case.structure, &case.layout(), &case.wanted, options)
}

#[tokio::test(flavor = "multi_thread")]
async fn measurements_are_partitioned_and_old_ones_found() {
    let schema = tried(
        &Case::of(SENSORS),
        &[
            "INSERT INTO sensors VALUES (1, 'roof')",
            "INSERT INTO readings (sensor_id, measured_at, value) SELECT 1, now() - i * interval '1 day', i FROM generate_series(-40, 400) i",
        ],
        &[
            ("INSERT INTO readings (sensor_id, measured_at, value) VALUES (2, now(), 1)", FOREIGN),
            ("DO $$ BEGIN ASSERT (SELECT count(*) > 5 FROM (SELECT DISTINCT tableoid FROM readings) t); END $$", ""),
            ("DO $$ BEGIN ASSERT EXISTS (SELECT FROM readings_other); END $$", ""),
            ("INSERT INTO alarms (sensor_id, raised_at) VALUES (1, now())", ""),
            ("DELETE FROM sensors", FOREIGN),
        ],
    )
    .await;
    let script = flat(&schema.to_script());
    assert!(script.contains("PRIMARY KEY (id, measured_at)"), "{script}");
    assert!(script.contains("a look-up by it alone asks every partition"), "{script}");
    assert!(script.contains("CREATE INDEX alarms_raised_at_idx ON alarms (raised_at)"), "{script}");
    // Something refers to them: said, and not done.
    let mut case = Case::of(SENSORS);
    let mut relation = case.model.relations[0].clone();
    (relation.from, relation.to) = ("alarms".into(), "readings".into());
    relation.attributes = vec!["id".into()];
    case.model.relations.push(relation);
    case.structure.placements.push(Placement::Reference);
    let options = SchemaOptions::new(marula_core::Version::new(15, 0, 0));
    let refused = schema_of(&case, &options);
    assert!(!refused.to_script().contains("PARTITION BY"));
    assert!(refused.notes.iter().any(|note| note.contains("alarms refers to its key")));
    assert!(refused.to_script().contains("USING brin (measured_at)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_searched_by_indexes() {
    // What the model asks is asked as it is written, and goes by the same index.
    let case = Case::of(LIBRARY);
    let access: marula_core::model::AccessPath = serde_json::from_value(serde_json::json!({
        "from": "books",
        "where": [{"attribute": "title", "is": "matches", "parameter": 1}],
        "select": ["id"],
    }))
    .unwrap();
    let question = marula_design::question::resolve(&case.model, &access).unwrap();
    let asked = marula_design::postgres::statement::select(
        &case.model,
        &case.structure,
        &case.layout(),
        &question,
    );
    assert!(asked.contains(".title) @@ plainto_tsquery('simple', $1)"), "{asked}");
    for major in MAJORS {
        let (_, session) = fresh(major).await;
        let schema = drawn(&Case::of(LIBRARY), &session).await;
        for statement in schema.statements(Stage::BeforeLoading) {
            run(&session, statement).await.unwrap();
        }
        run(&session, "INSERT INTO books (title, author, shelf, language) SELECT 'The art of ' || md5(i::text), 'Author ' || md5(i::text), 'S' || i, md5(i::text) FROM generate_series(1, 20000) i").await.unwrap();
        for statement in schema.statements(Stage::AfterLoading) {
            run(&session, statement).await.unwrap();
        }
        run(&session, "VACUUM ANALYZE books").await.unwrap();
        for (condition, index) in [
            (
                "to_tsvector('simple', title) @@ plainto_tsquery('simple', 'c4ca4238a0b923820dcc509a6f75849b')",
                "books_title_words_idx",
            ),
            ("author LIKE '%a0b923820dcc%'", "books_author_idx"),
            ("shelf LIKE 'S1999%'", "books_shelf_idx"),
        ] {
            let plan = format!("EXPLAIN (FORMAT JSON) SELECT id FROM books WHERE {condition}");
            let rows = session.client().simple_query(&plan).await.unwrap();
            assert!(format!("{rows:?}").contains(index), "{major} {condition}\n{rows:?}");
        }
        assert_eq!(reviewed(&session).await, Vec::<String>::new());
    }
}

/// What looks for the beginning of a text is found by an index in any collation; what else asks for
/// the same column has its own.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_for_a_beginning_serves_it() {
    let mut case = Case::of(
        "
name: people
entities:
  - {name: people, rows: 9k, attributes: [{name: id, type: id}, {name: name, type: text, required: true}]}
queries:
  - {name: begins, rate: 9, sql: \"SELECT id FROM people WHERE name LIKE 'S%'\"}
  - {name: after, rate: 9, sql: SELECT id FROM people WHERE name > $1}
",
    );
    let work = marula_design::search::Work::new(&case.model);
    case.wanted = marula_design::search::indexes(&case.model, &case.structure, &work);
    for major in MAJORS {
        let (_, session) = fresh(major).await;
        let schema = drawn(&case, &session).await;
        for stage in [Stage::BeforeLoading, Stage::AfterLoading] {
            for statement in schema.statements(stage) {
                run(&session, statement).await.unwrap();
            }
        }
        run(&session, "SET enable_seqscan = off").await.unwrap();
        for (condition, found) in [("LIKE 'S%'", "~>=~"), ("> 'S'", "> 'S'")] {
            let explain = format!("EXPLAIN SELECT id FROM people WHERE name {condition}");
            let rows = session.client().query(&explain, &[]).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let is_it = |line: &String| line.contains("Index Cond") && line.contains(found);
            assert!(plan.iter().any(is_it), "{major} {plan:#?}\n{}", schema.to_script());
        }
    }
}
