use super::support::*;

/// PRIMARY KEY USING INDEX on a column that may be NULL: the whole table is read
pub static RULE: Rule<Context> = rule(
    19,
    "primary-key-nullable",
    "PRIMARY KEY USING INDEX on a column that may be NULL: the whole table is read",
    Severity::High,
    None,
    "The index is there, but the column must be made NOT NULL, and for that every row is \
     read under ACCESS EXCLUSIVE.\n\nMake the column NOT NULL in the safe way first.",
    &[
        bad(
            "a nullable column",
            "CREATE TABLE users (id bigint); INSERT INTO users SELECT i FROM generate_series(1, 500) i; CREATE UNIQUE INDEX users_id ON users (id);",
            "ALTER TABLE users ADD PRIMARY KEY USING INDEX users_id",
        ),
        good(
            "a nullable column that is only kept with the key",
            "CREATE TABLE users (id bigint NOT NULL, name text); INSERT INTO users SELECT i FROM generate_series(1, 500) i; CREATE UNIQUE INDEX users_id ON users (id) INCLUDE (name);",
            "SET lock_timeout = '1s'; ALTER TABLE users ADD PRIMARY KEY USING INDEX users_id",
        ),
        good(
            "NOT NULL already",
            "CREATE TABLE users (id bigint NOT NULL); INSERT INTO users SELECT i FROM generate_series(1, 500) i; CREATE UNIQUE INDEX users_id ON users (id);",
            "SET lock_timeout = '1s'; ALTER TABLE users ADD PRIMARY KEY USING INDEX users_id",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .added(Kind::ConstrPrimary)
        .into_iter()
        .filter(|(_, constraint)| !constraint.indexname.is_empty())
        .map(|(alter, constraint)| {
            let table = context.table(&alter.table);
            let index = table.and_then(|table| {
                table.indexes.iter().find(|index| index.name == constraint.indexname)
            });
            let filled = table.zip(index).is_some_and(|(table, index)| {
                let keys = index.columns.iter().filter(|column| !index.included.contains(column));
                keys.into_iter().all(|column| table.filled(column))
            });
            let title = format!("{} takes its primary key from an index", alter.table);
            if filled {
                brief(alter.lock, &alter.table, title, "Its columns are NOT NULL already.")
            } else {
                let title = title + " whose columns may be NULL: every row is read";
                heavy(alter.lock, &alter.table, Work::Scan, title, "Make the columns NOT NULL first, by way of a CHECK that is validated without a lock.")
            }
        })
        .collect()
}
