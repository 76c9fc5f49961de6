use super::support::*;

/// A column is added with REFERENCES: both tables are locked
pub static RULE: Rule<Context> = rule(
    10,
    "add-column-references",
    "A column is added with REFERENCES: both tables are locked",
    Severity::Medium,
    None,
    "The new column is NULL everywhere, so nothing is read; but the table is locked \
     ACCESS EXCLUSIVE and the referenced one SHARE ROW EXCLUSIVE, which waits for its \
     writers and stops them meanwhile. With any DEFAULT, even NULL, all rows are checked \
     under both locks.\n\nSet a lock_timeout and retry.",
    &[
        bad(
            "no limit for the wait",
            shop!(),
            "ALTER TABLE orders ADD COLUMN referrer bigint REFERENCES users (id)",
        ),
        good(
            "with a lock_timeout",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE orders ADD COLUMN referrer bigint REFERENCES users (id)",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (add, column) in context.new_columns() {
        for foreign in inline(column).filter(|c| c.contype == Kind::ConstrForeign as i32) {
            let Some(parent) = foreign.pktable.as_ref().map(table_key) else { continue };
            let title = format!(
                "{}.{} refers to {parent}: both tables are locked",
                add.table, column.colname
            );
            // Even DEFAULT NULL has the server look at every row.
            if has_inline(column, Kind::ConstrDefault) || column.raw_default.is_some() {
                let why = "All rows are checked under both locks: add the column alone, then the \
                           foreign key as NOT VALID, then VALIDATE it.";
                drafts.push(
                    heavy(add.lock, &add.table, Work::Scan, title, why).with(
                        "also locked",
                        format!("{parent}: {}", Lock::ShareRowExclusive.name()),
                    ),
                );
                continue;
            }
            drafts.push(brief(add.lock, &add.table, title.clone(), "Nothing is read."));
            if parent != add.table {
                drafts.push(brief(Lock::ShareRowExclusive, &parent, title, "Nothing is read."));
            }
        }
    }
    drafts
}
