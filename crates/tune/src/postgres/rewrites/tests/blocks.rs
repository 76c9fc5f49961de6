//! Rewrites of whole blocks: how they read, and the conditions without which they are not made.

use marula_core::{Column, Constraint, ConstraintKind, RelationalCatalog, Version};

use super::super::super::fixture::{catalog, parse};
use super::super::{Session, rewrites};

/// `orders.customer_id` refers to `customers`, and `orders.status` has an index.
fn shop() -> RelationalCatalog {
    let mut catalog = catalog();
    catalog.relations[0].constraints.push(Constraint {
        name: "orders_customer_id_fkey".into(),
        kind: ConstraintKind::ForeignKey,
        columns: vec!["customer_id".into()],
        references: Some("public.customers".into()),
        referenced_columns: vec!["id".into()],
        definition: "FOREIGN KEY (customer_id) REFERENCES customers(id)".into(),
        validated: true,
    });
    let mut index = catalog.relations[0].indexes[0].clone();
    (index.name, index.unique, index.constraint) = ("orders_status_idx".into(), false, None);
    index.keys[0].column = Some("status".into());
    catalog.relations[0].indexes.push(index);
    catalog
}

fn named(catalog: &RelationalCatalog, sql: &str, name: &str) -> Option<String> {
    rewrites(&parse(sql), catalog, &Session::default())
        .into_iter()
        .find(|found| found.name == name)
        .map(|found| found.proposal.up[0].clone())
}

#[track_caller]
pub(super) fn becomes(name: &str, old: &str, new: &str) {
    assert_eq!(named(&shop(), old, name).as_deref(), Some(new), "{old}");
}

#[track_caller]
pub(super) fn stays(name: &str, change: impl Fn(&mut RelationalCatalog), old: &str) {
    let mut catalog = shop();
    change(&mut catalog);
    assert_eq!(named(&catalog, old, name), None, "{old}");
}

pub(super) fn column<'c>(catalog: &'c mut RelationalCatalog, name: &str) -> &'c mut Column {
    catalog.relations[0].columns.iter_mut().find(|column| column.name == name).unwrap()
}

const JOINED: &str = "SELECT o.id, c.email FROM orders o JOIN customers c ON c.id = o.customer_id";

#[test]
fn an_or_over_two_tables_becomes_two_branches() {
    becomes(
        "or-to-union",
        &format!("{JOINED} WHERE o.status = 'new' OR c.email = 'a@b.c'"),
        "SELECT o.id, c.email FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = 'new' UNION ALL SELECT o.id, c.email FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = 'a@b.c' AND o.status = 'new' IS NOT TRUE",
    );
    for old in [
        format!("{JOINED} WHERE o.status = 'new' OR o.id = 5"),
        format!("{JOINED} WHERE o.status = 'new' OR random() < 0.5 OR c.id = 5"),
        format!("{JOINED} WHERE o.status = 'new' OR c.email = 'a' ORDER BY o.total + 1"),
        format!("{JOINED} WHERE o.status = 'new' OR c.email = 'a' LIMIT 5"),
        "SELECT count(*) FROM orders o, customers c WHERE c.id = o.customer_id AND (o.status = 'new' OR c.email = 'a')".into(),
    ] {
        stays("or-to-union", |_| {}, &old);
    }
}

#[test]
fn the_first_rows_of_each_side_are_enough_where_the_order_is_total() {
    becomes(
        "or-limit-to-union",
        "SELECT id, status FROM orders WHERE status = 'new' OR customer_id = 7 ORDER BY id DESC LIMIT 10 OFFSET 5",
        "(SELECT id, status FROM orders WHERE status = 'new' ORDER BY id DESC LIMIT 15) UNION ALL (SELECT id, status FROM orders WHERE customer_id = 7 AND status = 'new' IS NOT TRUE ORDER BY id DESC LIMIT 15) ORDER BY id DESC LIMIT 10 OFFSET 5",
    );
    for old in [
        // Ties, a key that is not returned, values that may be equal, more than one list.
        "SELECT id FROM orders WHERE status = 'new' OR customer_id = 7 ORDER BY placed_at LIMIT 10",
        "SELECT status FROM orders WHERE status = 'new' OR customer_id = 7 ORDER BY id LIMIT 10",
        "SELECT id FROM orders WHERE status IN ('new', 'new') ORDER BY id LIMIT 10",
        "SELECT id FROM orders WHERE total IN (1, 1.0) ORDER BY id LIMIT 10",
        "SELECT id FROM orders WHERE status IN ('a', 'b') AND customer_id IN (1, 2) ORDER BY id LIMIT 10",
        "SELECT id FROM orders WHERE status = 'new' OR customer_id = 7 ORDER BY id FETCH FIRST 10 ROWS WITH TIES",
    ] {
        stays("or-limit-to-union", |_| {}, old);
    }
}

