use super::support::*;

/// An index is renamed: neither readers nor writers wait
pub static RULE: Rule<Context> = rule(
    13,
    "rename-index",
    "An index is renamed: neither readers nor writers wait",
    Severity::Info,
    None,
    "ALTER INDEX … RENAME takes SHARE UPDATE EXCLUSIVE since 12. Statements name no \
     indexes, unless an extension reads hints.",
    &[
        bad(
            "an index",
            concat!(shop!(), "CREATE INDEX users_age ON users (age);"),
            "ALTER INDEX users_age RENAME TO users_by_age",
        ),
        good("nothing renamed", shop!(), "CREATE INDEX CONCURRENTLY users_by_age ON users (age)"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let Some(NodeEnum::RenameStmt(rename)) = context.node() else { return Vec::new() };
    let Some(relation) = rename.relation.as_ref() else { return Vec::new() };
    if rename.rename_type != pb::ObjectType::ObjectIndex as i32 {
        return Vec::new();
    }
    let title = format!("the index {} is renamed", relation.relname);
    vec![locked(
        Lock::ShareUpdateExclusive,
        &table_key(relation),
        Severity::Info,
        title,
        "Neither readers nor writers wait.",
    )]
}
