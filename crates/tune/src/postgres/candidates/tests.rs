#![allow(clippy::unwrap_used, clippy::panic)]

mod reach;

use super::super::Shape;
use marula_core::RelationalCatalog;

use super::super::fixture::{catalog, parse, plan};
use super::candidates;

fn definitions(sql: &str, relations: &[&str]) -> Vec<String> {
    definitions_in(catalog(), sql, relations)
}

fn definitions_in(catalog: RelationalCatalog, sql: &str, relations: &[&str]) -> Vec<String> {
    let plan = plan(relations);
    let shape = Shape::read(&parse(sql), Some(&catalog));
    candidates(&shape, &plan, &catalog)
        .iter()
        .map(|candidate| candidate.proposal.up.join("; "))
        .map(|up| up.replace("CREATE INDEX CONCURRENTLY ", ""))
        .collect()
}

#[track_caller]
fn offers(sql: &str, relations: &[&str], wanted: &str) {
    let found = definitions(sql, relations);
    assert!(found.iter().any(|found| found == wanted), "{sql}\nwanted {wanted}\nfound {found:#?}");
}

#[test]
fn equality_leads_then_the_range() {
    offers(
        "SELECT * FROM orders WHERE placed_at > '2026-01-01' AND customer_id = 7",
        &["orders"],
        "orders_customer_id_placed_at_idx ON public.orders (customer_id, placed_at)",
    );
}

#[test]
fn equality_leads_then_the_order_with_its_directions() {
    offers(
        "SELECT * FROM orders o WHERE customer_id = 7 ORDER BY placed_at DESC, total LIMIT 10",
        &["orders o"],
        "orders_customer_id_placed_at_total_idx ON public.orders (customer_id, placed_at DESC, total)",
    );
    offers(
        "SELECT * FROM orders o WHERE customer_id = 7 ORDER BY total DESC NULLS LAST LIMIT 10",
        &["orders o"],
        "orders_customer_id_total_idx ON public.orders (customer_id, total DESC NULLS LAST)",
    );
}

#[test]
fn a_join_is_led_by_its_key() {
    offers(
        "SELECT c.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.email = 'x'",
        &["customers c", "orders o"],
        "orders_customer_id_idx ON public.orders (customer_id)",
    );
    // The primary key finds the customer already.
    let found = definitions(
        "SELECT c.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.email = 'x'",
        &["customers c", "orders o"],
    );
    assert!(found.iter().all(|found| !found.contains("customers (id")), "{found:#?}");
}

#[test]
fn few_rows_of_one_status_get_a_partial_index() {
    offers(
        "SELECT * FROM orders WHERE status = 'refunded' ORDER BY placed_at LIMIT 5",
        &["orders"],
        "orders_placed_at_idx ON public.orders (placed_at) WHERE status = 'refunded'",
    );
}

/// What the search over a workload looks at beside what one statement is offered.
fn thought_of(sql: &str) -> Vec<String> {
    let (catalog, plan) = (catalog(), plan(&["orders"]));
    let mut found = super::wide(&Shape::read(&parse(sql), Some(&catalog)), &plan, &catalog);
    super::with_statements(&mut found, &catalog);
    let definition = |up: &String| up.split_once(" ON ").map(|(_, rest)| rest.to_owned());
    found.iter().flat_map(|candidate| &candidate.proposal.up).filter_map(definition).collect()
}

#[test]
fn what_is_the_same_in_every_call_can_be_an_indexs_condition() {
    let found = thought_of(
        "SELECT sum(total) FROM orders o WHERE o.placed_at < o.sent_at AND o.sent_at < o.due_at AND o.items > 900",
    );
    let wanted = "public.orders (items) WHERE placed_at < sent_at AND sent_at < due_at";
    assert!(found.iter().any(|found| found == wanted), "{found:#?}");
    let found = thought_of("SELECT total FROM orders WHERE lane IN ('a', 'b') AND items > 900");
    let wanted = "public.orders (items) INCLUDE (lane, total) WHERE lane IN ('a', 'b')";
    assert!(found.iter().any(|found| found == wanted), "{found:#?}");
    // Both sides of the OR ask for it.
    let found = thought_of(
        "SELECT note FROM orders WHERE (lane = 'a' AND status = 'x' AND items > 900 OR lane = 'a' AND status = 'x' AND items < 5) AND total > 900",
    );
    let wanted = |found: &String| {
        found.contains("WHERE ") && found.contains("lane = 'a'") && found.contains("status = 'x'")
    };
    assert!(found.iter().any(wanted), "{found:#?}");
    // Another value in every call, or one of two types: no condition of an index.
    for sql in [
        "SELECT note FROM orders WHERE lane IN ($1, $2) AND items > 900",
        "SELECT note FROM orders WHERE customer_id IN (1, 2) AND items > 900",
        "SELECT note FROM orders WHERE placed_at < seen_at AND seen_at < due_at AND items > 900",
    ] {
        let found = thought_of(sql);
        assert!(!found.iter().any(|found| found.contains("WHERE")), "{sql}: {found:#?}");
    }
}

