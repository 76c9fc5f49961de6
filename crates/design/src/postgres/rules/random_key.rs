use super::support::*;

/// A large table keyed at random
pub static RULE: Check = rule(
    "random-key",
    "A large table keyed at random",
    Severity::Low,
    "`gen_random_uuid()` puts each new row into a random page of the key's index: the whole index has \
     to stay in memory, each checkpoint writes full pages of it again, and it fills by half. \
     `uuidv7()` (18; earlier from the program) begins with the time: new keys lie together.",
    "PostgreSQL 18 release notes: uuidv7()",
    &[
        bad(
            "many rows",
            "CREATE TABLE events (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
INSERT INTO events SELECT gen_random_uuid() FROM generate_series(1, 1000);
ANALYZE events;
UPDATE pg_class SET reltuples = 5000000, relpages = 100000 WHERE relname = 'events';",
        ),
        good("few rows", "CREATE TABLE events (id uuid PRIMARY KEY DEFAULT gen_random_uuid());"),
        good(
            "numbers",
            "CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
        ),
    ],
    check,
);

/// Below this an index fits anywhere.
const LARGE: f64 = 1_000_000.0;

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    const RANDOM: [&str; 2] = ["gen_random_uuid()", "uuid_generate_v4()"];
    let mut found = Vec::new();
    for table in tables(catalog).filter(|table| rows(table) > LARGE) {
        for column in table.primary_key().iter().filter_map(|name| table.column(name)) {
            let default = column.default.as_deref().unwrap_or_default();
            if !RANDOM.iter().any(|call| default.ends_with(call)) {
                continue;
            }
            let title = format!(
                "{}.{} puts new rows into random pages of its index",
                shown(table),
                column.name
            );
            let why = "The whole index has to stay in memory. uuidv7() (18), or one made by the program, \
                       begins with the time; old keys may stay as they are.";
            found.push(
                Draft::new(Severity::Low, table.qualified(), title, why)
                    .at(column.name.clone())
                    .number("rows", rows(table)),
            );
        }
    }
    found
}
