use super::support::*;

/// A name for a row that may come twice
pub static RULE: Check = rule(
    "natural-key-without-unique",
    "A name for a row that may come twice",
    Severity::Medium,
    "An e-mail address, a user name, a slug or an SKU names one row for people and programs; all values \
     differ today, and nothing keeps two equal ones out tomorrow. A unique index does, and serves the \
     look-ups by it.",
    "check-then-insert in two sessions at once inserts both",
    &[
        bad(
            "an address",
            "CREATE TABLE users (id bigint PRIMARY KEY, email text);
INSERT INTO users SELECT i, 'u' || i || '@example.org' FROM generate_series(1, 500) i;",
        ),
        good(
            "unique",
            "CREATE TABLE users (id bigint PRIMARY KEY, email text UNIQUE);
INSERT INTO users SELECT i, 'u' || i || '@example.org' FROM generate_series(1, 500) i;",
        ),
        good(
            "duplicates are usual",
            "CREATE TABLE orders (id bigint PRIMARY KEY, email text);
INSERT INTO orders SELECT i, 'u' || i % 50 || '@example.org' FROM generate_series(1, 500) i;",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    const NAMES: [&str; 6] = ["email", "username", "login", "slug", "sku", "isbn"];
    let mut found = Vec::new();
    for (table, column) in columns(catalog) {
        let indexed = table.indexes.iter().any(|index| {
            index.unique && index.keys.iter().any(|key| key.expression.contains(&column.name))
        });
        let (all, different) = (rows(table), distinct(table, column).unwrap_or(0.0));
        let missing = column.statistics.as_ref().map_or(0.0, |known| known.null_fraction);
        let differ = all >= 100.0 && different >= all * (1.0 - missing) * 0.999;
        if !names::ends_in(&column.name, &NAMES) || indexed || !differ {
            continue;
        }
        let title = format!("nothing keeps {}.{} unique", shown(table), column.name);
        let why = "All values differ today; two inserts at once make the first pair.";
        let index = name(table, std::slice::from_ref(&column.name), "key");
        let online = if table.kind == RelationKind::Table { "CONCURRENTLY " } else { "" };
        let draft = Draft::new(Severity::Medium, table.qualified(), title, why)
            .at(column.name.clone())
            .number("rows", all);
        // A partitioned table's unique index has to hold its partition key.
        found.push(if table.kind == RelationKind::PartitionedTable {
            draft
        } else {
            let fix = Fix::of_index(
                format!("make {}.{} unique", shown(table), column.name),
                format!(
                    "CREATE UNIQUE INDEX {online}{} ON {} ({})",
                    quote_ident(&index),
                    full(table),
                    quote_ident(&column.name)
                ),
                format!(
                    "DROP INDEX {online}{}.{}",
                    quote_ident(&table.schema),
                    quote_ident(&index)
                ),
            );
            draft.fix(fix.mind(
                "fails on duplicates, and leaves an invalid index then: drop it and look for them",
            ))
        });
    }
    found
}
