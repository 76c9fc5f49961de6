use super::support::*;

/// A statement that cannot run in a transaction stands in one
pub static RULE: Rule<Context> = rule(
    36,
    "concurrently-in-transaction",
    "A statement that cannot run in a transaction stands in one",
    Severity::High,
    None,
    "CREATE INDEX CONCURRENTLY, DROP INDEX CONCURRENTLY, REINDEX CONCURRENTLY, DETACH … \
     CONCURRENTLY and VACUUM end with an error inside a transaction. CREATE INDEX \
     CONCURRENTLY on a partitioned table ends with an error anywhere.\n\nSwitch the \
     tool's transaction off for this file. On a partitioned table: CREATE INDEX ON ONLY \
     the parent, CONCURRENTLY on each partition, then ALTER INDEX … ATTACH PARTITION.",
    &[
        bad(
            "in a transaction",
            shop!(),
            "BEGIN; CREATE INDEX CONCURRENTLY users_age ON users (age); COMMIT",
        ),
        bad("a block that commits", shop!(), "BEGIN; DO $$ BEGIN COMMIT; END $$; COMMIT"),
        good("outside", shop!(), "CREATE INDEX CONCURRENTLY users_age ON users (age)"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let why = if context.transaction.of_tool {
        "Switch the transaction off for this file (-- migrate:up transaction:false, -- +goose NO \
         TRANSACTION, -- no-transaction)."
    } else {
        "Move it out of the transaction."
    };
    if context.transaction.open && outside_transaction(&context.statement) {
        let word =
            context.statement.text().split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let title = format!("{} cannot run in a transaction: fails", shown(&word));
        return vec![Draft::plain(Severity::High, title, why).even_new()];
    }
    match context.node() {
        Some(NodeEnum::DoStmt(_)) if context.transaction.open => {
            let commits = body(&context.statement).is_some_and(|body| body.commits);
            let title = "a block that ends transactions cannot run in one: fails";
            let draft = commits.then(|| Draft::plain(Severity::High, title, why).even_new());
            draft.into_iter().collect()
        }
        Some(NodeEnum::IndexStmt(index)) if index.concurrent => {
            let table = index.relation.as_ref().map(table_key).unwrap_or_default();
            if !is_partitioned(context, &table) {
                return Vec::new();
            }
            let title = format!("{table} is partitioned: CREATE INDEX CONCURRENTLY fails on it");
            let why = "CREATE INDEX ON ONLY the parent, CONCURRENTLY on each partition, then ALTER \
                       INDEX … ATTACH PARTITION.";
            vec![Draft::plain(Severity::High, title, why).on(table).even_new()]
        }
        _ => Vec::new(),
    }
}
