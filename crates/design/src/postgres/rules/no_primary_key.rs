use super::support::*;

/// A table without a primary key
pub static RULE: Check = rule(
    "no-primary-key",
    "A table without a primary key",
    Severity::High,
    "Nothing keeps two equal rows out, no row can be named, foreign keys cannot point at it, and \
     logical replication cannot send its updates and deletes.\n\nTake the column that names a row, \
     or add one: `id bigint GENERATED ALWAYS AS IDENTITY`. Where a unique index over NOT NULL \
     columns is there already it can become the key without being built again.",
    "PostgreSQL manual, logical replication: publication needs a replica identity",
    &[
        bad("no key at all", "CREATE TABLE visits (at timestamptz, page text);"),
        bad(
            "a unique index that could be one",
            "CREATE TABLE visits (id bigint NOT NULL, page text);
CREATE UNIQUE INDEX visits_id ON visits (id);",
        ),
        good("a key", "CREATE TABLE visits (id bigint PRIMARY KEY, page text);"),
        good(
            "a partition has its parent's",
            "CREATE TABLE visits (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (100);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    tables(catalog).filter(|table| table.primary_key().is_empty()).map(draft).collect()
}

fn draft(table: &Relation) -> Draft {
    let title = format!("{} has no primary key", shown(table));
    let why = "Two equal rows cannot be told apart, and updates and deletes cannot be replicated.";
    let ready = table.indexes.iter().find(|index| {
        let forbids = |column: &String| table.column(column).is_some_and(|known| known.not_null);
        index.unique
            && index.valid
            && index.immediate
            && index.constraint.is_none()
            && index.predicate.is_none()
            && index.method == "btree"
            && index
                .keys
                .iter()
                .all(|key| !key.descending && key.column.as_ref().is_some_and(forbids))
    });
    let draft =
        Draft::new(Severity::High, table.qualified(), title, why).number("rows", rows(table));
    match ready.filter(|_| table.kind == RelationKind::Table) {
        None => draft,
        Some(index) => {
            let key = name(table, &[], "pkey").replace("__", "_");
            let table = full(table);
            // The index takes the constraint's name, and would go with it.
            let back = index.definition.clone();
            let up = format!(
                "ALTER TABLE {table} ADD CONSTRAINT {} PRIMARY KEY USING INDEX {}",
                quote_ident(&key),
                quote_ident(&index.name)
            );
            let down = format!("ALTER TABLE {table} DROP CONSTRAINT {}", quote_ident(&key));
            draft.index(index.name.clone()).fix(
                Fix::ddl(
                    format!("make {} the primary key", index.name),
                    vec![up],
                    vec![down, back],
                )
                .mind("takes an ACCESS EXCLUSIVE lock for a moment: set a lock_timeout"),
            )
        }
    }
}
