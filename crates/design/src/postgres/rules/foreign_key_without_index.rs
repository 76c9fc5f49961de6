use super::support::*;

/// A foreign key whose columns no index begins with
pub static RULE: Check = rule(
    "foreign-key-without-index",
    "A foreign key whose columns no index begins with",
    Severity::Medium,
    "Each delete of a referenced row, and each update of its key, has to look for rows that point at \
     it: without an index it reads the whole table, under a lock. Joins along the key do the \
     same.\n\nBuild an index that begins with the foreign key's columns. Where the referenced rows \
     never go and nobody joins, it may be left out.",
    "PostgreSQL manual, foreign keys: an index on the referencing columns is often a good idea",
    &[
        bad(
            "none",
            "CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);
INSERT INTO customers SELECT generate_series(1, 2000);
INSERT INTO orders SELECT i, i FROM generate_series(1, 2000) i;",
        ),
        good(
            "one that begins with it",
            "CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers, at date);
CREATE INDEX ON orders (customer_id, at);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for table in tables(catalog) {
        for key in table.constraints.iter().filter(|key| key.kind == ConstraintKind::ForeignKey) {
            if leads(table, &key.columns) {
                continue;
            }
            let parent = key.references.clone().unwrap_or_default();
            let columns = key.columns.join(", ");
            let title = format!("no index serves the foreign key {}({columns})", shown(table));
            let why = format!(
                "A delete in {parent} reads all of {} to see whether a row points there.",
                shown(table)
            );
            let severity = if rows(table) < 1000.0 { Severity::Low } else { Severity::Medium };
            let draft = Draft::new(severity, table.qualified(), title, why)
                .at(columns)
                .word("foreign key", key.name.clone())
                .number("rows", rows(table));
            let index = name(table, &key.columns, "idx");
            // A partitioned table's index is built partition by partition.
            let online = if table.kind == RelationKind::Table { "CONCURRENTLY " } else { "" };
            let up = format!(
                "CREATE INDEX {online}{} ON {} ({})",
                quote_ident(&index),
                full(table),
                list(&key.columns)
            );
            let down = format!(
                "DROP INDEX {online}{}.{}",
                quote_ident(&table.schema),
                quote_ident(&index)
            );
            let fix = Fix::of_index(
                format!("index {}({})", shown(table), key.columns.join(", ")),
                up,
                down,
            );
            found.push(draft.fix(match online {
                "" => fix.mind("writes to the table and its partitions wait while it is built"),
                _ => {
                    fix.mind("writes get a little dearer; CONCURRENTLY waits for open transactions")
                }
            }));
        }
    }
    found
}
