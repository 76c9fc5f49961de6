use super::support::*;

/// A partition is added while a DEFAULT partition exists, which is read under the lock
pub static RULE: Rule<Context> = rule(
    39,
    "partition-beside-default",
    "A partition is added while a DEFAULT partition exists, which is read under the lock",
    Severity::High,
    None,
    "Rows that belong to the new partition might be in the default one, so all of it is \
     read under ACCESS EXCLUSIVE.\n\nFirst give the default partition a CHECK that \
     excludes the new range (NOT VALID, then VALIDATE); then nothing is read.",
    &[
        bad(
            "a new month",
            "CREATE TABLE visits (id int, at date NOT NULL) PARTITION BY RANGE (at); CREATE TABLE visits_rest PARTITION OF visits DEFAULT; INSERT INTO visits SELECT i, '2025-03-01' FROM generate_series(1, 500) i;",
            "CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        ),
        good(
            "no default partition",
            "CREATE TABLE visits (id int, at date NOT NULL) PARTITION BY RANGE (at);",
            "CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    added_partitions(context)
        .into_iter()
        .filter(|added| !added.is_default)
        .filter_map(|added| {
            let rest = context.schema.default_partition(&added.parent)?;
            let known = context.table(rest)?;
            let excluded =
                known.constraints.iter().any(|c| c.kind == ConstraintKind::Check && c.valid);
            if excluded {
                return None;
            }
            let title =
                format!("adding {} reads all of the default partition {rest}", added.partition);
            Some(heavy(
                Lock::AccessExclusive,
                rest,
                Work::Scan,
                title,
                "First give it a CHECK that excludes the new range, NOT VALID and then validated.",
            ))
        })
        .collect()
}
