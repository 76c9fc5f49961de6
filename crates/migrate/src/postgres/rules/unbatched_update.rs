use super::support::*;

/// Every row is updated or deleted in one statement
pub static RULE: Rule<Context> = rule(
    52,
    "unbatched-update",
    "Every row is updated or deleted in one statement",
    Severity::Medium,
    None,
    "All rows stay locked against other writers to the end of the transaction, the table \
     grows by a second copy of every row, and the write-ahead log by all of it; replicas \
     fall behind, VACUUM cannot clean.\n\nGo by key in batches of some thousand rows, \
     each in a transaction of its own.",
    &[
        bad("without WHERE", shop!(), "UPDATE users SET active = false"),
        bad("a backfill at once", shop!(), "UPDATE users SET age = 0 WHERE age IS NULL"),
        good("by key", shop!(), "UPDATE users SET active = false WHERE id BETWEEN 1 AND 1000"),
        good("a table of the same file", shop!(), "CREATE TABLE notes (id int); DELETE FROM notes"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let (relation, condition, word) = match context.node() {
        Some(NodeEnum::UpdateStmt(update)) => (&update.relation, &update.where_clause, "updated"),
        Some(NodeEnum::DeleteStmt(delete)) => (&delete.relation, &delete.where_clause, "deleted"),
        _ => return Vec::new(),
    };
    if context.transaction.batched || !is_everything(condition.as_deref()) {
        return Vec::new();
    }
    let table = relation.as_ref().map(table_key).unwrap_or_default();
    let title = format!("every row of {table} that needs it is {word} in one statement");
    vec![
        locked(
            Lock::RowExclusive,
            &table,
            Severity::Medium,
            title,
            "Go by key in batches of some thousand rows, each in a transaction of its own.",
        )
        .work(Work::Scan),
    ]
}
