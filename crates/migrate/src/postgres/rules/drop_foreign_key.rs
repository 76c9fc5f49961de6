use super::support::*;

/// Dropping a foreign key, or a table that has one, locks the referenced table, too
pub static RULE: Rule<Context> = rule(
    26,
    "drop-foreign-key",
    "Dropping a foreign key, or a table that has one, locks the referenced table, too",
    Severity::Medium,
    None,
    "The triggers that guard the key sit on both tables, so the referenced table, often \
     the busiest of all, is locked ACCESS EXCLUSIVE and waits for its readers.\n\nDrop \
     the foreign key in a transaction of its own with a lock_timeout, then the table.",
    &[
        bad(
            "the constraint",
            concat!(
                shop!(),
                "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id);"
            ),
            "ALTER TABLE orders DROP CONSTRAINT orders_user",
        ),
        bad(
            "the table",
            concat!(
                shop!(),
                "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id);"
            ),
            "DROP TABLE orders",
        ),
        good(
            "no foreign key",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE orders DROP CONSTRAINT orders_pkey",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut add = |parent: &str, title: String| {
        drafts.push(locked(
            Lock::AccessExclusive,
            parent,
            Severity::Medium,
            title,
            "Drop the foreign key in a transaction of its own, with a lock_timeout.",
        ));
    };
    let parents = |table: &str, of: &dyn Fn(&str) -> bool| -> Vec<String> {
        context.table(table).map_or_else(Vec::new, |known| {
            let keys = known.constraints.iter().filter(|constraint| of(&constraint.name));
            keys.filter_map(|constraint| constraint.references.clone())
                .filter(|parent| parent != table)
                .collect()
        })
    };
    for alter in context.altered(At::AtDropConstraint) {
        for parent in parents(&alter.table, &|name| name == alter.cmd.name) {
            add(&parent, format!("dropping {} locks {parent}, too", alter.cmd.name));
        }
    }
    for table in dropped(context, pb::ObjectType::ObjectTable) {
        for parent in parents(&table, &|_| true) {
            add(&parent, format!("dropping {table} locks {parent}, to which it refers"));
        }
    }
    drafts
}
