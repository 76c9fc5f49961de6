//! How far candidates reach, and what they must not promise.

use super::super::super::fixture::catalog_with_view;
use super::{definitions, definitions_in, offers};

#[test]
fn an_in_over_a_subquery_leads_to_both_its_tables() {
    for sql in [
        "SELECT email FROM customers WHERE id IN (SELECT customer_id FROM orders) AND email = 'x'",
        "SELECT email FROM customers WHERE id = ANY (SELECT customer_id FROM orders)",
        "SELECT email FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)",
        "SELECT email FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE customer_id = customers.id)",
        "SELECT email FROM customers WHERE NOT EXISTS (SELECT 1 FROM orders WHERE customer_id = customers.id)",
        "SELECT email, (SELECT max(total) FROM orders WHERE customer_id = customers.id) FROM customers",
        "SELECT email FROM customers WHERE 5 < (SELECT count(*) FROM orders WHERE customer_id = customers.id)",
    ] {
        offers(
            sql,
            &["customers", "orders"],
            "orders_customer_id_idx ON public.orders (customer_id)",
        );
    }
    for sql in [
        "SELECT total FROM orders o WHERE customer_id IN (SELECT id FROM customers WHERE email = 'x')",
        "SELECT total FROM orders o WHERE EXISTS (SELECT 1 FROM customers WHERE id = o.customer_id AND email = 'x')",
        "SELECT total FROM orders o WHERE customer_id = (SELECT id FROM customers WHERE email = 'x')",
    ] {
        offers(
            sql,
            &["customers", "orders o"],
            "orders_customer_id_idx ON public.orders (customer_id)",
        );
    }
}

#[test]
fn a_pair_in_a_subquery_is_two_equalities() {
    offers(
        "SELECT email FROM customers c WHERE (id, born) IN (SELECT customer_id, placed_at::date FROM orders WHERE status = 'paid')",
        &["customers c", "orders"],
        "orders_customer_id_expr_status_idx ON public.orders (customer_id, (placed_at::date), status)",
    );
    offers(
        "SELECT * FROM orders WHERE (customer_id, items) = (7, 5)",
        &["orders"],
        "orders_items_customer_id_idx ON public.orders (items, customer_id)",
    );
}

#[test]
fn a_subquery_that_cannot_take_the_comparison_gets_none() {
    // The rows a LIMIT cuts off, or an aggregate makes, come first.
    for sql in [
        "SELECT email FROM customers WHERE id IN (SELECT customer_id FROM orders LIMIT 10)",
        "SELECT email FROM customers WHERE id IN (SELECT max(customer_id) FROM orders)",
    ] {
        let found = definitions(sql, &["customers", "orders"]);
        assert!(found.iter().all(|found| !found.contains("public.orders")), "{sql}: {found:#?}");
    }
}

#[test]
fn filters_reach_tables_through_subqueries_ctes_and_views() {
    for sql in [
        "SELECT * FROM (SELECT id, customer_id AS who FROM orders) x WHERE x.who = 7",
        "SELECT * FROM (SELECT * FROM orders) x WHERE customer_id = 7",
        "WITH x AS (SELECT * FROM orders) SELECT * FROM x WHERE x.customer_id = 7",
        "SELECT * FROM (SELECT customer_id, count(*) FROM orders GROUP BY customer_id) x WHERE customer_id = 7",
        "SELECT customer_id, count(*) FROM orders GROUP BY customer_id HAVING customer_id = 7 AND count(*) > 3",
        "SELECT * FROM customers c JOIN (SELECT o.customer_id FROM orders o) x ON x.customer_id = c.id WHERE c.email = 'x'",
    ] {
        let alias = if sql.contains("orders o") { "orders o" } else { "orders" };
        offers(
            sql,
            &[alias, "customers c"],
            "orders_customer_id_idx ON public.orders (customer_id)",
        );
    }
    offers(
        "SELECT * FROM (SELECT total AS t, placed_at AS at, customer_id FROM orders) x WHERE customer_id = 7 ORDER BY at DESC LIMIT 3",
        &["orders"],
        "orders_customer_id_placed_at_idx ON public.orders (customer_id, placed_at DESC)",
    );
    let view = " SELECT o.id, o.customer_id AS who, lower(o.note) AS n FROM public.orders o;";
    for (sql, wanted) in [
        (
            "SELECT * FROM recent WHERE who = 7",
            "orders_customer_id_idx ON public.orders (customer_id)",
        ),
        (
            "SELECT * FROM recent r WHERE abs(r.who) = 7",
            "orders_abs_idx ON public.orders ((abs(customer_id)))",
        ),
    ] {
        let found = definitions_in(catalog_with_view(view), sql, &["orders o"]);
        assert!(found.iter().any(|found| found == wanted), "{sql}: {found:#?}");
    }
}

#[test]
fn filters_stay_outside_where_they_may_not_go_in() {
    for sql in [
        "SELECT * FROM (SELECT * FROM orders ORDER BY id LIMIT 50) x WHERE customer_id = 7",
        "SELECT * FROM (SELECT customer_id, row_number() OVER (ORDER BY total) AS n FROM orders) x WHERE customer_id = 7",
        "SELECT * FROM (SELECT DISTINCT ON (total) customer_id, total FROM orders) x WHERE customer_id = 7",
        "SELECT * FROM (SELECT max(customer_id) AS customer_id FROM orders) x WHERE customer_id = 7",
        "WITH x AS (SELECT * FROM orders) SELECT * FROM x a JOIN x b ON a.id = b.id WHERE a.customer_id = 7",
        "SELECT max(customer_id) FROM orders HAVING max(customer_id) = 7",
    ] {
        let found = definitions(sql, &["orders"]);
        let wrong = |found: &String| found.contains("(customer_id") && !found.contains("INCLUDE");
        assert!(!found.iter().any(wrong), "{sql}: {found:#?}");
    }
}

