use super::support::*;

/// ADD UNIQUE builds an index under the lock
pub static RULE: Rule<Context> = rule(
    20,
    "add-unique",
    "ADD UNIQUE builds an index under the lock",
    Severity::High,
    None,
    "The index is built over all rows under ACCESS EXCLUSIVE.\n\nCREATE UNIQUE INDEX \
     CONCURRENTLY, then ADD CONSTRAINT … UNIQUE USING INDEX, which takes a moment.",
    &[
        bad("at once", shop!(), "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email)"),
        good(
            "with an index that is there",
            concat!(shop!(), "CREATE UNIQUE INDEX users_email_key ON users (email);"),
            "SET lock_timeout = '1s'; ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .added(Kind::ConstrUnique)
        .into_iter()
        .map(|(alter, constraint)| {
            let title = format!("{} gets a unique constraint", alter.table);
            if alter.only && is_partitioned(context, &alter.table) {
                brief(alter.lock, &alter.table, title, "Its partitions get theirs by themselves.")
            } else if constraint.indexname.is_empty() {
                let title = title + ": its index is built over all rows";
                heavy(alter.lock, &alter.table, Work::Build, title, "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT … UNIQUE USING INDEX.")
            } else {
                brief(alter.lock, &alter.table, title, "Its index is there already.")
            }
        })
        .collect()
}
