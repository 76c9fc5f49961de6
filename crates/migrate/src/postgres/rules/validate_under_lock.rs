use super::support::*;

/// VALIDATE CONSTRAINT runs under the lock its transaction already holds
pub static RULE: Rule<Context> = rule(
    16,
    "validate-under-lock",
    "VALIDATE CONSTRAINT runs under the lock its transaction already holds",
    Severity::High,
    None,
    "VALIDATE takes SHARE UPDATE EXCLUSIVE, which stops nobody. In the same ALTER TABLE \
     or the same transaction as the ADD CONSTRAINT … NOT VALID it runs under that one's \
     lock, which is kept to the end of the transaction: the whole point of NOT VALID is \
     lost.\n\nValidate in a transaction of its own.",
    &[
        bad(
            "one transaction",
            shop!(),
            "BEGIN; ALTER TABLE users ADD CONSTRAINT grown CHECK (age >= 0) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT grown; COMMIT",
        ),
        bad(
            "one ALTER TABLE",
            concat!(shop!(), "ALTER TABLE users ADD CONSTRAINT grown CHECK (age >= 0) NOT VALID;"),
            "ALTER TABLE users VALIDATE CONSTRAINT grown, ADD COLUMN note text",
        ),
        good(
            "a transaction of its own",
            shop!(),
            "BEGIN; ALTER TABLE users ADD CONSTRAINT grown CHECK (age >= 0) NOT VALID; COMMIT; ALTER TABLE users VALIDATE CONSTRAINT grown",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .altered(At::AtValidateConstraint)
        .into_iter()
        .filter_map(|alter| {
            let held = context.transaction.held.iter().filter(|(table, _)| *table == alter.table);
            let lock = held.map(|(_, lock)| *lock).max().unwrap_or(alter.lock).max(alter.lock);
            let title = format!(
                "{} is validated under the {} lock on {}",
                alter.cmd.name,
                lock.name(),
                alter.table
            );
            (lock > Lock::ShareUpdateExclusive).then(|| {
                heavy(
                    lock,
                    &alter.table,
                    Work::Scan,
                    title,
                    "Validate it in a transaction of its own.",
                )
            })
        })
        .collect()
}
