use super::support::*;

/// A table of very many columns
pub static RULE: Check = rule(
    "wide-table",
    "A table of very many columns",
    Severity::Low,
    "More than 80 columns in one row: each question that reads rows reads all of them, each update \
     writes all of them anew, and it is seldom one thing that has so many facts. Put what is asked \
     together in tables of its own with the same key; open attributes in one jsonb column.",
    "an update writes the whole row again",
    &[
        bad(
            "eighty-one",
            "DO $$ BEGIN EXECUTE 'CREATE TABLE t (id bigint PRIMARY KEY, ' ||
  (SELECT string_agg('part_' || chr(97 + i / 26) || chr(97 + i % 26) || ' int', ', ') FROM generate_series(0, 79) i) || ')'; END $$;",
        ),
        good("a few", "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    tables(catalog)
        .filter(|table| table.columns.len() > 80)
        .map(|table| {
            let title = format!("{} has {} columns", shown(table), table.columns.len());
            let why = "Each update writes the whole row again. Put what is asked together in tables of \
                       its own with the same key.";
            Draft::new(Severity::Low, table.qualified(), title, why)
                .number("columns", table.columns.len() as f64)
        })
        .collect()
}
