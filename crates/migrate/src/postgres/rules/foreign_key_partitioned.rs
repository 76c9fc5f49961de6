use super::support::*;

/// A foreign key on a partitioned table checks every row of every partition
pub static RULE: Rule<Context> = rule(
    24,
    "foreign-key-partitioned",
    "A foreign key on a partitioned table checks every row of every partition",
    Severity::High,
    None,
    "All partitions are locked SHARE ROW EXCLUSIVE while their rows are looked up, and \
     NOT VALID is refused before 18.\n\nAdd it per partition NOT VALID and validate each, \
     then add it to the parent, which takes the ones that are there.",
    &[
        bad(
            "on the parent",
            concat!(
                shop!(),
                "CREATE TABLE visits (user_id bigint, at date) PARTITION BY RANGE (at); CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); INSERT INTO visits SELECT i, '2026-03-01' FROM generate_series(1, 500) i;"
            ),
            "ALTER TABLE visits ADD FOREIGN KEY (user_id) REFERENCES users (id)",
        ),
        good(
            "on one partition, not validated",
            concat!(
                shop!(),
                "CREATE TABLE visits (user_id bigint, at date) PARTITION BY RANGE (at); CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
            ),
            "SET lock_timeout = '1s'; ALTER TABLE visits_1 ADD FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (alter, foreign) in context.added(Kind::ConstrForeign) {
        let Some(parent) = foreign.pktable.as_ref().map(table_key) else { continue };
        if !is_partitioned(context, &alter.table) || context.is_new(&alter.table) {
            continue;
        }
        let title = format!("the partitioned table {} gets a foreign key to {parent}", alter.table);
        if foreign.skip_validation && context.version.major < 18 {
            let why =
                "NOT VALID is refused on partitioned tables before 18: add it to each partition.";
            drafts.push(locked(alter.lock, &alter.table, Severity::High, title + ": fails", why));
        } else if foreign.skip_validation || !foreign.is_enforced {
            drafts.push(brief(alter.lock, &alter.table, title, "Nothing is read."));
        } else if all_have(context, &alter.table, foreign, &parent) {
            drafts.push(brief(alter.lock, &alter.table, title, "Its partitions have it already."));
        } else {
            let why =
                "Add it to each partition NOT VALID and validate it there, then to the parent.";
            drafts.push(
                heavy(
                    alter.lock,
                    &alter.table,
                    Work::Scan,
                    title + ": every row of every partition is looked up",
                    why,
                )
                .with("also locked", format!("{parent}: {}", Lock::ShareRowExclusive.name())),
            );
        }
    }
    drafts
}

/// Whether every partition has a valid foreign key of that name, which is taken in.
fn all_have(context: &Context, table: &str, foreign: &pb::Constraint, parent: &str) -> bool {
    let parts = context.schema.partitions(table);
    !parts.is_empty()
        && parts.into_iter().all(|part| {
            if is_partitioned(context, part) {
                return all_have(context, part, foreign, parent);
            }
            let known = context.table(part);
            known.is_some_and(|known| {
                known.constraints.iter().any(|own| {
                    own.valid
                        && own.kind == ConstraintKind::ForeignKey
                        && own.name == foreign.conname
                        && own.columns == strings(&foreign.fk_attrs)
                        && own.references.as_deref() == Some(parent)
                })
            })
        })
}
