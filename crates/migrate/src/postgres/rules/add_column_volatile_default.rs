use super::support::*;

/// A column is added whose default differs from row to row: the table is rewritten
pub static RULE: Rule<Context> = rule(
    2,
    "add-column-volatile-default",
    "A column is added whose default differs from row to row: the table is rewritten",
    Severity::High,
    None,
    "A default such as random(), gen_random_uuid() or clock_timestamp() cannot be kept \
     once for all rows, so every row and every index is written anew under ACCESS \
     EXCLUSIVE.\n\nAdd the column without a default, SET DEFAULT for the rows to come, \
     and fill the others in batches.",
    &[
        bad(
            "a random identifier",
            shop!(),
            "ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid()",
        ),
        good(
            "the default for new rows alone",
            shop!(),
            "ALTER TABLE users ADD COLUMN token uuid; ALTER TABLE users ALTER COLUMN token SET DEFAULT gen_random_uuid()",
        ),
        good(
            "now() is the same for all rows",
            shop!(),
            "ALTER TABLE users ADD COLUMN seen timestamptz DEFAULT now()",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    of_kind(
        context,
        NewColumn::Volatile,
        "has a default that differs from row to row: every row is written anew",
        "Add the column without a default, SET DEFAULT for rows to come, and fill the others in \
         batches.",
    )
}
