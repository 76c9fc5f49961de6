use super::support::*;

/// ATTACH PARTITION reads the partition, or builds the indexes it lacks
pub static RULE: Rule<Context> = rule(
    41,
    "attach-partition",
    "ATTACH PARTITION reads the partition, or builds the indexes it lacks",
    Severity::High,
    None,
    "Without a valid CHECK that says the rows belong, all of them are read under ACCESS \
     EXCLUSIVE on the partition; an index the parent has and the partition lacks is built \
     there, too. The parent is locked SHARE UPDATE EXCLUSIVE only.\n\nAdd the CHECK as \
     NOT VALID and validate it, build the indexes CONCURRENTLY, then ATTACH.",
    &[
        bad(
            "no CHECK",
            "CREATE TABLE visits (id int, at date NOT NULL) PARTITION BY RANGE (at); CREATE TABLE visits_2026 (id int, at date NOT NULL); INSERT INTO visits_2026 SELECT i, '2026-03-01' FROM generate_series(1, 500) i;",
            "ALTER TABLE visits ATTACH PARTITION visits_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        ),
        good(
            "a valid CHECK",
            "CREATE TABLE visits (id int, at date NOT NULL) PARTITION BY RANGE (at); CREATE TABLE visits_2026 (id int, at date NOT NULL CHECK (at >= '2026-01-01' AND at < '2027-01-01')); INSERT INTO visits_2026 SELECT i, '2026-03-01' FROM generate_series(1, 500) i;",
            "SET lock_timeout = '1s'; ALTER TABLE visits ATTACH PARTITION visits_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    added_partitions(context)
        .into_iter()
        .filter(|added| added.attached)
        .map(|added| {
            let (lock, child) = (Lock::AccessExclusive, &added.partition);
            let known = context.table(child);
            let lacking = context.table(&added.parent).zip(known).is_some_and(|(parent, child)| {
                parent
                    .indexes
                    .iter()
                    .any(|index| !child.indexes.iter().any(|own| own.columns == index.columns))
            });
            let proved = known.is_some_and(|table| {
                table.constraints.iter().any(|c| c.kind == ConstraintKind::Check && c.valid)
            });
            let title = format!("{child} becomes a partition of {}", added.parent);
            if lacking {
                let title = title + ": indexes it lacks are built";
                heavy(
                    lock,
                    child,
                    Work::Build,
                    title,
                    "Build them CONCURRENTLY first, and add a valid CHECK.",
                )
            } else if proved {
                brief(lock, child, title, "Its CHECK proves that the rows belong.")
            } else {
                let title = title + ": every row is read, to see that it belongs";
                heavy(
                    lock,
                    child,
                    Work::Scan,
                    title,
                    "Add a CHECK with its bounds as NOT VALID, VALIDATE it, then ATTACH.",
                )
            }
        })
        .collect()
}
