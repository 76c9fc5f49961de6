use super::support::*;

/// Money in a binary fraction
pub static RULE: Check = rule(
    "money-in-float",
    "Money in a binary fraction",
    Severity::High,
    "`real` and `double precision` cannot hold 0.10: sums drift by cents, and equal amounts compare \
     as different. Use `numeric(12,2)`, or whole cents in a `bigint`.",
    WIKI,
    &[
        bad("a price", "CREATE TABLE items (id bigint PRIMARY KEY, unit_price double precision);"),
        good("numeric", "CREATE TABLE items (id bigint PRIMARY KEY, unit_price numeric(12,2));"),
        good("a rate", "CREATE TABLE items (id bigint PRIMARY KEY, tax_rate double precision);"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let float = |column: &Column| matches!(base(column).as_str(), "real" | "double precision");
    columns(catalog)
        .filter(|(_, column)| float(column) && names::is_money(&column.name))
        .map(|(table, column)| {
            retype(
                Severity::High,
                table,
                column,
                "numeric(12,2)",
                "holds money in a binary fraction",
                "Sums of it drift by cents.",
            )
        })
        .collect()
}
