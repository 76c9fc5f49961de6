use super::support::*;

/// A table of names and values
pub static RULE: Check = rule(
    "entity-attribute-value",
    "A table of names and values",
    Severity::Medium,
    "Rows of (thing, name of an attribute, value as text) hold everything and know nothing: no types, \
     no keys, no NOT NULL, and each question about two attributes joins the table with itself. \
     Attributes that are known are columns; those that are open go into one `jsonb` column.",
    "each further attribute in a condition is one more join",
    &[
        bad(
            "attributes",
            "CREATE TABLE product_attributes (product_id bigint, attribute text, value text, PRIMARY KEY (product_id, attribute));",
        ),
        good(
            "settings of the program",
            "CREATE TABLE settings (key text PRIMARY KEY, value text);",
        ),
        good(
            "columns",
            "CREATE TABLE products (product_id bigint PRIMARY KEY, colour text, value numeric);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    tables(catalog).filter_map(draft).collect()
}

fn draft(table: &Relation) -> Option<Draft> {
    const NAMES: [&str; 7] = ["attribute", "property", "key", "field", "meta_key", "attr", "name"];
    const VALUES: [&str; 5] = ["value", "val", "meta_value", "string_value", "text_value"];
    let called = |known: &[&str], column: &&Column| {
        let last = names::words(&column.name).join("_");
        known.contains(&last.as_str()) || known.iter().any(|k| last == format!("attribute_{k}"))
    };
    let name = table.columns.iter().find(|column| called(&NAMES, column) && is_text(column))?;
    let value = table.columns.iter().find(|column| called(&VALUES, column) && is_text(column))?;
    let thing = table.columns.iter().find(|column| names::refers_to(&column.name).is_some())?;
    if table.columns.len() > 7 {
        return None;
    }
    let title = format!("{} keeps attributes as rows", shown(table));
    let why = "Values have no types and no rules, and each condition on one more attribute is one more \
               join. Make known attributes columns of what they describe, and one jsonb column of the \
               rest.";
    let parts = [&thing.name, &name.name, &value.name].map(String::as_str).join(", ");
    Some(
        Draft::new(Severity::Medium, table.qualified(), title, why)
            .at(parts)
            .number("rows", rows(table)),
    )
}