#[test]
fn a_start_of_page_becomes_a_row() {
    becomes(
        "keyset-or-to-row",
        "SELECT id FROM orders WHERE placed_at < $1 OR (placed_at = $1 AND id <= $2)",
        "SELECT id FROM orders WHERE (placed_at, id) <= ($1, $2)",
    );
    for condition in [
        "placed_at < $1 OR (placed_at = $1 AND id > $2)",
        "placed_at <= $1 OR (placed_at = $1 AND id < $2)",
        "placed_at < $1 OR (placed_at = $3 AND id < $2)",
        "placed_at < $1 OR (placed_at = $1 AND (id < $2 OR note = 'x'))",
        "placed_at < clock_timestamp() OR (placed_at = clock_timestamp() AND id < $2)",
    ] {
        let old = format!("SELECT id FROM orders WHERE {condition}");
        stays("keyset-or-to-row", |_| {}, &old);
    }
}

#[test]
fn a_join_that_only_asks_becomes_exists() {
    let old = "SELECT DISTINCT c.id, c.email FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.total > 5 AND c.born > '2000-01-01'";
    becomes(
        "distinct-to-exists",
        old,
        "SELECT c.id, c.email FROM customers c WHERE c.born > '2000-01-01' AND EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.total > 5)",
    );
    stays("distinct-to-exists", |catalog| catalog.relations[1].indexes.clear(), old);
    stays("distinct-to-exists", |catalog| catalog.relations[1].columns[0].not_null = false, old);
    stays("distinct-to-exists", |catalog| catalog.relations[1].indexes[0].valid = false, old);
    stays("distinct-to-exists", |catalog| catalog.relations[1].indexes[0].immediate = false, old);
    for old in [
        "SELECT DISTINCT c.email FROM customers c JOIN orders o ON o.customer_id = c.id",
        "SELECT DISTINCT c.id, o.id FROM customers c JOIN orders o ON o.customer_id = c.id",
        "SELECT DISTINCT c.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id",
    ] {
        stays("distinct-to-exists", |_| {}, old);
    }
}

#[test]
fn a_join_nothing_is_taken_from_goes() {
    let old =
        "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.total > 5";
    becomes("unused-join", old, "SELECT o.id FROM orders o WHERE o.total > 5");
    let key = |catalog: &mut RelationalCatalog, change: fn(&mut Constraint)| {
        change(catalog.relations[0].constraints.last_mut().unwrap());
    };
    stays("unused-join", |catalog| key(catalog, |key| key.validated = false), old);
    stays("unused-join", |catalog| key(catalog, |key| key.definition += " DEFERRABLE"), old);
    stays("unused-join", |catalog| catalog.relations[1].row_security = true, old);
    stays("unused-join", |catalog| catalog.relations[0].row_security = true, old);
    for old in [
        JOINED.to_string(),
        "SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id".into(),
        "SELECT o.id FROM orders o LEFT JOIN customers c ON c.id = o.customer_id".into(),
        "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.born > '2000-01-01'".into(),
        "SELECT o.id FROM orders o JOIN customers c ON c.id < o.customer_id".into(),
        "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE EXISTS (SELECT 1 FROM orders x WHERE x.note = c.email)".into(),
    ] {
        stays("unused-join", |_| {}, &old);
    }
    let mut nullable = shop();
    column(&mut nullable, "customer_id").not_null = false;
    assert_eq!(
        named(&nullable, old, "unused-join").as_deref(),
        Some("SELECT o.id FROM orders o WHERE o.total > 5 AND o.customer_id IS NOT NULL")
    );
}

#[test]
fn the_newest_of_each_group_is_looked_up() {
    let old = "SELECT x.id, x.note FROM (SELECT o.*, row_number() OVER (PARTITION BY customer_id ORDER BY placed_at DESC, id DESC) AS rn FROM orders o) x WHERE x.rn = 1";
    becomes(
        "top1-to-lateral",
        old,
        "SELECT x.id, x.note FROM (SELECT id AS group_key FROM public.customers) groups, LATERAL (SELECT o.*, 1::bigint AS rn FROM orders o WHERE o.customer_id = groups.group_key ORDER BY placed_at DESC, id DESC LIMIT 1) x",
    );
    stays("top1-to-lateral", |catalog| column(catalog, "customer_id").not_null = false, old);
    stays("top1-to-lateral", |catalog| catalog.relations[0].constraints.truncate(1), old);
    for old in [
        // Ties; two of each; another window.
        "SELECT x.id FROM (SELECT o.*, row_number() OVER (PARTITION BY customer_id ORDER BY placed_at DESC) AS rn FROM orders o) x WHERE x.rn = 1",
        "SELECT x.id FROM (SELECT o.*, row_number() OVER (PARTITION BY customer_id ORDER BY id) AS rn FROM orders o) x WHERE x.rn <= 2",
        "SELECT x.id FROM (SELECT o.*, rank() OVER (PARTITION BY customer_id ORDER BY id) AS rn FROM orders o) x WHERE x.rn = 1",
        "SELECT x.id FROM (SELECT o.*, row_number() OVER (PARTITION BY status ORDER BY id) AS rn FROM orders o) x WHERE x.rn = 1",
    ] {
        stays("top1-to-lateral", |_| {}, old);
    }
}

