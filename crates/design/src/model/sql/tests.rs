//! What a SELECT is as a path, and what no path can say.
#![allow(clippy::unwrap_used, clippy::panic)]

use marula_core::ErrorKind;
use marula_core::model::Model;
use serde_json::{Value, json};

use super::access_path;
use crate::model::read;

const SHOP: &str = "
name: shop
entities:
  - {name: customers, rows: 1000, attributes: [
      {name: id, type: id}, {name: email, type: text, required: true}, {name: active, type: boolean},
      {name: tags, type: list, of: text}, {name: joined, type: timestamp}]}
  - {name: orders, rows: 5000, attributes: [
      {name: id, type: id}, {name: customer_id, required: true}, {name: referrer_id},
      {name: status, type: enumeration, values: [open, paid]}, {name: total, type: money},
      {name: placed, type: timestamp, required: true}]}
  - {name: order_lines, key: [order_id, line], rows: 20000, attributes: [
      {name: order_id, required: true}, {name: line, type: integer}, {name: product_id, required: true},
      {name: quantity, type: integer, required: true}, {name: price, type: money, required: true}]}
  - {name: products, rows: 300, attributes: [{name: id, type: id}, {name: title, type: text}]}
relations:
  - {from: orders, attributes: [customer_id], to: customers, name: customer, inverse: orders}
  - {from: orders, attributes: [referrer_id], to: customers, name: referrer, inverse: referred}
  - {from: order_lines, attributes: [order_id], to: orders, name: order, inverse: lines, owned: true}
  - {from: order_lines, attributes: [product_id], to: products, name: product}
";

fn shop() -> Model {
    let read = read(SHOP, "shop.yaml").unwrap();
    assert!(!read.is_faulty(), "{:#?}", read.mistakes);
    read.model
}

fn path(sql: &str) -> Value {
    match access_path(&shop(), sql) {
        Ok(path) => serde_json::to_value(path).unwrap(),
        Err(error) => panic!("{sql}: {error}"),
    }
}

fn refused(sql: &str) -> String {
    match access_path(&shop(), sql) {
        Ok(path) => panic!("{sql} is {path:?}"),
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            let message = error.message().to_string();
            assert!(error.marked().is_some(), "{sql}");
            message.split(" cannot be said as an access path").next().unwrap().to_string()
        }
        Err(error) => format!("{:?}: {}", error.kind(), error.message()),
    }
}

#[test]
fn one_row_by_its_key() {
    assert_eq!(
        path("SELECT * FROM orders WHERE id = $1"),
        json!({"from": "orders", "where": [{"attribute": "id", "is": "=", "parameter": 1}]})
    );
}

#[test]
fn joins_follow_relationships_in_both_directions() {
    let expected = json!({
        "from": "orders",
        "where": [{"attribute": "id", "is": "=", "parameter": 1}],
        "select": ["id", "customer.email", "lines.quantity", "lines.product.title"],
    });
    for sql in [
        "SELECT o.id, c.email, l.quantity, p.title FROM orders o JOIN customers c ON c.id = \
         o.customer_id JOIN order_lines l ON l.order_id = o.id JOIN products p ON p.id = \
         l.product_id WHERE o.id = $1",
        "SELECT o.id, email, quantity, title AS product FROM orders o, customers c, order_lines l, \
         products p WHERE o.customer_id = c.id AND o.id = l.order_id AND l.product_id = p.id \
         AND $1 = o.id",
    ] {
        assert_eq!(path(sql), expected, "{sql}");
    }
}

#[test]
fn of_two_relationships_the_one_that_is_joined_along_is_followed() {
    let sql =
        "SELECT o.id FROM orders o JOIN customers c ON c.id = o.referrer_id WHERE c.email = $1";
    assert_eq!(path(sql)["where"][0]["attribute"], "referrer.email");
    let sql = "SELECT o.id FROM customers c JOIN orders o ON c.id = o.referrer_id";
    assert_eq!(path(sql)["select"], json!(["referred.id"]));
}

#[test]
fn a_join_that_nothing_names_is_followed_all_the_same() {
    let sql = "SELECT c.* FROM customers c JOIN orders o ON o.customer_id = c.id \
               JOIN order_lines l ON l.order_id = o.id";
    assert_eq!(path(sql), json!({"from": "customers", "follow": ["orders.lines"]}));
}

