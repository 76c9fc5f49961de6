//! How aggregating before joining reads, and where it is not done.

use marula_core::Version;

use super::blocks::{becomes, column, stays};

#[test]
fn rows_with_one_join_key_are_summed_up_before_they_are_joined() {
    let name = "aggregate-before-join";
    becomes(
        name,
        "SELECT c.referred_by, sum(o.items) AS items, count(*) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.lane = 'a' AND c.email <> 'x' GROUP BY c.referred_by HAVING sum(o.items) > 5 ORDER BY items DESC",
        "SELECT c.referred_by, sum(o.part_1)::bigint AS items, sum(o.part_2)::bigint AS count FROM (SELECT o.customer_id, sum(o.items) AS part_1, count(*) AS part_2 FROM orders o WHERE o.lane = 'a' GROUP BY o.customer_id) o, customers c WHERE c.id = o.customer_id AND c.email <> 'x' GROUP BY c.referred_by HAVING sum(o.part_1)::bigint > 5 ORDER BY items DESC",
    );
    becomes(
        name,
        "SELECT o.status, max(o.total), sum(o.total * 2) FROM orders o, customers c WHERE c.id = o.customer_id GROUP BY 1 ORDER BY 1",
        "SELECT o.status, max(o.part_1), sum(o.part_2) FROM (SELECT o.customer_id, o.status, max(o.total) AS part_1, sum(o.total * 2) AS part_2 FROM orders o GROUP BY o.customer_id, o.status) o, customers c WHERE c.id = o.customer_id GROUP BY 1 ORDER BY 1",
    );
    for old in [
        // Nothing is joined, nothing is grouped, or what is joined is asked for more than its key.
        "SELECT status, sum(items) FROM orders GROUP BY status",
        "SELECT sum(o.items) FROM orders o JOIN customers c ON c.id = o.customer_id",
        "SELECT c.email, sum(o.items) FROM orders o JOIN customers c ON c.id < o.customer_id GROUP BY c.email",
        // Of both tables, of each value once, or in no two steps.
        "SELECT c.email, sum(o.items), max(c.born) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.email",
        "SELECT c.email, count(DISTINCT o.items) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.email",
        "SELECT c.email, avg(o.items) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.email",
        "SELECT c.email, sum(o.items) FILTER (WHERE o.id > 3) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.email",
        "SELECT c.email, sum(1 / o.items) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.email",
        // Every row has a key of its own.
        "SELECT c.email, o.id, sum(o.items) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.email, o.id",
        "SELECT c.email, sum(o.items) FROM orders o LEFT JOIN customers c ON c.id = o.customer_id GROUP BY c.email",
    ] {
        stays(name, |_| {}, old);
    }
    let old = "SELECT c.email, sum(o.items) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.email";
    stays(name, |catalog| column(catalog, "items").type_name = "double precision".into(), old);
    stays(name, |catalog| catalog.version = Version::new(19, 0, 0), old);
    stays(
        name,
        |catalog| column(catalog, "customer_id").statistics.as_mut().unwrap().distinct = -0.9,
        old,
    );
}
