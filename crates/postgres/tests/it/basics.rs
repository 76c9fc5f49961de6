use marula_core::ErrorKind;
use marula_postgres::explain::{Mode, explain};
use marula_postgres::{catalog, run};

use crate::support::{MAJORS, SHOP, database, statement};

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_agrees_with_the_server() {
    for major in MAJORS {
        let (owner, target) = database(major, SHOP).await;
        let catalog = catalog::read(&target, catalog::Scope::All).await.unwrap();
        assert_eq!(catalog.version.major, major);
        let names: Vec<_> = catalog.relations.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["customers", "events", "events_2025", "events_2026", "orders", "paid"]);
        let orders = catalog.find("orders").unwrap();
        assert_eq!(orders.rows, Some(30_000.0));
        assert_eq!(orders.primary_key(), ["id"]);
        let index = orders.indexes.iter().find(|i| i.name == "orders_customer").unwrap();
        assert_eq!(index.include, ["total"]);
        assert!(index.keys[1].descending && !index.keys[1].nulls_first);
        let index = orders.indexes.iter().find(|i| i.name == "orders_lower").unwrap();
        assert_eq!(index.keys[0].column, None);
        assert_eq!(index.keys[0].expression, "lower(status)");
        let row = owner
            .client()
            .query_one("SELECT pg_table_size('orders'), pg_indexes_size('orders')", &[])
            .await
            .unwrap();
        assert_eq!(orders.bytes, row.get::<_, i64>(0).unsigned_abs());
        assert_eq!(orders.index_bytes, row.get::<_, i64>(1).unsigned_abs());
        let status = orders.column("status").unwrap().statistics.as_ref().unwrap();
        assert_eq!(status.distinct, 3.0);
        assert_eq!(status.common_values.len(), 3);
        let tags = catalog.find("customers").unwrap().column("tags").unwrap();
        assert!(tags.statistics.as_ref().unwrap().common_values[0].starts_with('{'));
        let events = catalog.find("events_2025").unwrap();
        assert_eq!(events.partition_of.as_deref(), Some("public.events"));
        let some = ["paid".to_string(), "public.events".to_string()];
        let some = catalog::read(&target, catalog::Scope::Relations(&some)).await.unwrap();
        let names: Vec<_> = some.relations.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["events", "events_2025", "events_2026", "orders", "paid"]);
        let wrong = ["ordres".to_string()];
        let error = catalog::read(&target, catalog::Scope::Relations(&wrong)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.hints().iter().any(|hint| hint.contains("orders")), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_explained_and_run() {
    for major in MAJORS {
        let (_owner, target) = database(major, SHOP).await;
        let mut query = statement(
            "SELECT c.email, sum(o.total) FROM orders o JOIN customers c ON c.id = o.customer_id
             WHERE o.at > $1 AND c.country = $2 GROUP BY c.email ORDER BY 2 DESC LIMIT 5",
        );
        query.parameters = ["2025-06-01", "de"]
            .map(|v| marula_core::Parameter {
                value: Some(v.into()),
                origin: marula_core::ParameterOrigin::Given,
            })
            .to_vec();
        let plan = explain(&target, &query, Mode::Estimate).await.unwrap();
        assert!(!plan.executed);
        let plan = explain(&target, &query, Mode::Analyze).await.unwrap();
        assert!(plan.executed && plan.execution_ms.is_some());
        assert_eq!(plan.summary.returned, Some(5));
        assert_eq!(plan.summary.scans, ["public.orders", "public.customers"]);
        let total: f64 = plan.tree.walk().iter().filter_map(|(_, node)| node.self_ms).sum();
        assert!((total - plan.tree.total_ms.unwrap()).abs() < 0.05 * total + 0.1);
        let mut rows = Vec::new();
        let ran = run::run(&target, &query, |row| {
            rows.push(row.iter().map(|v| v.map(str::to_string)).collect::<Vec<_>>());
        })
        .await
        .unwrap();
        assert_eq!((ran.rows, ran.columns.len()), (5, 2));
        // And again: nothing is left over from the first run.
        assert_eq!(run::run(&target, &query, |_| {}).await.unwrap().rows, 5);

        let error =
            explain(&target, &statement("SELECT 'ä', o.totl FROM orders o"), Mode::Estimate)
                .await
                .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let marked = error.marked().unwrap();
        assert_eq!(&marked.text[marked.start..marked.end], "o.totl");
        assert!(error.hints().iter().any(|hint| hint.contains("total")), "{error:?}");
        let error = run::run(&target, &statement("TABLE ordres"), |_| {}).await.unwrap_err();
        assert!(error.hints().iter().any(|hint| hint.contains("orders")), "{error:?}");
        let error = run::run(&target, &statement("SELECT 1; SELECT 2"), |_| {}).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Syntax);
        assert_eq!(run::run(&target, &statement("SELECT 1"), |_| {}).await.unwrap().rows, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_filled_from_statistics() {
    use marula_core::ParameterOrigin::{Given, Statistics};
    let (_owner, target) = database(15, SHOP).await;
    let catalog = catalog::read(&target, catalog::Scope::All).await.unwrap();
    let query = marula_postgres::guard::check(
        "SELECT * FROM orders o WHERE o.status = $1 AND $2 < o.at AND total BETWEEN $3 AND $4
         AND o.customer_id = ANY ($5) LIMIT $6 OFFSET $7",
    )
    .unwrap();
    let given = [Some("paid".to_string())];
    let filled =
        marula_postgres::parameters::fill(&target, &query, &given, &catalog).await.unwrap();
    assert_eq!(filled[0].origin, Given);
    assert_eq!(filled[1].origin, Statistics);
    assert!(filled[1].value.as_ref().unwrap().starts_with("202"));
    assert!(filled[4].value.as_ref().unwrap().starts_with('{'));
    assert_eq!(filled[5].value.as_deref(), Some("10"));
    let mut query = statement(query.text());
    query.parameters = filled;
    run::run(&target, &query, |_| {}).await.unwrap();
}

/// Arrays of some types (PostGIS's among them) are not written with commas: their statistics are left
/// out, and everything else of the catalogue is read.
#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_not_parted_by_commas_do_not_stand_in_the_way() {
    let parted = "
        CREATE TYPE parted;
        CREATE FUNCTION parted_in(cstring) RETURNS parted LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
        CREATE FUNCTION parted_out(parted) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
        CREATE TYPE parted (INPUT = parted_in, OUTPUT = parted_out, LIKE = int4, DELIMITER = ';');
        CREATE FUNCTION parted_lt(parted, parted) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
        CREATE FUNCTION parted_eq(parted, parted) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
        CREATE FUNCTION parted_cmp(parted, parted) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
        CREATE OPERATOR < (LEFTARG = parted, RIGHTARG = parted, FUNCTION = parted_lt);
        CREATE OPERATOR = (LEFTARG = parted, RIGHTARG = parted, FUNCTION = parted_eq);
        CREATE OPERATOR CLASS parted_ops DEFAULT FOR TYPE parted USING btree
            AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 parted_cmp(parted, parted);
        CREATE TABLE t (one parted, several parted[], plain int);
        INSERT INTO t SELECT (i % 3)::text::parted, ARRAY[(i % 3)::text::parted, '7'], i % 3
            FROM generate_series(1, 300) i;
        ANALYZE t";
    for major in MAJORS {
        let (owner, target) = database(major, parted).await;
        let found = "SELECT most_common_vals::text FROM pg_stats WHERE tablename = 't' AND attname = 'several'";
        let text: String = owner.client().query_one(found, &[]).await.unwrap().get(0);
        assert!(text.contains(';'), "{text}");
        let catalog = catalog::read(&target, catalog::Scope::All).await.unwrap();
        let table = catalog.find("t").unwrap();
        let known = |name: &str| {
            table.column(name).unwrap().statistics.as_ref().unwrap().common_values.len()
        };
        assert_eq!([known("one"), known("several"), known("plain")], [0, 0, 3]);
    }
}
