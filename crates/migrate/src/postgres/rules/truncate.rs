use super::support::*;

/// TRUNCATE empties a table, and with CASCADE every table that refers to it
pub static RULE: Rule<Context> = rule(
    51,
    "truncate",
    "TRUNCATE empties a table, and with CASCADE every table that refers to it",
    Severity::High,
    None,
    "ACCESS EXCLUSIVE for a moment, on all of them; what they held is gone.\n\nName every \
     table that is to be emptied, and leave CASCADE out.",
    &[
        bad(
            "CASCADE",
            concat!(shop!(), "CREATE TABLE notes (id int, user_id bigint REFERENCES users (id));"),
            "TRUNCATE users CASCADE",
        ),
        good("a table of the same file", shop!(), "CREATE TABLE notes (id int); TRUNCATE notes"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let Some(NodeEnum::TruncateStmt(truncate)) = context.node() else { return Vec::new() };
    let cascade = truncate.behavior == pb::DropBehavior::DropCascade as i32;
    truncate
        .relations
        .iter()
        .filter_map(|node| match node.node.as_ref()? {
            NodeEnum::RangeVar(relation) => Some(table_key(relation)),
            _ => None,
        })
        .map(|table| {
            let mut also: Vec<&str> = context
                .schema
                .tables
                .iter()
                .filter(|(_, other)| {
                    other.constraints.iter().any(|c| c.references.as_deref() == Some(&table))
                })
                .map(|(name, _)| name.as_str())
                .collect();
            also.sort_unstable();
            let severity = if cascade { Severity::High } else { Severity::Medium };
            let title = match (cascade, also.is_empty()) {
                (true, false) => format!("{table} is emptied, and with it {}", also.join(", ")),
                (true, true) => format!("{table} is emptied, and every table that refers to it"),
                _ => format!("{table} is emptied"),
            };
            locked(
                Lock::AccessExclusive,
                &table,
                severity,
                title,
                "Name every table that is to be emptied, and leave CASCADE out.",
            )
        })
        .collect()
}
