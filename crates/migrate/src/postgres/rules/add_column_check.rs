use super::support::*;

/// A column is added with a CHECK: the whole table is read under the lock
pub static RULE: Rule<Context> = rule(
    8,
    "add-column-check",
    "A column is added with a CHECK: the whole table is read under the lock",
    Severity::High,
    None,
    "A CHECK written with the column is validated at once: every row is read under ACCESS \
     EXCLUSIVE, though all of them hold the same value.\n\nAdd the column alone, then ADD \
     CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in a transaction of its own.",
    &[
        bad("inline", shop!(), "ALTER TABLE users ADD COLUMN score int CHECK (score >= 0)"),
        good(
            "in three steps",
            shop!(),
            "ALTER TABLE users ADD COLUMN score int; ALTER TABLE users ADD CONSTRAINT score_check CHECK (score >= 0) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT score_check",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .new_columns()
        .into_iter()
        .filter(|(_, column)| {
            has_inline(column, Kind::ConstrCheck)
                && matches!(context.new_column(column), NewColumn::Plain | NewColumn::Virtual)
        })
        .map(|(add, column)| {
            let title = format!(
                "{} is read from end to end for the CHECK of the new column {}",
                add.table, column.colname
            );
            heavy(
                add.lock,
                &add.table,
                Work::Scan,
                title,
                "Add the column alone, then the CHECK as NOT VALID, then VALIDATE it.",
            )
        })
        .collect()
}
