use super::support::*;

/// ALTER CONSTRAINT changes the catalogue alone
pub static RULE: Rule<Context> = rule(
    27,
    "alter-constraint",
    "ALTER CONSTRAINT changes the catalogue alone",
    Severity::Info,
    None,
    "DEFERRABLE and its kin are changed under ACCESS EXCLUSIVE, for a moment.\n\nSet a \
     lock_timeout and retry.",
    &[
        bad(
            "deferrable",
            concat!(
                shop!(),
                "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id);"
            ),
            "ALTER TABLE orders ALTER CONSTRAINT orders_user DEFERRABLE",
        ),
        good(
            "with a lock_timeout",
            concat!(
                shop!(),
                "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id);"
            ),
            "SET lock_timeout = '1s'; ALTER TABLE orders ALTER CONSTRAINT orders_user DEFERRABLE",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .altered(At::AtAlterConstraint)
        .into_iter()
        .map(|alter| {
            let title = format!("a constraint of {} is changed", alter.table);
            brief(alter.lock, &alter.table, title, "Only the catalogue changes.")
        })
        .collect()
}
