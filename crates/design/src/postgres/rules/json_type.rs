use super::support::*;

/// JSON kept as it was written
pub static RULE: Check = rule(
    "json-type",
    "JSON kept as it was written",
    Severity::Low,
    "`json` stores the text with its blanks and parses it for each question; it has no equality, so \
     DISTINCT and UNION fail on it, and no GIN index. `jsonb` is parsed once. Keep `json` only where \
     the very text matters (a signed document).",
    "PostgreSQL manual, JSON types",
    &[
        bad("json", "CREATE TABLE events (id bigint PRIMARY KEY, body json);"),
        good("jsonb", "CREATE TABLE events (id bigint PRIMARY KEY, body jsonb);"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    columns(catalog)
        .filter(|(_, column)| column.type_name == "json")
        .map(|(table, column)| {
            retype(
                Severity::Low,
                table,
                column,
                "jsonb",
                "is json, not jsonb",
                "Each question parses it anew, and no index serves it.",
            )
        })
        .collect()
}
