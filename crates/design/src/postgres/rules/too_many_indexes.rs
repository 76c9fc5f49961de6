use super::support::*;

/// More than ten indexes on one table
pub static RULE: Check = rule(
    "too-many-indexes",
    "More than ten indexes on one table",
    Severity::Medium,
    "Each insert writes each index, each update that is not heap-only writes them all again, and the \
     planner looks at every one. See which are never used, and which begin like another: `marula tune` \
     with the table's workload proves which may go.",
    "field's rule of thumb: more than 10",
    &[
        bad(
            "eleven",
            "CREATE TABLE t (a int PRIMARY KEY, b int, c int, d int);
CREATE INDEX ON t (b); CREATE INDEX ON t (c); CREATE INDEX ON t (d); CREATE INDEX ON t (b, c);
CREATE INDEX ON t (b, d); CREATE INDEX ON t (c, b); CREATE INDEX ON t (c, d); CREATE INDEX ON t (d, b);
CREATE INDEX ON t (d, c); CREATE INDEX ON t (a, b); CREATE INDEX ON t (a, c);",
        ),
        good("one", "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE INDEX ON t (b);"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    tables(catalog)
        .filter(|table| table.indexes.len() > 10)
        .map(|table| {
            let unused = table.indexes.iter().filter(|index| index.scans == 0).count();
            let title = format!("{} has {} indexes", shown(table), table.indexes.len());
            let why = "Each insert writes all of them. Prove which may go: marula tune TARGET";
            Draft::new(Severity::Medium, table.qualified(), title, why)
                .number("not used since the statistics began", unused as f64)
                .bytes("size of all", table.index_bytes as f64)
        })
        .collect()
}
