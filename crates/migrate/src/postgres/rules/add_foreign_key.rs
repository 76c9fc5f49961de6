use super::support::*;

/// ADD FOREIGN KEY checks every row while writers of both tables wait
pub static RULE: Rule<Context> = rule(
    23,
    "add-foreign-key",
    "ADD FOREIGN KEY checks every row while writers of both tables wait",
    Severity::High,
    None,
    "Both tables are locked SHARE ROW EXCLUSIVE (readers go on, writers wait) while every \
     row of the referencing table is looked up.\n\nADD … NOT VALID takes a moment; \
     VALIDATE CONSTRAINT, in a transaction of its own, takes SHARE UPDATE EXCLUSIVE on \
     the referencing table and ROW SHARE on the other.",
    &[
        bad(
            "at once",
            shop!(),
            "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id)",
        ),
        good(
            "in two steps",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT orders_user",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (alter, foreign) in context.added(Kind::ConstrForeign) {
        let Some(parent) = foreign.pktable.as_ref().map(table_key) else { continue };
        if is_partitioned(context, &alter.table) {
            continue;
        }
        let title = format!("{} gets a foreign key to {parent}", alter.table);
        let other = Lock::ShareRowExclusive;
        if foreign.skip_validation || !foreign.is_enforced || context.is_new(&alter.table) {
            drafts.push(brief(alter.lock, &alter.table, title.clone(), "Nothing is read."));
            if parent != alter.table {
                drafts.push(brief(other, &parent, title, "Nothing is read."));
            }
            continue;
        }
        let why = "Add it NOT VALID, then VALIDATE it in a transaction of its own.";
        let title = title + ": every row is looked up while writers of both wait";
        drafts.push(
            heavy(alter.lock, &alter.table, Work::Scan, title, why)
                .with("also locked", format!("{parent}: {}", other.name())),
        );
    }
    drafts
}
