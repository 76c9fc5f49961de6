use super::support::*;

/// Dropping a trigger, or a function with CASCADE, locks the table against all
pub static RULE: Rule<Context> = rule(
    46,
    "drop-trigger",
    "Dropping a trigger, or a function with CASCADE, locks the table against all",
    Severity::Medium,
    None,
    "ACCESS EXCLUSIVE for a moment, on every table whose triggers go.\n\nSet a \
     lock_timeout and retry; disable the trigger first, which lets readers go on.",
    &[
        bad(
            "a trigger",
            concat!(
                shop!(),
                "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER noted BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION noted();"
            ),
            "DROP TRIGGER noted ON users",
        ),
        good(
            "with a lock_timeout",
            concat!(
                shop!(),
                "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER noted BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION noted();"
            ),
            "SET lock_timeout = '1s'; DROP TRIGGER noted ON users",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let Some(NodeEnum::DropStmt(drop)) = context.node() else { return Vec::new() };
    let lock = Lock::AccessExclusive;
    if drop.remove_type == pb::ObjectType::ObjectTrigger as i32 {
        return owners(drop)
            .into_iter()
            .map(|table| {
                let title = format!("dropping a trigger locks {table} against all");
                brief(lock, &table, title, "Disable it first, which lets readers go on.")
            })
            .collect();
    }
    let cascade = drop.behavior == pb::DropBehavior::DropCascade as i32;
    if cascade && drop.remove_type == pb::ObjectType::ObjectFunction as i32 {
        let title = "dropping a function with CASCADE locks every table whose triggers go";
        let mut draft = Draft::plain(
            Severity::Medium,
            title,
            "Drop the triggers one by one first, with a lock_timeout.",
        );
        draft.lock = Some(lock.name());
        draft.blocks = lock.blocks();
        return vec![draft];
    }
    Vec::new()
}
