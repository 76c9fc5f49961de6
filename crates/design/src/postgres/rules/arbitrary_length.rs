use super::support::*;

/// A length that nobody meant
pub static RULE: Check = rule(
    "arbitrary-length",
    "A length that nobody meant",
    Severity::Info,
    "`varchar(255)` is a habit of other databases: here it saves no space and no time, and the value \
     that is too long one day fails at night. Use `text`, and a CHECK where a length is a rule of the \
     business. Making a varchar longer, or `text`, is done in a moment.",
    WIKI,
    &[
        bad("255", "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(255));"),
        good("text", "CREATE TABLE users (id bigint PRIMARY KEY, name text);"),
        good(
            "a length with a meaning",
            "CREATE TABLE users (id bigint PRIMARY KEY, country varchar(2));",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    const HABITS: [&str; 4] = ["255", "256", "191", "250"];
    let habit = |column: &Column| {
        HABITS.iter().any(|n| column.type_name == format!("character varying({n})"))
    };
    tables(catalog)
        .filter_map(|table| {
            let found: Vec<&Column> = table.columns.iter().filter(|column| habit(column)).collect();
            let names: Vec<String> = found.iter().map(|column| column.name.clone()).collect();
            (!found.is_empty()).then(|| {
                let set = |column: &Column, to: &str| {
                    format!("ALTER COLUMN {} TYPE {to}", quote_ident(&column.name))
                };
                let all = |to: &dyn Fn(&Column) -> String| {
                    let parts: Vec<String> = found.iter().map(|column| set(column, &to(column))).collect();
                    format!("ALTER TABLE {} {}", full(table), parts.join(", "))
                };
                let fix = Fix::ddl(
                    "let them be as long as they are",
                    vec![all(&|_| "text".into())],
                    vec![all(&|column| column.type_name.clone())],
                )
                .mind("takes an ACCESS EXCLUSIVE lock for a moment, without a rewrite; views over the columns have to be made again; the way back checks every row");
                Draft::new(
                    Severity::Info,
                    table.qualified(),
                    format!("{} limits {} to a length nobody meant", shown(table), names.join(", ")),
                    "It saves nothing, and the first longer value fails.",
                )
                .at(names.join(", "))
                .fix(fix)
            })
        })
        .collect()
}
