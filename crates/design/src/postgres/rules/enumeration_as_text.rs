use super::support::*;

/// A handful of words, and nothing that says which
pub static RULE: Check = rule(
    "enumeration-as-text",
    "A handful of words, and nothing that says which",
    Severity::Low,
    "A text column with a few different values in thousands of rows is an enumeration: a typing error \
     makes a new value, and no query finds that row again.\n\nA CHECK names the values and is easy to \
     change; a table of them with a foreign key carries labels and order, too; an ENUM type is small, \
     but loses no value again.",
    "PostgreSQL manual, ALTER TYPE: values cannot be dropped from an ENUM",
    &[
        bad(
            "a status",
            "CREATE TABLE orders (id bigint PRIMARY KEY, status text);
INSERT INTO orders SELECT i, (ARRAY['open','paid','sent'])[i % 3 + 1] FROM generate_series(1, 2000) i;",
        ),
        good(
            "a CHECK",
            "CREATE TABLE orders (id bigint PRIMARY KEY, status text CHECK (status IN ('open','paid','sent')));
INSERT INTO orders SELECT i, (ARRAY['open','paid','sent'])[i % 3 + 1] FROM generate_series(1, 2000) i;",
        ),
        good(
            "many values",
            "CREATE TABLE orders (id bigint PRIMARY KEY, note text);
INSERT INTO orders SELECT i, 'note ' || i FROM generate_series(1, 2000) i;",
        ),
    ],
    check,
);

/// From so many rows on a few values are no accident.
const MANY: f64 = 1000.0;
const FEW: usize = 12;

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    columns(catalog).filter_map(|(table, column)| draft(table, column)).collect()
}

fn draft(table: &Relation, column: &Column) -> Option<Draft> {
    let known = column.statistics.as_ref()?;
    let listed: f64 = known.common_frequencies.iter().sum();
    let words = &known.common_values;
    let held = table.constraints.iter().any(|constraint| {
        matches!(
            constraint.kind,
            ConstraintKind::Check
                | ConstraintKind::ForeignKey
                | ConstraintKind::Unique
                | ConstraintKind::PrimaryKey
        ) && constraint.columns.contains(&column.name)
    });
    let word = |value: &String| {
        value.len() <= 40
            && value.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-' || c == ' ')
            && value.chars().any(char::is_alphabetic)
    };
    let few = (2..=FEW).contains(&words.len()) && listed + known.null_fraction > 0.999;
    if held || !is_text(column) || rows(table) < MANY || !few || !words.iter().all(word) {
        return None;
    }
    if looks(words.iter().map(String::as_str)) == Some(Looks::Boolean) {
        return None;
    }
    let values: Vec<String> = words.iter().map(|value| quote_literal(value)).collect();
    let constraint = quote_ident(&name(table, std::slice::from_ref(&column.name), "check"));
    let add = format!(
        "ALTER TABLE {} ADD CONSTRAINT {constraint} CHECK ({} IN ({})) NOT VALID",
        full(table),
        quote_ident(&column.name),
        values.join(", ")
    );
    let fix = Fix::ddl(
        format!("name the values {} may have", column.name),
        vec![add, format!("ALTER TABLE {} VALIDATE CONSTRAINT {constraint}", full(table))],
        vec![format!("ALTER TABLE {} DROP CONSTRAINT {constraint}", full(table))],
    )
    .mind("the values are those of the server's statistics: check that none is missing before it is made");
    let title = format!("{}.{} is an enumeration nobody wrote down", shown(table), column.name);
    let why = "A misspelt value is stored like any other.";
    Some(
        Draft::new(Severity::Low, table.qualified(), title, why)
            .at(column.name.clone())
            .word("values", words.join(", "))
            .number("rows", rows(table))
            .fix(fix),
    )
}
