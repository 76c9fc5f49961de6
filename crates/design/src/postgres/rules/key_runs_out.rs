use super::support::*;

/// A key that runs out of numbers
pub static RULE: Check = rule(
    "key-runs-out",
    "A key that runs out of numbers",
    Severity::High,
    "`integer` ends at 2,147,483,647, `smallint` at 32,767; the insert after that fails, and every one \
     after it. Changing the type rewrites the table under a lock: begin long before, with a second \
     column that is filled in batches.",
    "error 22003, or 2200H from the sequence",
    &[
        bad(
            "most of a smallint",
            "CREATE TABLE t (id smallint PRIMARY KEY);
INSERT INTO t SELECT generate_series(1, 25000);",
        ),
        good(
            "bigint",
            "CREATE TABLE t (id bigint PRIMARY KEY);
INSERT INTO t SELECT generate_series(1, 25000);",
        ),
        good(
            "far from its end",
            "CREATE TABLE t (id integer PRIMARY KEY);
INSERT INTO t SELECT generate_series(1, 25000);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for table in tables(catalog) {
        for column in table.primary_key().iter().filter_map(|name| table.column(name)) {
            let most = match column.type_name.as_str() {
                "integer" => f64::from(i32::MAX),
                "smallint" => f64::from(i16::MAX),
                _ => continue,
            };
            let known = values(column);
            let last = known.iter().filter_map(|value| value.parse::<f64>().ok());
            let used = last.fold(0.0, f64::max) / most;
            if used < 0.5 {
                continue;
            }
            let title = format!("is used up by {:.0} %", used * 100.0);
            let why = "When it is, every insert fails.";
            let severity = if used > 0.75 { Severity::High } else { Severity::Medium };
            found.push(retype(severity, table, column, "bigint", &title, why));
        }
    }
    found
}
