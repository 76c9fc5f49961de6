use super::support::*;

/// A column is added NOT NULL without a default: fails if there are rows
pub static RULE: Rule<Context> = rule(
    7,
    "add-column-not-null",
    "A column is added NOT NULL without a default: fails if there are rows",
    Severity::High,
    None,
    "The rows that are there have no value for it, so the statement fails unless the \
     table is empty.\n\nGive a default (since 11 it is kept in the catalogue), or add the \
     column nullable, fill it, and set NOT NULL afterwards.",
    &[
        bad("no default", shop!(), "ALTER TABLE users ADD COLUMN kind text NOT NULL"),
        good(
            "with a default",
            shop!(),
            "ALTER TABLE users ADD COLUMN kind text NOT NULL DEFAULT 'person'",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .new_columns()
        .into_iter()
        .filter(|(add, column)| {
            context.new_column(column) == NewColumn::Plain
                && has_inline(column, Kind::ConstrNotnull)
                && default_of(column).is_none()
                && context.table(&add.table).and_then(|t| t.size).is_none_or(|s| s.rows > 0.0)
        })
        .map(|(add, column)| {
            let title = format!(
                "{}.{} is NOT NULL without a default: fails if {} has rows",
                add.table, column.colname, add.table
            );
            locked(
                add.lock,
                &add.table,
                Severity::High,
                title,
                "Give it a default, or add it nullable, fill it, and SET NOT NULL afterwards.",
            )
        })
        .collect()
}
