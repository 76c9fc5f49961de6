use super::support::*;

/// A unique key that NULL slips through
pub static RULE: Check = rule(
    "unique-over-nullable",
    "A unique key of several columns that NULL slips through",
    Severity::Low,
    "NULLs are not equal: UNIQUE (user_id, cancelled_at) lets any number of rows with the same user and \
     no date in. From 15 on `NULLS NOT DISTINCT` keeps them out; before, a partial unique index WHERE \
     the column IS NULL.",
    "PostgreSQL manual, unique constraints",
    &[
        bad(
            "a column that may be missing",
            "CREATE TABLE seats (id bigint PRIMARY KEY, user_id bigint NOT NULL, cancelled_at timestamptz, UNIQUE (user_id, cancelled_at));",
        ),
        good(
            "none is missing",
            "CREATE TABLE seats (id bigint PRIMARY KEY, user_id bigint NOT NULL, place int NOT NULL, UNIQUE (user_id, place));",
        ),
        good(
            "NULLs are held equal",
            "CREATE TABLE seats (id bigint PRIMARY KEY, user_id bigint NOT NULL, cancelled_at timestamptz, UNIQUE NULLS NOT DISTINCT (user_id, cancelled_at));",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for table in tables(catalog) {
        for index in table.indexes.iter().filter(|index| index.unique && index.keys.len() > 1) {
            let nullable: Vec<&str> = index
                .keys
                .iter()
                .filter_map(|key| table.column(key.column.as_deref()?))
                .filter(|column| !column.not_null)
                .map(|column| column.name.as_str())
                .collect();
            if nullable.is_empty() || index.definition.contains("NULLS NOT DISTINCT") {
                continue;
            }
            let title = format!(
                "{} lets equal rows in where {} is NULL",
                index.name,
                nullable.join(" or ")
            );
            let why = "NULLs are not equal to each other. If that is not meant: NULLS NOT DISTINCT (15 \
                       and later), or NOT NULL.";
            found.push(
                Draft::new(Severity::Low, table.qualified(), title, why)
                    .index(index.name.clone())
                    .at(nullable.join(", ")),
            );
        }
    }
    found
}
