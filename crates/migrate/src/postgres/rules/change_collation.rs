use super::support::*;

/// A column's collation is changed: its indexes are built anew
pub static RULE: Rule<Context> = rule(
    31,
    "change-collation",
    "A column's collation is changed: its indexes are built anew",
    Severity::High,
    None,
    "The rows stay, but every index on the column is built anew under ACCESS EXCLUSIVE, \
     since it is in another order.\n\nBuild an index with the new collation CONCURRENTLY \
     (… (name COLLATE \"C\")) and let the statements ask for it, or add a new column.",
    &[
        bad(
            "an indexed column",
            concat!(shop!(), "CREATE INDEX users_name ON users (name);"),
            "ALTER TABLE users ALTER COLUMN name TYPE varchar(40) COLLATE \"C\"",
        ),
        good(
            "no index on it",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE users ALTER COLUMN name TYPE varchar(40) COLLATE \"C\"",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    retyped(context)
        .into_iter()
        .filter(|retyped| retyped.change == TypeChange::Free && retyped.collated)
        .map(|retyped| {
            let (lock, table) = (retyped.alter.lock, &retyped.alter.table);
            let title = format!("{} gets another collation", retyped.title());
            if retyped.checked {
                let title = title + ": a CHECK reads it, so every row is checked again";
                heavy(lock, table, Work::Scan, title, "Add a new column instead.")
            } else if retyped.indexed == Some(false) {
                brief(lock, table, title, "No index is on it.")
            } else {
                let title = title + ": its indexes are built anew";
                heavy(lock, table, Work::Build, title, "Build an index with the new collation CONCURRENTLY instead, or add a new column.")
            }
        })
        .collect()
}
