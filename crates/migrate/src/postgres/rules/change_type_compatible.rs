use super::support::*;

/// A column's type is changed without touching a row
pub static RULE: Rule<Context> = rule(
    29,
    "change-type-compatible",
    "A column's type is changed without touching a row",
    Severity::High,
    None,
    "A wider varchar, varchar to text, more digits of a numeric at the same scale or of a \
     time, cidr to inet: what is stored is right as it is. The lock is held for a moment, \
     but where a CHECK reads the column it is checked again, row by row, and where the values sort \
     in another way its indexes are built anew.\n\nSet a \
     lock_timeout and retry.",
    &[
        bad("a wider varchar", shop!(), "ALTER TABLE users ALTER COLUMN name TYPE varchar(80)"),
        good(
            "with a lock_timeout",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE users ALTER COLUMN name TYPE varchar(80)",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    retyped(context)
        .into_iter()
        .filter(|retyped| retyped.change == TypeChange::Free && !retyped.collated)
        .map(|retyped| {
            let (lock, table) = (retyped.alter.lock, &retyped.alter.table);
            if retyped.resorted && retyped.indexed != Some(false) {
                let title = format!("{}: its indexes are built anew", retyped.title());
                let why = "The values stay, their order does not.";
                return heavy(lock, table, Work::Build, title, why);
            }
            if retyped.checked {
                let title =
                    format!("{}: a CHECK reads it, so every row is checked again", retyped.title());
                let why = "Drop the CHECK first, and add it again as NOT VALID, then VALIDATE it.";
                return heavy(lock, table, Work::Scan, title, why);
            }
            brief(lock, table, retyped.title(), "What is stored is right as it is.")
        })
        .collect()
}
