use super::support::*;

/// An index that was never finished
pub static RULE: Check = rule(
    "invalid-index",
    "An index that was never finished",
    Severity::High,
    "CREATE INDEX CONCURRENTLY that was cancelled, or met a duplicate, leaves its index behind: no \
     query uses it, and each write pays for it. Drop it, and build it again.",
    "PostgreSQL manual, building indexes concurrently",
    &[
        bad(
            "duplicates were met",
            "CREATE TABLE t (id bigint PRIMARY KEY, a int);
INSERT INTO t SELECT i, 1 FROM generate_series(1, 10) i;
CREATE UNIQUE INDEX t_a ON t (a) WHERE id = 1;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass;",
        ),
        good(
            "a whole one",
            "CREATE TABLE t (id bigint PRIMARY KEY, a int); CREATE INDEX ON t (a);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for table in tables(catalog).filter(|table| table.kind == RelationKind::Table) {
        for index in table.indexes.iter().filter(|index| !index.valid && index.constraint.is_none())
        {
            let title = format!("{} on {} was never finished", index.name, shown(table));
            let why =
                "No query uses it, and each write pays for it. Build it again when it is gone.";
            let fix = Fix::of_index(
                format!("drop {}", index.name),
                format!(
                    "DROP INDEX CONCURRENTLY {}.{}",
                    quote_ident(&table.schema),
                    quote_ident(&index.name)
                ),
                index.definition.clone(),
            );
            found.push(
                Draft::new(Severity::High, table.qualified(), title, why)
                    .index(index.name.clone())
                    .bytes("size", index.bytes as f64)
                    .fix(fix.mind("waits for transactions that still use the table")),
            );
        }
    }
    found
}
