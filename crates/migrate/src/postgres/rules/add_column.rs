use super::support::*;

/// A column is added: a moment's lock that waits for every open transaction
pub static RULE: Rule<Context> = rule(
    1,
    "add-column",
    "A column is added: a moment's lock that waits for every open transaction",
    Severity::Info,
    None,
    "Since PostgreSQL 11 a column without a default, or with one that is the same for all \
     rows, is a change of the catalogue alone. The ACCESS EXCLUSIVE lock is held for a \
     moment, but to get it the statement waits for every transaction that has touched the \
     table, and everybody else queues behind it: one reader of 3 s stalled clients for \
     2.7 s.\n\nSet a lock_timeout of a fraction of a second up to a few seconds, and try \
     again when it runs out.",
    &[
        bad("no limit for the wait", shop!(), "ALTER TABLE users ADD COLUMN note text"),
        bad(
            "a default for all rows alike",
            shop!(),
            "ALTER TABLE users ADD COLUMN seen timestamptz DEFAULT now()",
        ),
        good(
            "with a lock_timeout",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE users ADD COLUMN note text",
        ),
        good(
            "a table of the same file",
            shop!(),
            "CREATE TABLE notes (id int); ALTER TABLE notes ADD COLUMN note text",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let plain = |column: &pb::ColumnDef| {
        context.new_column(column) == NewColumn::Plain
            && ![Kind::ConstrCheck, Kind::ConstrUnique, Kind::ConstrPrimary, Kind::ConstrForeign]
                .iter()
                .any(|kind| has_inline(column, *kind))
    };
    context
        .new_columns()
        .into_iter()
        .filter(|(_, column)| plain(column))
        .map(|(add, column)| {
            let title = format!("{} gets the column {}", add.table, column.colname);
            if context.version.major < 11 && default_of(column).is_some() {
                let why = "Before PostgreSQL 11 every default is written into every row: add the \
                           column without it, SET DEFAULT, and fill the rows in batches.";
                return heavy(add.lock, &add.table, Work::Rewrite, title, why);
            }
            brief(add.lock, &add.table, title, "Only the catalogue changes.")
        })
        .collect()
}
