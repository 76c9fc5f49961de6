use super::support::*;

/// The type `money`
pub static RULE: Check = rule(
    "money-type",
    "The type money",
    Severity::Medium,
    "`money` knows no currency, rounds divisions to cents, and reads and prints by `lc_monetary`: a \
     dump restored under another locale means other amounts. Use `numeric` and a column for the \
     currency.",
    WIKI,
    &[
        bad("a column", "CREATE TABLE items (id bigint PRIMARY KEY, price money);"),
        good("numeric", "CREATE TABLE items (id bigint PRIMARY KEY, price numeric(12,2));"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    columns(catalog)
        .filter(|(_, column)| column.type_name == "money")
        .map(|(table, column)| {
            retype(
                Severity::Medium,
                table,
                column,
                "numeric(12,2)",
                "has the type money",
                "What it means hangs on the server's lc_monetary.",
            )
        })
        .collect()
}
