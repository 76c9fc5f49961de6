use super::support::*;

/// A time of day with a zone
pub static RULE: Check = rule(
    "time-with-zone",
    "A time of day with a zone",
    Severity::Low,
    "`timetz` keeps an offset but no date, so that summer time cannot be known. Use `timestamptz` for \
     a moment, `time` for an hour of the day.",
    WIKI,
    &[
        bad("a column", "CREATE TABLE shifts (id bigint PRIMARY KEY, begins timetz);"),
        good("time", "CREATE TABLE shifts (id bigint PRIMARY KEY, begins time);"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    columns(catalog)
        .filter(|(_, column)| base(column) == "time with time zone")
        .map(|(table, column)| {
            retype(
                Severity::Low,
                table,
                column,
                "time",
                "is a time of day with a zone",
                "Without the date nobody knows whether it is summer time.",
            )
        })
        .collect()
}
