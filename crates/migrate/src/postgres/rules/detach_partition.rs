use super::support::*;

/// Detaching or dropping a partition locks the parent ACCESS EXCLUSIVE
pub static RULE: Rule<Context> = rule(
    42,
    "detach-partition",
    "Detaching or dropping a partition locks the parent ACCESS EXCLUSIVE",
    Severity::Medium,
    None,
    "All reads and writes of the partitioned table wait.\n\nALTER TABLE … DETACH \
     PARTITION … CONCURRENTLY (14 and later, not beside a DEFAULT partition, and outside \
     a transaction), then DROP TABLE. It leaves a CHECK with the old bounds on the table, \
     which the plain form does not.",
    &[
        bad(
            "DETACH",
            "CREATE TABLE visits (id int, at date NOT NULL) PARTITION BY RANGE (at); CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
            "ALTER TABLE visits DETACH PARTITION visits_2025",
        ),
        bad(
            "DROP",
            "CREATE TABLE visits (id int, at date NOT NULL) PARTITION BY RANGE (at); CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
            "DROP TABLE visits_2025",
        ),
        good(
            "CONCURRENTLY",
            "CREATE TABLE visits (id int, at date NOT NULL) PARTITION BY RANGE (at); CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
            "ALTER TABLE visits DETACH PARTITION visits_2025 CONCURRENTLY",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let why = if context.version.major >= 14 {
        "DETACH PARTITION … CONCURRENTLY first, outside a transaction; then drop the table."
    } else {
        "Set a lock_timeout and retry; CONCURRENTLY comes with 14."
    };
    let mut drafts = Vec::new();
    for alter in context.altered(At::AtDetachPartition) {
        if alter.lock == Lock::AccessExclusive {
            let title = format!("detaching a partition locks all of {}", alter.table);
            drafts.push(locked(alter.lock, &alter.table, Severity::Medium, title, why));
        }
    }
    for table in dropped(context, pb::ObjectType::ObjectTable) {
        if let Some(parent) = context.table(&table).and_then(|known| known.parent.clone()) {
            let title = format!("dropping the partition {table} locks all of {parent}");
            drafts.push(locked(Lock::AccessExclusive, &parent, Severity::Medium, title, why));
        }
    }
    drafts
}