#[test]
fn few_values_are_jumped_between() {
    becomes(
        "distinct-to-skip-scan",
        "SELECT DISTINCT status FROM orders ORDER BY status DESC",
        "WITH RECURSIVE jumps(status) AS ((SELECT orders.status FROM orders ORDER BY orders.status LIMIT 1) UNION ALL SELECT (SELECT orders.status FROM orders WHERE orders.status > jumps.status ORDER BY orders.status LIMIT 1) FROM jumps WHERE jumps.status IS NOT NULL) SELECT jumps.status FROM jumps WHERE jumps.status IS NOT NULL ORDER BY status DESC",
    );
    let old = "SELECT DISTINCT status FROM orders";
    stays("distinct-to-skip-scan", |catalog| catalog.relations[0].indexes.truncate(1), old);
    stays(
        "distinct-to-skip-scan",
        |catalog| column(catalog, "status").collation = Some("nocase".into()),
        old,
    );
    stays("distinct-to-skip-scan", |_| {}, "SELECT DISTINCT customer_id FROM orders");
    stays("distinct-to-skip-scan", |_| {}, "SELECT DISTINCT status FROM orders WHERE total > 5");
}

#[test]
fn branches_that_share_nothing_need_no_union() {
    becomes(
        "union-to-union-all",
        "SELECT id, note FROM orders WHERE status = 'new' UNION SELECT id, note FROM orders WHERE status = 'paid'",
        "SELECT id, note FROM orders WHERE status = 'new' UNION ALL SELECT id, note FROM orders WHERE status = 'paid'",
    );
    for old in [
        "SELECT id FROM orders WHERE status = 'new' UNION SELECT id FROM orders WHERE total = 5",
        "SELECT note FROM orders WHERE status = 'new' UNION SELECT note FROM orders WHERE status = 'paid'",
        "SELECT id FROM orders UNION SELECT id FROM customers",
        "SELECT 'a', note FROM orders UNION SELECT 'b', email FROM customers",
    ] {
        stays("union-to-union-all", |_| {}, old);
    }
}

#[test]
fn the_smaller_ones_read_as_they_were_written() {
    becomes(
        "count-distinct-to-group",
        "SELECT status, count(DISTINCT customer_id) AS buyers FROM orders WHERE total > 5 GROUP BY status ORDER BY buyers DESC",
        "SELECT distinct_rows.status, count(distinct_rows.customer_id) AS buyers FROM (SELECT status, customer_id FROM orders WHERE total > 5 GROUP BY status, customer_id) distinct_rows GROUP BY distinct_rows.status ORDER BY 2 DESC",
    );
    becomes(
        "count-to-exists",
        "SELECT id FROM customers c WHERE (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) = 0",
        "SELECT id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
    );
    becomes(
        "late-row-lookup",
        "SELECT id, note FROM orders ORDER BY id LIMIT 20 OFFSET 5000",
        "SELECT id, note FROM orders WHERE orders.id IN (SELECT orders.id FROM orders ORDER BY id LIMIT 20 OFFSET 5000) ORDER BY id",
    );
    becomes(
        "coalesce-to-column",
        "SELECT id FROM orders WHERE coalesce(note, '') = 'x' AND coalesce(items, 5) >= 3",
        "SELECT id FROM orders WHERE note = 'x' AND (items >= 3 OR items IS NULL)",
    );
    becomes(
        "range-over-join",
        "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id AND c.born > '2000-01-01' WHERE c.id BETWEEN 5 AND 9",
        "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id AND c.born > '2000-01-01' WHERE c.id BETWEEN 5 AND 9 AND o.customer_id BETWEEN 5 AND 9",
    );
    becomes(
        "values-to-any",
        "SELECT id FROM orders WHERE status IN (VALUES ('a'), ('b'))",
        "SELECT id FROM orders WHERE status IN ('a', 'b')",
    );
    stays(
        "values-to-any",
        |catalog| catalog.version = Version::new(18, 0, 0),
        "SELECT id FROM orders WHERE status IN (VALUES ('a'), ('b'))",
    );
    stays(
        "late-row-lookup",
        |_| {},
        "SELECT id, note FROM orders ORDER BY placed_at LIMIT 20 OFFSET 5000",
    );
    stays(
        "coalesce-to-column",
        |_| {},
        "SELECT id FROM orders WHERE NOT (coalesce(note, '') = 'x')",
    );
    stays(
        "count-to-exists",
        |_| {},
        "SELECT id FROM customers c WHERE (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) > 1",
    );
}
