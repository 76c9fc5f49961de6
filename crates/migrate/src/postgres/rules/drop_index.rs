use super::support::*;

/// DROP INDEX locks the table ACCESS EXCLUSIVE
pub static RULE: Rule<Context> = rule(
    37,
    "drop-index",
    "DROP INDEX locks the table ACCESS EXCLUSIVE",
    Severity::Medium,
    None,
    "The lock is held for a moment, but it waits for every transaction that uses the \
     table, and everybody waits behind it.\n\nDROP INDEX CONCURRENTLY, outside a \
     transaction.",
    &[
        bad(
            "not CONCURRENTLY",
            concat!(shop!(), "CREATE INDEX users_age ON users (age);"),
            "DROP INDEX users_age",
        ),
        good(
            "CONCURRENTLY",
            concat!(shop!(), "CREATE INDEX users_age ON users (age);"),
            "DROP INDEX CONCURRENTLY users_age",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    if matches!(context.node(), Some(NodeEnum::DropStmt(drop)) if drop.concurrent) {
        return Vec::new();
    }
    dropped(context, pb::ObjectType::ObjectIndex)
        .into_iter()
        .map(|index| {
            let bare = index.rsplit('.').next().unwrap_or(&index);
            let table = context.schema.table_of_index(bare).map(|(table, _)| table.clone());
            let object = table.unwrap_or_else(|| index.clone());
            let title = format!("dropping {index} locks its table against all");
            locked(
                Lock::AccessExclusive,
                &object,
                Severity::Medium,
                title,
                "DROP INDEX CONCURRENTLY, outside a transaction.",
            )
        })
        .collect()
}
