use super::support::*;

/// A column is added with UNIQUE or PRIMARY KEY: an index is built under the lock
pub static RULE: Rule<Context> = rule(
    9,
    "add-column-unique",
    "A column is added with UNIQUE or PRIMARY KEY: an index is built under the lock",
    Severity::High,
    None,
    "The index is built over all rows under ACCESS EXCLUSIVE.\n\nAdd the column alone, \
     CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … UNIQUE USING INDEX.",
    &[
        bad("inline", shop!(), "ALTER TABLE users ADD COLUMN login text UNIQUE"),
        good(
            "index first, without a lock",
            shop!(),
            "ALTER TABLE users ADD COLUMN login text; CREATE UNIQUE INDEX CONCURRENTLY users_login_key ON users (login)",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .new_columns()
        .into_iter()
        .filter(|(_, column)| {
            has_inline(column, Kind::ConstrUnique) || has_inline(column, Kind::ConstrPrimary)
        })
        .map(|(add, column)| {
            let title =
                format!("an index on the new column {}.{} is built", add.table, column.colname);
            heavy(add.lock, &add.table, Work::Build, title, "Add the column alone, CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX.")
        })
        .collect()
}
