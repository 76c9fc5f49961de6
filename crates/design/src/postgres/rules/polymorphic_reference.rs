use super::support::*;

/// A reference to one of several tables
pub static RULE: Check = rule(
    "polymorphic-reference",
    "A reference to one of several tables",
    Severity::Medium,
    "`owner_type` and `owner_id` together point to any table: no foreign key can hold that, and each \
     join has to know the type first. Use a column and a foreign key for each table, with a CHECK \
     `num_nonnulls(…) = 1`; or one parent table that all of them share.",
    "a foreign key names one table",
    &[
        bad("two columns", "CREATE TABLE comments (id bigint PRIMARY KEY, owner_type text, owner_id bigint);"),
        good(
            "a key each",
            "CREATE TABLE posts (id bigint PRIMARY KEY);
CREATE TABLE photos (id bigint PRIMARY KEY);
CREATE TABLE comments (id bigint PRIMARY KEY, post_id bigint REFERENCES posts, photo_id bigint REFERENCES photos);",
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
        let kind = table.columns.iter().find(|other| {
            let words = names::words(&other.name).join("_");
            words == format!("{thing}_type") || words == format!("{thing}_table")
        });
        let (Some(kind), false) = (kind, keyed) else { continue };
        let title = format!("{}.{} points to one of several tables", shown(table), column.name);
        let why = format!(
            "No foreign key can check it, since {} says which table is meant. Give each table a column \
             and a key of its own.",
            kind.name
        );
        found.push(
            Draft::new(Severity::Medium, table.qualified(), title, why)
                .at(format!("{}, {}", kind.name, column.name)),
        );
    }
    found
}
