use super::support::*;

/// A new table with a foreign key waits for the writers of the table it refers to
pub static RULE: Rule<Context> = rule(
    25,
    "create-table-references",
    "A new table with a foreign key waits for the writers of the table it refers to",
    Severity::Low,
    None,
    "CREATE TABLE … REFERENCES locks the referenced table SHARE ROW EXCLUSIVE: it waits \
     for its writers, and stops them until the end of the transaction.\n\nSet a \
     lock_timeout and retry, and keep the transaction short.",
    &[
        bad(
            "refers to a table of before",
            shop!(),
            "CREATE TABLE notes (id int, user_id bigint REFERENCES users (id))",
        ),
        good(
            "with a lock_timeout",
            shop!(),
            "SET lock_timeout = '1s'; CREATE TABLE notes (id int, user_id bigint REFERENCES users (id))",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let Some(NodeEnum::CreateStmt(create)) = context.node() else { return Vec::new() };
    let own = create.relation.as_ref().map(table_key).unwrap_or_default();
    let mut parents: Vec<String> = Vec::new();
    let mut add = |constraint: &pb::Constraint| {
        if let Some(parent) = constraint.pktable.as_ref().map(table_key)
            && parent != own
            && !parents.contains(&parent)
        {
            parents.push(parent);
        }
    };
    for element in &create.table_elts {
        match element.node.as_ref() {
            Some(NodeEnum::ColumnDef(column)) => inline(column).for_each(&mut add),
            Some(NodeEnum::Constraint(constraint)) => add(constraint),
            _ => {}
        }
    }
    parents
        .iter()
        .map(|parent| {
            let title = format!("the new table {own} refers to {parent}, whose writers wait");
            brief(Lock::ShareRowExclusive, parent, title, "Nothing is read.")
        })
        .collect()
}
