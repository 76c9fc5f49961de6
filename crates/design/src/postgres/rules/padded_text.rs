use super::support::*;

/// Texts padded with blanks
pub static RULE: Check = rule(
    "padded-text",
    "Texts padded with blanks",
    Severity::Low,
    "`char(n)` pads what is shorter with blanks, stores them, and ignores them in some comparisons \
     but not in others (`LIKE`). It is not faster than `text`. Use `text`, with a CHECK where the \
     length is a rule.",
    WIKI,
    &[
        bad("a code", "CREATE TABLE shops (id bigint PRIMARY KEY, code char(10));"),
        good("text", "CREATE TABLE shops (id bigint PRIMARY KEY, code text);"),
        good(
            "one letter pads nothing",
            "CREATE TABLE shops (id bigint PRIMARY KEY, kind char(1));",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    columns(catalog)
        .filter(|(_, column)| base(column) == "character" && column.type_name != "character(1)")
        .map(|(table, column)| {
            retype(
                Severity::Low,
                table,
                column,
                "text",
                "is padded with blanks",
                "Blanks are stored, and count in some comparisons only.",
            )
        })
        .collect()
}
