use super::support::*;

/// ADD PRIMARY KEY builds an index under the lock
pub static RULE: Rule<Context> = rule(
    18,
    "add-primary-key",
    "ADD PRIMARY KEY builds an index under the lock",
    Severity::High,
    None,
    "The index is built over all rows, and the columns are checked for NULL, under ACCESS \
     EXCLUSIVE.\n\nCREATE UNIQUE INDEX CONCURRENTLY, make the columns NOT NULL in the \
     safe way, then ADD CONSTRAINT … PRIMARY KEY USING INDEX.",
    &[
        bad(
            "at once",
            "CREATE TABLE users (id bigint, age int); INSERT INTO users SELECT i, i FROM generate_series(1, 500) i;",
            "ALTER TABLE users ADD PRIMARY KEY (id)",
        ),
        good(
            "with an index that is there",
            "CREATE TABLE users (id bigint NOT NULL, age int); INSERT INTO users SELECT i, i FROM generate_series(1, 500) i; CREATE UNIQUE INDEX users_pkey ON users (id);",
            "SET lock_timeout = '1s'; ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .added(Kind::ConstrPrimary)
        .into_iter()
        .filter(|(_, constraint)| constraint.indexname.is_empty())
        .map(|(alter, _)| {
            if alter.only && is_partitioned(context, &alter.table) {
                let title = format!("{} gets a primary key", alter.table);
                let why = "Its partitions get theirs by themselves.";
                return brief(alter.lock, &alter.table, title, why);
            }
            let title = format!("the primary key's index is built over all of {}", alter.table);
            heavy(
                alter.lock,
                &alter.table,
                Work::Build,
                title,
                "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD PRIMARY KEY USING INDEX.",
            )
        })
        .collect()
}
