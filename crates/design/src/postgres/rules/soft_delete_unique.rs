use super::support::*;

/// Deleted rows that keep their names
pub static RULE: Check = rule(
    "soft-delete-unique",
    "Deleted rows that keep their names",
    Severity::Medium,
    "Rows marked with `deleted_at` stay in the unique index: a user who left and comes back cannot have \
     their address again. Make the index partial: WHERE deleted_at IS NULL.",
    "error 23505 on the second sign-up",
    &[
        bad(
            "all rows",
            "CREATE TABLE users (id bigint PRIMARY KEY, email text UNIQUE, deleted_at timestamptz);",
        ),
        good(
            "those that live",
            "CREATE TABLE users (id bigint PRIMARY KEY, email text, deleted_at timestamptz);
CREATE UNIQUE INDEX ON users (email) WHERE deleted_at IS NULL;",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    const MARKS: [&str; 4] = ["deleted_at", "deleted_on", "archived_at", "removed_at"];
    let mut found = Vec::new();
    for table in tables(catalog) {
        let mark = table.columns.iter().find(|column| {
            MARKS.contains(&names::words(&column.name).join("_").as_str()) && !column.not_null
        });
        let Some(mark) = mark else { continue };
        for index in table.indexes.iter().filter(|index| index.unique && index.predicate.is_none())
        {
            let own: Vec<&str> =
                index.keys.iter().filter_map(|key| key.column.as_deref()).collect();
            let key = table.primary_key();
            if own.iter().all(|column| key.iter().any(|k| k == column))
                || own.contains(&mark.name.as_str())
            {
                continue;
            }
            let title = format!("deleted rows of {} keep their {}", shown(table), own.join(", "));
            let why = format!(
                "Who was deleted cannot come back. Build the unique index again WHERE {} IS NULL, and \
                 drop this one.",
                mark.name
            );
            found.push(
                Draft::new(Severity::Medium, table.qualified(), title, why)
                    .index(index.name.clone())
                    .at(own.join(", ")),
            );
        }
    }
    found
}
