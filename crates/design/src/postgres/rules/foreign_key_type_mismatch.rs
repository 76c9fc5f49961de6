use super::support::*;

/// A foreign key between columns of different types
pub static RULE: Check = rule(
    "foreign-key-type-mismatch",
    "A foreign key between columns of different types",
    Severity::Medium,
    "An `integer` that refers to a `bigint` key runs out at 2,147,483,647 although the key does not, \
     and each check and join converts. Give both sides the same type.",
    "measured: the cast keeps hash joins, but the narrow side overflows with error 22003",
    &[
        bad(
            "integer to bigint",
            "CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id integer REFERENCES customers);",
        ),
        good(
            "both bigint",
            "CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for table in tables(catalog) {
        for key in table.constraints.iter().filter(|key| key.kind == ConstraintKind::ForeignKey) {
            let parent = key.references.as_deref().and_then(|name| catalog.find(name));
            let Some(parent) = parent else { continue };
            for (own, theirs) in key.columns.iter().zip(&key.referenced_columns) {
                let (Some(own), Some(theirs)) = (table.column(own), parent.column(theirs)) else {
                    continue;
                };
                if base(own) == base(theirs) {
                    continue;
                }
                let title = format!(
                    "is {}, and {}.{} is {}",
                    own.type_name,
                    shown(parent),
                    theirs.name,
                    theirs.type_name
                );
                let why = "The narrower side runs out first, and every check converts.";
                let draft = retype(Severity::Medium, table, own, &theirs.type_name, &title, why);
                found.push(draft.word("foreign key", key.name.clone()));
            }
        }
    }
    found
}
