use super::support::*;

/// A column is dropped: who still reads it fails, and there is no way back
pub static RULE: Rule<Context> = rule(
    11,
    "drop-column",
    "A column is dropped: who still reads it fails, and there is no way back",
    Severity::Medium,
    None,
    "The lock is held for a moment and nothing is rewritten, but statements that name the \
     column fail at once, and the data is gone.\n\nFirst release a version of the program \
     that no longer reads or writes the column; then drop it, with a lock_timeout.",
    &[
        bad("a column of before", shop!(), "ALTER TABLE users DROP COLUMN code"),
        good(
            "a column of a table of the same file",
            shop!(),
            "CREATE TABLE notes (id int, a int); ALTER TABLE notes DROP COLUMN a",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .altered(At::AtDropColumn)
        .into_iter()
        .map(|drop| {
            let title = format!("{}.{} is dropped", drop.table, drop.cmd.name);
            locked(
                drop.lock,
                &drop.table,
                Severity::Medium,
                title,
                "What still reads it fails, and the data is gone: stop the reads first.",
            )
        })
        .collect()
}
