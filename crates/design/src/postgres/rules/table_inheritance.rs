use super::support::*;

/// Tables that inherit
pub static RULE: Check = rule(
    "table-inheritance",
    "Tables that inherit",
    Severity::Low,
    "INHERITS hands down columns, but neither primary keys, unique constraints nor foreign keys: the \
     parent's key holds in each table for itself. For pieces of one table use declarative partitions; \
     for kinds of one thing a table each with a foreign key to a common one.",
    WIKI,
    &[
        bad(
            "INHERITS",
            "CREATE TABLE places (id bigint PRIMARY KEY, name text);
CREATE TABLE capitals (country text) INHERITS (places);",
        ),
        good(
            "partitions",
            "CREATE TABLE places (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE places_1 PARTITION OF places FOR VALUES FROM (0) TO (10);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let inherits = |table: &&Relation| {
        table.kind != RelationKind::Partition
            && table.partition_of.is_some()
            && table.partition_bound.is_none()
    };
    catalog
        .relations
        .iter()
        .filter(inherits)
        .map(|table| {
            let parent = table.partition_of.clone().unwrap_or_default();
            let title = format!("{} inherits from {parent}", shown(table));
            let why =
                "Keys of the parent do not hold over both. Partition the parent, or point to it.";
            Draft::new(Severity::Low, table.qualified(), title, why)
        })
        .collect()
}
