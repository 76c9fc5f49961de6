use super::support::*;

/// Options, statistics targets or comments are changed: neither readers nor writers wait
pub static RULE: Rule<Context> = rule(
    48,
    "table-options",
    "Options, statistics targets or comments are changed: neither readers nor writers wait",
    Severity::Info,
    None,
    "SHARE UPDATE EXCLUSIVE, for a moment: only other changes of the schema and VACUUM \
     wait. A few options (user_catalog_table among them) take ACCESS EXCLUSIVE.",
    &[
        bad("fillfactor", shop!(), "ALTER TABLE users SET (fillfactor = 90)"),
        bad("a comment", shop!(), "COMMENT ON TABLE users IS 'people'"),
        good("nothing of the sort", shop!(), "CREATE INDEX CONCURRENTLY users_age ON users (age)"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let why = "Neither readers nor writers wait.";
    if let Some(NodeEnum::CommentStmt(comment)) = context.node() {
        use pb::ObjectType as Object;
        let parts = match comment.object.as_deref().and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::List(list)) => list.items.as_slice(),
            _ => return Vec::new(),
        };
        let table = match Object::try_from(comment.objtype) {
            Ok(Object::ObjectTable) => name_of(parts),
            Ok(Object::ObjectColumn) => name_of(&parts[..parts.len().saturating_sub(1)]),
            _ => return Vec::new(),
        };
        let title = format!("{table} gets a comment");
        return vec![locked(Lock::ShareUpdateExclusive, &table, Severity::Info, title, why)];
    }
    context
        .alters()
        .into_iter()
        .filter(|alter| {
            matches!(
                alter.kind,
                At::AtSetStatistics
                    | At::AtSetOptions
                    | At::AtResetOptions
                    | At::AtClusterOn
                    | At::AtDropCluster
                    | At::AtSetRelOptions
                    | At::AtResetRelOptions
                    | At::AtReplaceRelOptions
            )
        })
        .map(|alter| {
            let title = format!("options of {} are changed", alter.table);
            if alter.lock == Lock::AccessExclusive {
                brief(alter.lock, &alter.table, title, "Only the catalogue changes.")
            } else {
                locked(alter.lock, &alter.table, Severity::Info, title, why)
            }
        })
        .collect()
}
