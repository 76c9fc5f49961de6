use super::support::*;

/// ADD EXCLUDE builds an index under the lock, and has no online form
pub static RULE: Rule<Context> = rule(
    21,
    "add-exclusion",
    "ADD EXCLUDE builds an index under the lock, and has no online form",
    Severity::High,
    None,
    "The index is built over all rows under ACCESS EXCLUSIVE; an exclusion constraint \
     cannot take an index that is there.\n\nThere is no online form. Do it while nobody \
     writes, or make a new table with the constraint and move the rows.",
    &[
        bad(
            "at once",
            "CREATE TABLE stays (id int, during int4range); INSERT INTO stays SELECT i, int4range(i * 2, i * 2 + 1) FROM generate_series(1, 500) i;",
            "ALTER TABLE stays ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&)",
        ),
        good(
            "with the table",
            shop!(),
            "CREATE TABLE stays (id int, during int4range, EXCLUDE USING gist (during WITH &&))",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .added(Kind::ConstrExclusion)
        .into_iter()
        .map(|(alter, _)| {
            let title = format!("the index of an exclusion constraint is built over {}", alter.table);
            heavy(alter.lock, &alter.table, Work::Build, title, "There is no online form: do it while nobody writes, or move the rows to a new table.")
        })
        .collect()
}