#[test]
fn conditions_are_said_as_operators() {
    let sql = "SELECT id FROM orders WHERE total BETWEEN 10 AND 20.5 AND status IN ('open', 'paid') \
               AND placed >= $1 AND referrer_id IS NULL AND id <> ALL (ARRAY[1, 2])";
    assert_eq!(
        path(sql)["where"],
        json!([
            {"attribute": "total", "is": ">=", "value": 10},
            {"attribute": "total", "is": "<=", "value": 20.5},
            {"attribute": "status", "is": "in", "value": ["open", "paid"]},
            {"attribute": "placed", "is": ">=", "parameter": 1},
            {"attribute": "referrer_id", "is": "missing"},
            {"attribute": "id", "is": "<>", "value": 1},
            {"attribute": "id", "is": "<>", "value": 2},
        ])
    );
    let sql = "SELECT id FROM customers WHERE email LIKE 'a\\_b%' AND active AND $1 = ANY (tags) \
               AND id = ANY ($2) AND starts_with(email, $3) \
               AND to_tsvector('simple', email) @@ plainto_tsquery('simple', $4)";
    assert_eq!(
        path(sql)["where"],
        json!([
            {"attribute": "email", "is": "starts with", "value": "a_b"},
            {"attribute": "active", "is": "=", "value": true},
            {"attribute": "tags", "is": "contains", "parameter": 1},
            {"attribute": "id", "is": "in", "parameter": 2},
            {"attribute": "email", "is": "starts with", "parameter": 3},
            {"attribute": "email", "is": "matches", "parameter": 4},
        ])
    );
    let sql = "SELECT id FROM orders WHERE status = 'open' OR status = 'paid'";
    assert_eq!(path(sql)["where"][0]["value"], json!(["open", "paid"]));
}

#[test]
fn groups_aggregates_order_and_limit() {
    let sql = "SELECT c.id, c.email, count(*) AS orders, sum(l.quantity * l.price) AS revenue \
               FROM orders o JOIN customers c ON c.id = o.customer_id JOIN order_lines l ON \
               l.order_id = o.id WHERE o.placed >= $1 GROUP BY c.id ORDER BY revenue DESC, 1 LIMIT 10";
    assert_eq!(
        path(sql),
        json!({
            "from": "orders",
            "where": [{"attribute": "placed", "is": ">=", "parameter": 1}],
            "select": ["customer.id", "customer.email"],
            "group": ["customer.id", "customer.email"],
            "aggregates": [
                {"function": "count", "name": "orders"},
                {"function": "sum", "attribute": "lines.quantity", "times": "lines.price",
                 "name": "revenue"},
            ],
            "sort": [{"by": "revenue", "descending": true}, {"by": "customer.id"}],
            "limit": 10,
        })
    );
    let sql = "SELECT DISTINCT status FROM orders ORDER BY status NULLS FIRST";
    let expected = json!({"from": "orders", "select": ["status"], "group": ["status"],
                          "sort": [{"by": "status"}]});
    assert_eq!(path(sql), expected);
    assert_eq!(
        path("SELECT count(*) FROM orders"),
        json!({"from": "orders", "aggregates": [{"function": "count", "name": "count"}]})
    );
    // An aggregate's name is never that of an attribute.
    assert_eq!(path("SELECT sum(total) AS total FROM orders")["aggregates"][0]["name"], "total_2");
    let sql = "SELECT status, count(*) FROM orders GROUP BY 1 ORDER BY count(*) DESC";
    assert_eq!(path(sql)["sort"][0]["by"], "count");
}

#[test]
fn a_left_join_to_what_is_always_there_is_a_plain_one() {
    let sql = "SELECT o.id, c.email FROM orders o LEFT JOIN customers c ON c.id = o.customer_id";
    assert_eq!(path(sql)["select"], json!(["id", "customer.email"]));
    let sql = "SELECT o.id, c.email FROM orders o LEFT JOIN customers c ON c.id = o.referrer_id";
    assert_eq!(path(sql)["optional"], json!(["referrer"]));
}

#[test]
fn a_left_join_leads_to_what_need_not_be_there() {
    let sql = "SELECT c.id, o.id, l.line FROM customers c LEFT JOIN orders o ON c.id = \
               o.customer_id LEFT JOIN order_lines l ON l.order_id = o.id WHERE c.email = $1";
    assert_eq!(
        path(sql),
        json!({
            "from": "customers",
            "optional": ["orders", "orders.lines"],
            "where": [{"attribute": "email", "is": "=", "parameter": 1}],
            "select": ["id", "orders.id", "orders.lines.line"],
        })
    );
    let sql = "SELECT c.id FROM customers c LEFT JOIN orders o USING (id)";
    assert!(refused(sql).contains("is no relationship"), "{}", refused(sql));
    // What nobody has: only that may be missing.
    let sql = "SELECT c.id FROM customers c LEFT JOIN orders o ON c.id = o.customer_id \
               WHERE o.id IS NULL";
    assert_eq!(path(sql)["optional"], json!(["orders"]));
}

