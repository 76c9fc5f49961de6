use super::support::*;

/// NOT NULL is added NOT VALID: rows that are there are not read
pub static RULE: Rule<Context> = rule(
    17,
    "not-null-not-valid",
    "NOT NULL is added NOT VALID: rows that are there are not read",
    Severity::Info,
    Some(Version::new(18, 0, 0)),
    "On 18 a NOT NULL constraint can be added NOT VALID and validated later under SHARE \
     UPDATE EXCLUSIVE: the preferred way. The lock is held for a moment.\n\nSet a \
     lock_timeout and retry.",
    &[
        bad(
            "no limit for the wait",
            shop!(),
            "ALTER TABLE users ADD CONSTRAINT email_filled NOT NULL email NOT VALID",
        ),
        good(
            "with a lock_timeout",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE users ADD CONSTRAINT email_filled NOT NULL email NOT VALID",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .added(Kind::ConstrNotnull)
        .into_iter()
        .filter(|(_, constraint)| constraint.skip_validation)
        .map(|(alter, _)| {
            let title = format!("{} gets a NOT NULL that is not validated", alter.table);
            brief(alter.lock, &alter.table, title, "Nothing is read until VALIDATE CONSTRAINT.")
        })
        .collect()
}
