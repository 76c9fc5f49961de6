use super::support::*;

/// CONCURRENTLY IF NOT EXISTS keeps an INVALID index when tried again
pub static RULE: Rule<Context> = rule(
    35,
    "concurrently-if-not-exists",
    "CONCURRENTLY IF NOT EXISTS keeps an INVALID index when tried again",
    Severity::Medium,
    None,
    "A build that failed leaves an INVALID index under the same name; IF NOT EXISTS takes \
     it for done and says nothing.\n\nDrop it before, if pg_index.indisvalid says so, or look \
     at that afterwards.",
    &[
        bad(
            "tried again",
            shop!(),
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_age ON users (age)",
        ),
        good(
            "dropped first",
            shop!(),
            "DROP INDEX CONCURRENTLY IF EXISTS users_age; CREATE INDEX CONCURRENTLY users_age ON users (age)",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    match context.node() {
        Some(NodeEnum::IndexStmt(index))
            if index.concurrent
                && index.if_not_exists
                && !context.transaction.dropped.contains(&index.idxname) =>
        {
            let table = index.relation.as_ref().map(table_key).unwrap_or_default();
            let title = format!("{} may stay INVALID when this is tried again", index.idxname);
            vec![
                locked(
                    Lock::ShareUpdateExclusive,
                    &table,
                    Severity::Medium,
                    title,
                    "Drop it before, if it is INVALID.",
                )
                .work(Work::Build),
            ]
        }
        _ => Vec::new(),
    }
}