#[test]
fn what_is_asked_for_has_to_be_there_and_all_on_the_way_to_it() {
    let left = "SELECT c.id FROM customers c LEFT JOIN orders o ON c.id = o.customer_id";
    for more in [
        "WHERE o.status = 'open'",
        "JOIN order_lines l ON l.order_id = o.id",
        "LEFT JOIN order_lines l ON l.order_id = o.id WHERE l.quantity > 3",
        "LEFT JOIN order_lines l ON l.order_id = o.id JOIN products p ON p.id = l.product_id",
    ] {
        assert_eq!(path(&format!("{left} {more}")).get("optional"), None, "{more}");
    }
    // The tables of a condition of its own are not the ones that are joined.
    let sql = "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id LEFT JOIN \
               order_lines l ON c.id = o.customer_id WHERE l.order_id = o.id";
    assert_eq!(refused(sql), "a left join with a condition");
}

#[test]
fn an_or_is_groups_of_alternatives() {
    let sql = "SELECT id FROM orders WHERE placed > $1 AND (status = 'open' OR total > 5)";
    let path_of_it = path(sql);
    assert_eq!(path_of_it["where"], json!([{"attribute": "placed", "is": ">", "parameter": 1}]));
    assert_eq!(
        path_of_it["any"],
        json!([[
            {"attribute": "status", "is": "=", "value": "open"},
            {"attribute": "total", "is": ">", "value": 5},
        ]])
    );
    let sql = "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id \
               WHERE (o.status = 'open' AND c.active) OR o.status = 'paid'";
    assert_eq!(
        path(sql)["any"],
        json!([[
            {"attribute": "customer.active", "is": "=", "value": true},
            {"attribute": "status", "is": "=", "value": "paid"},
        ]])
    );
    assert_eq!(
        path(sql)["where"],
        json!([{"attribute": "status", "is": "in", "value": ["open", "paid"]}])
    );
    let many: Vec<String> = (0..40).map(|n| format!("(total = {n} AND id > {n})")).collect();
    let sql = format!("SELECT id FROM orders WHERE {}", many.join(" OR "));
    assert_eq!(refused(&sql), "an OR of this many parts");
}

#[test]
fn having_compares_an_aggregate_with_a_constant() {
    let sql = "SELECT status, count(*) FROM orders GROUP BY status HAVING count(*) > 1 \
               AND 100.5 <= sum(total) AND status <> 'paid'";
    assert_eq!(
        path(sql),
        json!({
            "from": "orders",
            "where": [{"attribute": "status", "is": "<>", "value": "paid"}],
            "select": ["status"],
            "group": ["status"],
            "aggregates": [
                {"function": "count", "name": "count"},
                {"function": "sum", "attribute": "total", "name": "sum"},
            ],
            "having": [
                {"attribute": "count", "is": ">", "value": 1},
                {"attribute": "sum", "is": ">=", "value": 100.5},
            ],
        })
    );
    for (more, name) in [
        ("HAVING count(*) > $1", "HAVING with anything but a constant"),
        ("HAVING count(*) > 1 OR sum(total) > 5", "this HAVING"),
        ("HAVING count(*) BETWEEN 1 AND 2", "this HAVING"),
        ("HAVING total > 1", "Usage: total must be in GROUP BY or in an aggregate"),
    ] {
        let sql = format!("SELECT status FROM orders GROUP BY status {more}");
        assert_eq!(refused(&sql), name, "{more}");
    }
    let sql = "SELECT count(*) FROM orders HAVING count(*) > 1";
    assert_eq!(refused(sql), "HAVING without GROUP BY");
}

