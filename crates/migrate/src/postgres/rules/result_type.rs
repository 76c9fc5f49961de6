use super::support::*;

/// Prepared statements that return the column fail once
pub static RULE: Rule<Context> = rule(
    32,
    "result-type",
    "Prepared statements that return the column fail once",
    Severity::Info,
    None,
    "A prepared statement whose result changes its type fails with \"cached plan must not \
     change result type\" until it is prepared again; pools and drivers that cache \
     statements run into it.\n\nRecycle the pools after the migration, or let the driver \
     prepare again.",
    &[
        bad("another type", shop!(), "ALTER TABLE users ALTER COLUMN age TYPE bigint"),
        good("a new index", shop!(), "CREATE INDEX CONCURRENTLY users_age ON users (age)"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    retyped(context)
        .into_iter()
        .map(|retyped| {
            let title = format!(
                "prepared statements that return {}.{} fail once",
                retyped.alter.table, retyped.alter.cmd.name
            );
            let mut draft = Draft::plain(
                Severity::Info,
                title,
                "Recycle connection pools after the migration.",
            )
            .on(&retyped.alter.table);
            draft.lock = Some(retyped.alter.lock.name());
            draft.blocks = retyped.alter.lock.blocks();
            draft
        })
        .collect()
}
