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
        bad(
            "within a WITH",
            shop!(),
            "WITH gone AS (DELETE FROM orders RETURNING id) SELECT count(*) FROM gone",
        ),
        good("by key", shop!(), "UPDATE users SET active = false WHERE id BETWEEN 1 AND 1000"),
        good("a table of the same file", shop!(), "CREATE TABLE notes (id int); DELETE FROM notes"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    if context.transaction.batched {
        return Vec::new();
    }
    let Some(node) = context.node() else { return Vec::new() };
    let with = match node {
        NodeEnum::SelectStmt(select) => select.with_clause.as_ref(),
        NodeEnum::InsertStmt(insert) => insert.with_clause.as_ref(),
        NodeEnum::UpdateStmt(update) => update.with_clause.as_ref(),
        NodeEnum::DeleteStmt(delete) => delete.with_clause.as_ref(),
        _ => None,
    };
    let within =
        with.into_iter().flat_map(|with| &with.ctes).filter_map(|cte| match cte.node.as_ref()? {
            NodeEnum::CommonTableExpr(cte) => cte.ctequery.as_deref()?.node.as_ref(),
            _ => None,
        });
    within.chain(std::iter::once(node)).filter_map(everything).collect()
}

/// A statement that changes every row.
fn everything(node: &NodeEnum) -> Option<Draft> {
    let (relation, condition, word) = match node {
        NodeEnum::UpdateStmt(update) => (&update.relation, &update.where_clause, "updated"),
        NodeEnum::DeleteStmt(delete) => (&delete.relation, &delete.where_clause, "deleted"),
        _ => return None,
    };
    if !is_everything(condition.as_deref()) {
        return None;
    }
    let table = relation.as_ref().map(table_key).unwrap_or_default();
    let title = format!("every row of {table} that needs it is {word} in one statement");
    let draft = locked(
        Lock::RowExclusive,
        &table,
        Severity::Medium,
        title,
        "Go by key in batches of some thousand rows, each in a transaction of its own.",
    );
    Some(draft.work(Work::Scan))
}