#[test]
fn what_no_path_can_say_is_refused_by_name() {
    for (sql, name) in [
        ("SELECT id, row_number() OVER (ORDER BY id) FROM orders", "a window function"),
        ("SELECT id FROM orders UNION SELECT id FROM customers", "UNION, INTERSECT or EXCEPT"),
        ("WITH x AS (SELECT 1) SELECT id FROM orders", "WITH"),
        ("SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM order_lines)", "a subquery"),
        ("SELECT id FROM orders WHERE total > (SELECT 1)", "a subquery"),
        ("SELECT id FROM (SELECT id FROM orders) x", "a subquery in FROM"),
        (
            "SELECT id FROM orders WHERE status = 'open' OR id = customer_id",
            "a comparison of two attributes",
        ),
        ("SELECT id FROM orders WHERE NOT (total > 5)", "NOT"),
        ("SELECT id FROM orders OFFSET 10", "OFFSET"),
        ("SELECT id FROM orders LIMIT $1", "a LIMIT that is a parameter"),
        ("SELECT count(DISTINCT status) FROM orders", "an aggregate over DISTINCT values"),
        ("SELECT DISTINCT ON (status) id FROM orders", "DISTINCT ON"),
        ("SELECT total * 2 FROM orders", "a computed value in the answer"),
        ("SELECT upper(email) FROM customers", "the function upper"),
        ("SELECT id FROM customers WHERE lower(email) = $1", "a function call"),
        ("SELECT id FROM orders WHERE placed > now()", "the server's clock"),
        ("SELECT id FROM orders WHERE placed::date = $1", "a cast of an attribute"),
        ("SELECT id FROM orders WHERE id IN ($1, $2)", "a list of several parameters"),
        (
            "SELECT id FROM customers WHERE email LIKE $1",
            "LIKE with a pattern that is computed or a parameter",
        ),
        ("SELECT id FROM customers WHERE email LIKE '%x'", "a pattern with % or _ before its end"),
        ("SELECT id FROM customers WHERE email ILIKE 'x%'", "ILIKE"),
        ("SELECT o.id FROM orders o, customers c", "a cross join"),
        ("SELECT id FROM orders WHERE customer_id = referrer_id", "a comparison of two attributes"),
        (
            "SELECT id FROM orders ORDER BY total",
            "an order by what may be missing, without NULLS FIRST,",
        ),
        (
            "SELECT id FROM orders ORDER BY total DESC",
            "an order by what may be missing, without NULLS LAST,",
        ),
        ("SELECT id FROM orders FOR UPDATE", "a row lock (FOR UPDATE)"),
        (
            "SELECT id FROM orders WHERE total = NULL",
            "a comparison with NULL, which is never true,",
        ),
        ("SELECT coalesce(total, 0) FROM orders", "COALESCE in the answer"),
        ("INSERT INTO orders (id) VALUES (1)", "what is no SELECT"),
        (
            "SELECT a.id FROM orders a JOIN customers c ON a.customer_id = c.id JOIN customers d ON \
          a.customer_id = d.id",
            "following the relationship customer twice",
        ),
    ] {
        assert_eq!(refused(sql), name, "{sql}");
    }
    // What is always there is sorted alike everywhere.
    path("SELECT id FROM orders ORDER BY placed NULLS LAST");
    path("SELECT id FROM orders WHERE total > 5 ORDER BY total DESC");
    path("SELECT id FROM orders ORDER BY total NULLS FIRST");
}

/// The average, the least and the most of what may be missing may be missing too.
#[test]
fn an_order_by_an_aggregate_says_where_missing_ones_stand() {
    let asked = |order: &str| {
        format!(
            "SELECT customer_id, avg(total) AS a FROM orders GROUP BY customer_id ORDER BY {order}"
        )
    };
    let sorted = |order: &str| path(&asked(order))["sort"][0]["descending"] == true;
    assert!(sorted("a DESC NULLS LAST"));
    assert!(sorted("avg(total) DESC NULLS LAST"));
    assert!(!sorted("a NULLS FIRST"));
    assert_eq!(refused(&asked("a DESC")), "an order by what may be missing, without NULLS LAST,");
    assert_eq!(
        refused(&asked("a NULLS LAST")),
        "an order by what may be missing, without NULLS FIRST,"
    );
    let summed = "SELECT customer_id, sum(total) AS s FROM orders GROUP BY customer_id ORDER BY s \
                  DESC NULLS LAST";
    assert_eq!(refused(summed), "an order by a sum of what may be missing");
}

#[test]
fn names_that_are_not_there_are_errors_with_what_was_meant() {
    for (sql, expected) in [
        ("SELECT id FROM order", "Syntax: syntax error at or near \"order\""),
        ("SELECT id FROM ordres", "NotFound: the model has no entity ordres"),
        ("SELECT stats FROM orders", "NotFound: no entity in FROM has stats"),
        ("SELECT o.stats FROM orders o", "NotFound: orders has no attribute stats"),
        (
            "SELECT id FROM orders o, customers c WHERE c.id = o.customer_id",
            "Usage: id is ambiguous: several entities in FROM have it",
        ),
        (
            "SELECT o.id FROM orders o JOIN customers c ON c.id = o.id",
            "NotFound: orders.id = customers.id is no relationship of the model",
        ),
        (
            "SELECT o.id FROM orders o JOIN products p ON p.id = o.id",
            "NotFound: the model has no relationship of orders and products",
        ),
        (
            "SELECT status, count(*) FROM orders",
            "Usage: status must be in GROUP BY or in an aggregate",
        ),
        (
            "SELECT id FROM orders WHERE total = 'many'",
            "Usage: total is compared with what is no number",
        ),
    ] {
        assert_eq!(refused(sql), expected, "{sql}");
    }
    let error = access_path(&shop(), "SELECT id FROM ordres").unwrap_err();
    assert_eq!(error.hints(), ["did you mean orders?"]);
    let marked = error.marked().unwrap();
    assert_eq!(&marked.text[marked.start..marked.end], "ordres");
}
