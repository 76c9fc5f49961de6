use super::support::*;

/// A moment without a time zone
pub static RULE: Check = rule(
    "timestamp-without-zone",
    "A moment without a time zone",
    Severity::Medium,
    "`timestamp` is a picture of a clock: nobody knows whose. Clients in other zones read another \
     moment, and the hour that comes twice in autumn is one hour. `timestamptz` takes the same 8 \
     bytes and means a moment.\n\nA plan that is meant in local time (opening hours) is well kept \
     without a zone.",
    WIKI,
    &[
        bad(
            "when it was made",
            "CREATE TABLE orders (id bigint PRIMARY KEY, created_at timestamp);",
        ),
        good("timestamptz", "CREATE TABLE orders (id bigint PRIMARY KEY, created_at timestamptz);"),
        good(
            "local on purpose",
            "CREATE TABLE shops (id bigint PRIMARY KEY, opens_local timestamp);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    columns(catalog)
        .filter(|(_, column)| base(column) == "timestamp without time zone")
        .filter(|(_, column)| !names::has(&column.name, &["local", "wall"]))
        .map(|(table, column)| {
            retype(
                Severity::Medium,
                table,
                column,
                "timestamptz",
                "is a moment without a time zone",
                "Clients in other zones read another moment.",
            )
        })
        .collect()
}
