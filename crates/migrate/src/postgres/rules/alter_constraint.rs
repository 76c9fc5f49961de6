use super::support::*;

/// ALTER CONSTRAINT changes the catalogue alone, but for ENFORCED
pub static RULE: Rule<Context> = rule(
    27,
    "alter-constraint",
    "ALTER CONSTRAINT changes the catalogue alone, but for ENFORCED",
    Severity::High,
    None,
    "DEFERRABLE and its kin are changed under ACCESS EXCLUSIVE, for a moment. ENFORCED (18) reads \
     both tables under it.\n\nSet a lock_timeout and retry. In place of ENFORCED: drop the \
     constraint, add it NOT VALID, and VALIDATE it.",
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
            let def = alter.cmd.def.as_deref().and_then(|def| def.node.as_ref());
            if let Some(NodeEnum::AtalterConstraint(change)) = def
                && change.alter_enforceability
                && change.is_enforced
            {
                let title =
                    format!("{} of {} is checked for all rows", change.conname, alter.table);
                let why = "Drop it, add it NOT VALID, and VALIDATE it.";
                return heavy(Lock::AccessExclusive, &alter.table, Work::Scan, title, why);
            }
            let title = format!("a constraint of {} is changed", alter.table);
            brief(alter.lock, &alter.table, title, "Only the catalogue changes.")
        })
        .collect()
}
