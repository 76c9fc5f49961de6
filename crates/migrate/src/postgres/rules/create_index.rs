use super::support::*;

/// An index is built while nobody can write
pub static RULE: Rule<Context> = rule(
    33,
    "create-index",
    "An index is built while nobody can write",
    Severity::High,
    None,
    "CREATE INDEX locks the table SHARE: readers go on, writers wait until the index is \
     built. REINDEX locks the index itself ACCESS EXCLUSIVE as well, so that readers who \
     would use it wait, too.\n\nCREATE INDEX CONCURRENTLY and REINDEX … CONCURRENTLY take \
     longer and stop nobody; they must stand outside a transaction.",
    &[
        bad("not CONCURRENTLY", shop!(), "CREATE INDEX users_age ON users (age)"),
        bad("REINDEX", shop!(), "REINDEX TABLE users"),
        good("CONCURRENTLY", shop!(), "CREATE INDEX CONCURRENTLY users_age ON users (age)"),
        good(
            "on a table of the same file",
            shop!(),
            "CREATE TABLE notes (id int); CREATE INDEX ON notes (id)",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    use pb::ReindexObjectType as What;
    match context.node() {
        Some(NodeEnum::IndexStmt(index)) if !index.concurrent => {
            let Some(relation) = &index.relation else { return Vec::new() };
            let table = table_key(relation);
            let name = if index.idxname.is_empty() { "an index" } else { &index.idxname };
            if !relation.inh && (is_partitioned(context, &table) || context.table(&table).is_none())
            {
                let title = format!("{name} is made on {table} alone");
                return vec![brief(Lock::Share, &table, title, "Its partitions get theirs later.")];
            }
            let title = format!("{name} is built on {table} while nobody can write");
            vec![heavy(
                Lock::Share,
                &table,
                Work::Build,
                title,
                "CREATE INDEX CONCURRENTLY, outside a transaction.",
            )]
        }
        Some(NodeEnum::ReindexStmt(reindex)) if !flag(&reindex.params, "concurrently") => {
            let what =
                reindex.relation.as_ref().map(table_key).unwrap_or_else(|| reindex.name.clone());
            let why = "REINDEX … CONCURRENTLY (12 and later), outside a transaction.";
            let title = format!("the indexes of {what} are built anew");
            match What::try_from(reindex.kind) {
                Ok(What::ReindexObjectIndex) => {
                    let title = format!("the index {what} is built anew");
                    match context.schema.table_of_index(&what) {
                        Some((table, _)) => {
                            vec![heavy(Lock::Share, table, Work::Build, title, why).with(
                                "also locked",
                                format!("{what}: {}", Lock::AccessExclusive.name()),
                            )]
                        }
                        None => vec![heavy(Lock::AccessExclusive, &what, Work::Build, title, why)],
                    }
                }
                _ => vec![heavy(Lock::Share, &what, Work::Build, title, why)],
            }
        }
        _ => Vec::new(),
    }
}
