use super::support::*;

/// CREATE TABLE … PARTITION OF locks the parent ACCESS EXCLUSIVE
pub static RULE: Rule<Context> = rule(
    40,
    "create-partition",
    "CREATE TABLE … PARTITION OF locks the parent ACCESS EXCLUSIVE",
    Severity::Low,
    None,
    "All reads and writes of the partitioned table wait for it, and it waits for all of \
     theirs.\n\nCREATE TABLE … (LIKE parent INCLUDING ALL), then ALTER TABLE parent \
     ATTACH PARTITION, which takes SHARE UPDATE EXCLUSIVE on the parent.",
    &[
        bad(
            "a new partition",
            "CREATE TABLE visits (id int, at date NOT NULL) PARTITION BY RANGE (at);",
            "CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        ),
        good(
            "with a lock_timeout",
            "CREATE TABLE visits (id int, at date NOT NULL) PARTITION BY RANGE (at);",
            "SET lock_timeout = '1s'; CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    added_partitions(context)
        .into_iter()
        .filter(|added| !added.attached)
        .map(|added| {
            let title =
                format!("the new partition {} locks all of {}", added.partition, added.parent);
            brief(
                Lock::AccessExclusive,
                &added.parent,
                title,
                "Make the table first and ATTACH it, which lets everybody go on.",
            )
        })
        .collect()
}
