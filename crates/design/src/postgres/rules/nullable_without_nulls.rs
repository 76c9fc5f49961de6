use super::support::*;

/// Columns that may be missing and never are
pub static RULE: Check = rule(
    "nullable-without-nulls",
    "Columns that may be missing and never are",
    Severity::Info,
    "Half of a table's columns or more allow NULL and have none in thousands of rows: the program \
     counts on them, and nothing keeps the first NULL out. It also keeps anti joins and NOT IN from \
     being planned well. NOT NULL can be added without keeping anybody out: a CHECK that is not valid, \
     VALIDATE, then SET NOT NULL.",
    "PostgreSQL 12 and later: SET NOT NULL takes a valid CHECK's word",
    &[
        bad(
            "all of them",
            "CREATE TABLE orders (id bigint PRIMARY KEY, customer text, total numeric, placed_at timestamptz);
INSERT INTO orders SELECT i, 'c' || i, i, now() FROM generate_series(1, 2000) i;",
        ),
        good(
            "NOT NULL",
            "CREATE TABLE orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric NOT NULL);
INSERT INTO orders SELECT i, 'c' || i, i FROM generate_series(1, 2000) i;",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    tables(catalog).filter(|table| rows(table) >= 1000.0).filter_map(draft).collect()
}

fn draft(table: &Relation) -> Option<Draft> {
    let never = |column: &&Column| {
        !column.not_null
            && column.statistics.as_ref().is_some_and(|known| known.null_fraction == 0.0)
    };
    let found: Vec<String> =
        table.columns.iter().filter(never).map(|column| column.name.clone()).collect();
    if found.len() < 3 || found.len() * 2 < table.columns.len() {
        return None;
    }
    let title = format!("{} allows NULL in {} columns that have none", shown(table), found.len());
    let why = format!(
        "Nothing keeps the first NULL out. For those that must be there: marula migrate not-null {}.{}",
        shown(table),
        found.first()?
    );
    Some(
        Draft::new(Severity::Info, table.qualified(), title, why)
            .at(found.join(", "))
            .number("rows", rows(table)),
    )
}
