use super::support::*;

/// A serial or identity column is added: the table is rewritten
pub static RULE: Rule<Context> = rule(
    3,
    "add-column-identity",
    "A serial or identity column is added: the table is rewritten",
    Severity::High,
    None,
    "Every row gets a number of its own, so every row and every index is written anew \
     under ACCESS EXCLUSIVE.\n\nAdd a nullable column, fill it in batches, then attach \
     the sequence.",
    &[
        bad("serial", shop!(), "ALTER TABLE users ADD COLUMN number serial"),
        bad(
            "identity",
            shop!(),
            "ALTER TABLE users ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY",
        ),
        good("a plain column first", shop!(), "ALTER TABLE users ADD COLUMN number bigint"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    of_kind(
        context,
        NewColumn::Serial,
        "numbers the rows: every row is written anew",
        "Add a nullable column, fill it in batches, make the sequence its default, and SET NOT \
         NULL by way of a CHECK.",
    )
}