#[test]
fn each_side_of_an_or_gets_its_index() {
    offers(
        "SELECT * FROM orders WHERE customer_id = 7 OR items = 5",
        &["orders"],
        "orders_customer_id_idx ON public.orders (customer_id); orders_items_idx ON public.orders (items)",
    );
    // One that is there already is not made again.
    offers(
        "SELECT * FROM orders WHERE id = 7 OR items = 5",
        &["orders"],
        "orders_items_idx ON public.orders (items)",
    );
    // An equality beside it leads each of them.
    offers(
        "SELECT * FROM orders WHERE customer_id = 7 AND (items = 5 OR code = 'x')",
        &["orders"],
        "orders_customer_id_items_idx ON public.orders (customer_id, items); orders_customer_id_code_idx ON public.orders (customer_id, code)",
    );
    // A side that no index serves needs the whole table.
    let found = definitions("SELECT * FROM orders WHERE items = 5 OR note <> 'x'", &["orders"]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_comparison_that_converts_the_column_gets_no_index_on_it() {
    for (condition, wanted) in [
        ("items = 55.0::float8", "orders_expr_idx ON public.orders ((items::double precision))"),
        ("items = 5.5", "orders_expr_idx ON public.orders ((items::numeric))"),
        ("items BETWEEN 1 AND 2", "orders_items_idx ON public.orders (items)"),
        ("items IN (1, 2)", "orders_items_idx ON public.orders (items)"),
        ("items IN (1, 2.5)", "orders_expr_idx ON public.orders ((items::numeric))"),
        ("items + 1 = 5", "orders_expr_idx ON public.orders ((items + 1))"),
        ("note::int = 5", "orders_expr_idx ON public.orders ((note::int))"),
        ("lower(note) = 'x'", "orders_lower_idx ON public.orders ((lower(note)))"),
        ("date(placed_at) = '2026-02-01'", "orders_date_idx ON public.orders ((date(placed_at)))"),
        ("total = 5.0::float8", "orders_expr_idx ON public.orders ((total::double precision))"),
        // These convert the constant, or nothing.
        ("items = 55", "orders_items_idx ON public.orders (items)"),
        ("customer_id = 5000000000", "orders_customer_id_idx ON public.orders (customer_id)"),
        ("total = 5", "orders_total_idx ON public.orders (total)"),
        ("code::text = 'x'", "orders_code_idx ON public.orders (code)"),
        ("note::varchar = 'x'", "orders_note_idx ON public.orders (note)"),
    ] {
        let sql = format!("SELECT * FROM orders WHERE {condition}");
        let found = definitions(&sql, &["orders"]);
        assert!(found.iter().any(|found| found == wanted), "{sql}: {found:#?}");
        let bare = wanted.contains("((");
        assert!(!bare || found.iter().all(|found| found.contains("((")), "{sql}: {found:#?}");
    }
    // So do joins: the index is of use to the side that is not converted.
    let sql = "SELECT * FROM orders o JOIN customers c ON c.id = o.total WHERE c.email = 'x'";
    offers(sql, &["orders o", "customers c"], "orders_total_idx ON public.orders (total)");
}

#[test]
fn ranges_addresses_and_documents_get_the_index_of_their_type() {
    for (condition, wanted) in [
        ("stay && '[2026-01-01,2026-02-01)'", "orders_stay_idx ON public.orders USING gist (stay)"),
        ("stay @> '2026-01-01'::date", "orders_stay_idx ON public.orders USING gist (stay)"),
        (
            "origin && '10.0.0.0/8'",
            "orders_origin_idx ON public.orders USING gist (origin inet_ops)",
        ),
        (
            "origin >>= '10.0.0.1'::inet",
            "orders_origin_idx ON public.orders USING gist (origin inet_ops)",
        ),
        (
            "words @@ to_tsquery('english', 'tree')",
            "orders_words_idx ON public.orders USING gin (words)",
        ),
        (
            "plainto_tsquery('english', 'tree') @@ words",
            "orders_words_idx ON public.orders USING gin (words)",
        ),
        (
            "to_tsvector('english', note) @@ to_tsquery('english', 'tree')",
            "orders_to_tsvector_idx ON public.orders USING gin ((to_tsvector('english', note)))",
        ),
        ("ARRAY['a'] <@ tags", "orders_tags_idx ON public.orders USING gin (tags)"),
        ("tags && '{a,b}'", "orders_tags_idx ON public.orders USING gin (tags)"),
    ] {
        offers(&format!("SELECT * FROM orders WHERE {condition}"), &["orders"], wanted);
    }
    // Without a configuration of its own, the meaning is the session's.
    let found = definitions(
        "SELECT * FROM orders WHERE to_tsvector(note) @@ to_tsquery('tree')",
        &["orders"],
    );
    assert_eq!(found, Vec::<String>::new());
}
