use super::support::*;

/// A column that names another table's rows, and no foreign key
pub static RULE: Check = rule(
    "reference-without-foreign-key",
    "A column that names another table's rows, and no foreign key",
    Severity::Low,
    "`customer_id` beside a table `customers` with a key of the same type says that it points there; \
     nothing makes sure that it does, and rows that point nowhere collect. The planner also knows \
     less about the join.\n\nAdd the key NOT VALID, which checks new rows only, look for rows \
     without a parent, and VALIDATE it.",
    "PostgreSQL manual, ALTER TABLE: NOT VALID and VALIDATE CONSTRAINT",
    &[
        bad(
            "named like one",
            "CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);
INSERT INTO customers SELECT generate_series(1, 10);
INSERT INTO orders SELECT i, i FROM generate_series(1, 10) i;",
        ),
        good(
            "a foreign key",
            "CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);",
        ),
        good(
            "a key of another type",
            "CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id uuid);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for (table, column) in columns(catalog) {
        let Some(thing) = names::refers_to(&column.name) else { continue };
        let keyed = table.constraints.iter().any(|constraint| {
            constraint.kind == ConstraintKind::ForeignKey
                && constraint.columns.contains(&column.name)
        });
        let parent = tables(catalog).find(|parent| {
            parent.schema == table.schema
                && names::names(&parent.name, &thing)
                && key_of(parent).is_some_and(|key| key.type_name == column.type_name)
        });
        let (Some(parent), false) = (parent, keyed) else { continue };
        if parent.name == table.name {
            continue;
        }
        let Some(key) = key_of(parent) else { continue };
        let title =
            format!("{}.{} has no foreign key to {}", shown(table), column.name, shown(parent));
        let why = "Nothing keeps it from naming rows that are not there.";
        let constraint = quote_ident(&name(table, std::slice::from_ref(&column.name), "fkey"));
        let add = format!(
            "ALTER TABLE {} ADD CONSTRAINT {constraint} FOREIGN KEY ({}) REFERENCES {} ({}) NOT VALID",
            full(table),
            quote_ident(&column.name),
            full(parent),
            quote_ident(&key.name)
        );
        let validate = format!("ALTER TABLE {} VALIDATE CONSTRAINT {constraint}", full(table));
        let down = format!("ALTER TABLE {} DROP CONSTRAINT {constraint}", full(table));
        let draft =
            Draft::new(Severity::Low, table.qualified(), title, why).at(column.name.clone());
        // Before 18 a partitioned table takes no constraint that is not valid.
        found.push(if table.kind == RelationKind::PartitionedTable {
            draft
        } else {
            let fix = Fix::ddl(format!("add the foreign key to {}", shown(parent)), vec![add, validate], vec![down])
                .mind("adding takes SHARE ROW EXCLUSIVE on both tables for a moment; validating reads the table and lets writers go on");
            draft.fix(fix)
        });
    }
    found
}

/// The one column of a primary key.
fn key_of(table: &Relation) -> Option<&Column> {
    match table.primary_key() {
        [one] => table.column(one),
        _ => None,
    }
}
