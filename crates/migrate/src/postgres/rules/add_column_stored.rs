use super::support::*;

/// A stored generated column is added: the table is rewritten
pub static RULE: Rule<Context> = rule(
    4,
    "add-column-stored",
    "A stored generated column is added: the table is rewritten",
    Severity::High,
    None,
    "The value is computed and stored for every row, which writes every row and every \
     index anew under ACCESS EXCLUSIVE.\n\nSince 18 a VIRTUAL column costs nothing. \
     Before, add a plain column, fill it from a trigger, and backfill in batches.",
    &[
        bad(
            "stored",
            shop!(),
            "ALTER TABLE users ADD COLUMN domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED",
        ),
        good("a plain column", shop!(), "ALTER TABLE users ADD COLUMN domain text"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    of_kind(
        context,
        NewColumn::Stored,
        "is computed and stored: every row is written anew",
        "Keep a plain column up to date with a trigger and backfill it in batches, or use a \
         VIRTUAL column (18).",
    )
}
