use super::support::*;

/// ADD CHECK reads the whole table under the lock
pub static RULE: Rule<Context> = rule(
    22,
    "add-check",
    "ADD CHECK reads the whole table under the lock",
    Severity::High,
    None,
    "Every row is read under ACCESS EXCLUSIVE.\n\nADD CONSTRAINT … NOT VALID takes a \
     moment and holds for new rows at once; VALIDATE CONSTRAINT, in a transaction of its \
     own, reads the rest under SHARE UPDATE EXCLUSIVE and stops nobody.",
    &[
        bad("at once", shop!(), "ALTER TABLE users ADD CONSTRAINT grown CHECK (age >= 0)"),
        good(
            "in two steps",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE users ADD CONSTRAINT grown CHECK (age >= 0) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT grown",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .added(Kind::ConstrCheck)
        .into_iter()
        .map(|(alter, constraint)| {
            let title = format!("{} gets a CHECK", alter.table);
            if constraint.skip_validation || !constraint.is_enforced {
                brief(alter.lock, &alter.table, title, "Rows that are there are not read.")
            } else {
                let title = title + ": every row is read";
                heavy(
                    alter.lock,
                    &alter.table,
                    Work::Scan,
                    title,
                    "Add it NOT VALID, then VALIDATE it in a transaction of its own.",
                )
            }
        })
        .collect()
}