#[test]
fn page_ranges_are_summarised_where_rows_lie_in_the_columns_order() {
    let found = |correlation: f64| {
        let mut catalog = catalog();
        let column = catalog.relations[0].columns.iter_mut().find(|c| c.name == "placed_at");
        column.unwrap().statistics.as_mut().unwrap().correlation = Some(correlation);
        let sql = "SELECT note FROM orders WHERE placed_at > '2026-01-01' AND items > 5";
        let shape = Shape::read(&parse(sql), Some(&catalog));
        let mut found = super::wide(&shape, &plan(&["orders"]), &catalog);
        super::with_statements(&mut found, &catalog);
        found.iter().flat_map(|candidate| candidate.proposal.up.clone()).collect::<Vec<_>>()
    };
    let brin = |found: Vec<String>| found.iter().any(|up| up.ends_with("USING brin (placed_at)"));
    assert!(brin(found(-0.99)));
    assert!(!brin(found(0.5)));
}

#[test]
fn one_index_carries_along_what_two_statements_need() {
    let catalog = catalog();
    let mut found = Vec::new();
    for column in ["total", "items"] {
        let sql = format!("SELECT {column} FROM orders WHERE customer_id = 7");
        let shape = Shape::read(&parse(&sql), Some(&catalog));
        found.extend(super::wide(&shape, &plan(&["orders"]), &catalog));
    }
    let mut both = super::unions(&found, &catalog);
    super::with_statements(&mut both, &catalog);
    let ups: Vec<&String> = both.iter().flat_map(|candidate| &candidate.proposal.up).collect();
    let wanted = |up: &&&String| up.ends_with("(customer_id) INCLUDE (total, items)");
    assert!(ups.iter().any(|up| wanted(&up)), "{ups:#?}");
}

#[test]
fn few_narrow_columns_are_carried_along() {
    offers(
        "SELECT total FROM orders WHERE customer_id = 7",
        &["orders"],
        "orders_customer_id_total_idx ON public.orders (customer_id) INCLUDE (total)",
    );
}

#[test]
fn an_expression_is_indexed_where_it_means_the_same_everywhere() {
    offers(
        "SELECT * FROM customers WHERE lower(email) = 'a@b'",
        &["customers"],
        "customers_lower_idx ON public.customers ((lower(email)))",
    );
    for sql in [
        "SELECT * FROM orders WHERE date_trunc('day', seen_at) = '2026-01-01'",
        // Of a date: that of midnight in the session's time zone.
        "SELECT * FROM customers WHERE date_trunc('month', born) = '2026-01-01'",
        // By the session's DateStyle.
        "SELECT * FROM orders WHERE note::date = '2026-01-01'",
        "SELECT * FROM orders WHERE (data ->> 'at')::timestamptz > '2026-01-01'",
    ] {
        let found = definitions(sql, &["orders", "customers"]);
        assert!(found.is_empty(), "{sql}: {found:?}");
    }
}

#[test]
fn patterns_get_trigrams_and_containment_gets_gin() {
    offers(
        "SELECT * FROM orders WHERE note LIKE '%refund%'",
        &["orders"],
        "CREATE EXTENSION IF NOT EXISTS pg_trgm; orders_note_idx ON public.orders USING gin (note gin_trgm_ops)",
    );
    offers(
        "SELECT * FROM orders WHERE data @> '{\"vip\": true}'",
        &["orders"],
        "orders_data_idx ON public.orders USING gin (data jsonb_path_ops)",
    );
    offers(
        "SELECT * FROM orders WHERE note LIKE 'refund%'",
        &["orders"],
        "orders_note_idx ON public.orders (note text_pattern_ops)",
    );
}

#[test]
fn what_exists_is_not_offered_again() {
    assert_eq!(definitions("SELECT * FROM orders WHERE id = 7", &["orders"]), Vec::<String>::new());
    let found = definitions("SELECT * FROM orders ORDER BY id DESC LIMIT 3", &["orders"]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn conditions_in_subqueries_find_their_tables() {
    offers(
        "SELECT email FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.status = 'paid')",
        &["customers c", "orders o"],
        "orders_customer_id_idx ON public.orders (customer_id) WHERE status = 'paid'",
    );
}

#[test]
fn the_same_statement_always_gets_the_same_list() {
    let sql = "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = 'x' AND o.total > 5 AND c.referred_by = 3 ORDER BY o.placed_at DESC LIMIT 5";
    let first = definitions(sql, &["orders o", "customers c"]);
    assert!(!first.is_empty() && first.len() <= 6);
    for _ in 0..5 {
        assert_eq!(definitions(sql, &["orders o", "customers c"]), first);
    }
}

#[test]
fn columns_inside_expressions_and_conditions_end_hot_updates_too() {
    let sql = "SELECT * FROM customers WHERE lower(email) = 'ann@example.org'";
    let (catalog, plan) = (catalog(), plan(&["customers"]));
    let shape = Shape::read(&parse(sql), Some(&catalog));
    let found = candidates(&shape, &plan, &catalog);
    let hazards =
        &found.iter().find(|c| c.proposal.up[0].contains("lower(")).unwrap().proposal.hazards;
    assert!(hazards.iter().any(|h| h == "UPDATEs of email can no longer be HOT"), "{hazards:?}");
}
