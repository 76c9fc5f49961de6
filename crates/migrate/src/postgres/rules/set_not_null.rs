use super::support::*;

/// SET NOT NULL reads the whole table under the lock
pub static RULE: Rule<Context> = rule(
    15,
    "set-not-null",
    "SET NOT NULL reads the whole table under the lock",
    Severity::High,
    None,
    "Every row is read under ACCESS EXCLUSIVE, unless a valid CHECK (column IS NOT NULL) \
     proves it already (12 and later).\n\nADD CONSTRAINT … CHECK (column IS NOT NULL) NOT \
     VALID, VALIDATE CONSTRAINT in a transaction of its own, SET NOT NULL, DROP \
     CONSTRAINT. On 18: ADD CONSTRAINT … NOT NULL column NOT VALID, then VALIDATE \
     CONSTRAINT.",
    &[
        bad("at once", shop!(), "ALTER TABLE users ALTER COLUMN email SET NOT NULL"),
        good(
            "after a valid CHECK",
            concat!(shop!(), "ALTER TABLE users ADD CONSTRAINT filled CHECK (email IS NOT NULL);"),
            "SET lock_timeout = '1s'; ALTER TABLE users ALTER COLUMN email SET NOT NULL",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut add = |lock: Lock, table: &str, column: &str| {
        let proved = context.version.major >= 12
            && context.table(table).is_some_and(|known| known.filled(column));
        let title = format!("{table}.{column} becomes NOT NULL");
        drafts.push(if proved {
            brief(lock, table, title, "It is known to hold no NULL: nothing is read.")
        } else {
            let title = title + ": every row is read";
            heavy(lock, table, Work::Scan, title, "Prove it first: CHECK (… IS NOT NULL) NOT VALID, VALIDATE in a transaction of its own, then SET NOT NULL.")
        });
    };
    for alter in context.altered(At::AtSetNotNull) {
        add(alter.lock, &alter.table, &alter.cmd.name);
    }
    for (alter, constraint) in context.added(Kind::ConstrNotnull) {
        if !constraint.skip_validation {
            for column in strings(&constraint.keys) {
                add(alter.lock, &alter.table, &column);
            }
        }
    }
    drafts
}
