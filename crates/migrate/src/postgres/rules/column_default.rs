use super::support::*;

/// A column's default, identity or nullability is changed in the catalogue alone
pub static RULE: Rule<Context> = rule(
    14,
    "column-default",
    "A column's default, identity or nullability is changed in the catalogue alone",
    Severity::Info,
    None,
    "SET DEFAULT, DROP DEFAULT, DROP NOT NULL and the identity commands change no row. \
     The ACCESS EXCLUSIVE lock is held for a moment.\n\nSet a lock_timeout and retry.",
    &[
        bad("a default", shop!(), "ALTER TABLE users ALTER COLUMN age SET DEFAULT 18"),
        good(
            "with a lock_timeout",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE users ALTER COLUMN age SET DEFAULT 18",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let kinds = [
        At::AtColumnDefault,
        At::AtDropNotNull,
        At::AtDropExpression,
        At::AtAddIdentity,
        At::AtSetIdentity,
        At::AtDropIdentity,
    ];
    context
        .alters()
        .into_iter()
        .filter(|alter| kinds.contains(&alter.kind))
        .map(|alter| {
            let title = format!("{}.{}: what new rows get is changed", alter.table, alter.cmd.name);
            brief(alter.lock, &alter.table, title, "Only the catalogue changes.")
        })
        .collect()
}
