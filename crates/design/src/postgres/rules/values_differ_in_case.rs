use super::support::*;

/// One value written in several ways
pub static RULE: Check = rule(
    "values-differ-in-case",
    "One value written in several ways",
    Severity::Medium,
    "`Paid` and `paid` are two values to the database and one to people: every filter misses some \
     rows. Bring the rows to one spelling, and let a CHECK keep it.",
    "what a filter on one spelling leaves out",
    &[
        bad(
            "two spellings",
            "CREATE TABLE orders (id bigint PRIMARY KEY, status text);
INSERT INTO orders SELECT i, (ARRAY['paid','Paid','open'])[i % 3 + 1] FROM generate_series(1, 300) i;",
        ),
        good(
            "one spelling",
            "CREATE TABLE orders (id bigint PRIMARY KEY, status text);
INSERT INTO orders SELECT i, (ARRAY['paid','open'])[i % 2 + 1] FROM generate_series(1, 300) i;",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    columns(catalog).filter_map(|(table, column)| draft(table, column)).collect()
}

fn draft(table: &Relation, column: &Column) -> Option<Draft> {
    let words = &column.statistics.as_ref()?.common_values;
    // Many values are names or free text, where case is a matter of taste.
    if !is_text(column) || column.type_name == "citext" || words.len() > 30 {
        return None;
    }
    let same =
        |a: &String, b: &String| a != b && a.trim().to_lowercase() == b.trim().to_lowercase();
    let (one, other) = words
        .iter()
        .enumerate()
        .find_map(|(at, a)| words[at + 1..].iter().find(|b| same(a, b)).map(|b| (a, b)))?;
    let title = format!("{}.{} holds one value in several spellings", shown(table), column.name);
    let why = format!(
        "A filter on '{one}' misses the rows with '{other}'. Bring them to one spelling: marula \
         migrate backfill {} --set \"{}=lower({})\"",
        shown(table),
        column.name,
        column.name
    );
    Some(
        Draft::new(Severity::Medium, table.qualified(), title, why)
            .at(column.name.clone())
            .word("values", format!("{one}, {other}")),
    )
}
