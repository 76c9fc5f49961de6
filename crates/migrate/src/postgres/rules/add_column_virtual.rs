use super::support::*;

/// A virtual generated column is added: a change of the catalogue alone
pub static RULE: Rule<Context> = rule(
    5,
    "add-column-virtual",
    "A virtual generated column is added: a change of the catalogue alone",
    Severity::Info,
    Some(Version::new(18, 0, 0)),
    "Nothing is stored, so nothing is written; the ACCESS EXCLUSIVE lock is held for a \
     moment.\n\nSet a lock_timeout, as for every column.",
    &[
        bad(
            "virtual",
            shop!(),
            "ALTER TABLE users ADD COLUMN older int GENERATED ALWAYS AS (age + 1) VIRTUAL",
        ),
        good(
            "with a lock_timeout",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE users ADD COLUMN older int GENERATED ALWAYS AS (age + 1) VIRTUAL",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .new_columns()
        .into_iter()
        .filter(|(_, column)| context.new_column(column) == NewColumn::Virtual)
        .map(|(add, column)| {
            let title = format!("{} gets the virtual column {}", add.table, column.colname);
            brief(add.lock, &add.table, title, "Nothing is stored.")
        })
        .collect()
}
