use super::{only, rewritten};

#[test]
fn a_comparison_that_converts_a_whole_number_gets_the_bare_column() {
    for (condition, bare) in [
        ("items = 55.0", "items = 55"),
        ("items = 55.0::float8", "items = 55"),
        ("items > 55::numeric", "items > 55"),
        ("7.00 <= o.items", "o.items >= 7"),
        ("items + 1 = 5", "items = 4"),
        ("items - 10 < 5", "items < 15"),
        ("5 = 1 + items", "items = 4"),
        ("customer_id + 1 = 5000000000", "customer_id = 4999999999"),
        ("items::text = '-7'", "items = -7"),
        (
            "date(placed_at) = '2024-02-29'",
            "placed_at >= '2024-02-29'::timestamp AND placed_at < '2024-03-01'::timestamp",
        ),
    ] {
        let new = only(&format!("SELECT id FROM orders o WHERE {condition}"));
        assert_eq!(new, format!("SELECT id FROM orders o WHERE {bare}"));
    }
}

#[test]
fn a_conversion_stays_where_the_bare_column_would_mean_something_else() {
    for condition in [
        // Between two whole numbers, and beyond what doubles tell apart.
        "items = 55.5",
        "customer_id = 9007199254740993::float8",
        // Not how the number prints.
        "items::text = '007'",
        "items::text < '7'",
        // No number of that type.
        "items + 1 = 3000000000",
        "items = 1e300",
        // Not a column of whole numbers.
        "total + 1 = 5",
        "note::text = '7'",
        // Nothing to mend.
        "items = 55",
        "items <> 55.0",
        "items * 2 = 10",
    ] {
        let sql = format!("SELECT id FROM orders WHERE {condition}");
        assert_eq!(rewritten(&sql, "UTC"), [], "{sql}");
    }
}
