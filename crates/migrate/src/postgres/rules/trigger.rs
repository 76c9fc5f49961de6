use super::support::*;

/// A trigger is made, enabled or disabled: writers wait for a moment
pub static RULE: Rule<Context> = rule(
    45,
    "trigger",
    "A trigger is made, enabled or disabled: writers wait for a moment",
    Severity::Info,
    None,
    "SHARE ROW EXCLUSIVE: it waits for writers, readers go on.\n\nSet a lock_timeout and \
     retry.",
    &[
        bad(
            "a new trigger",
            concat!(
                shop!(),
                "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
            ),
            "CREATE TRIGGER noted BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION noted()",
        ),
        bad("disabled", shop!(), "ALTER TABLE users DISABLE TRIGGER USER"),
        good(
            "with a lock_timeout",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE users DISABLE TRIGGER USER",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let lock = Lock::ShareRowExclusive;
    let why = "Readers go on; writers wait for a moment.";
    if let Some(NodeEnum::CreateTrigStmt(trigger)) = context.node() {
        let table = trigger.relation.as_ref().map(table_key).unwrap_or_default();
        let title = format!("{table} gets the trigger {}", trigger.trigname);
        return vec![brief(lock, &table, title, why)];
    }
    let kinds = At::AtEnableTrig as i32..=At::AtDisableTrigUser as i32;
    context
        .alters()
        .into_iter()
        .filter(|alter| kinds.contains(&alter.cmd.subtype))
        .map(|alter| {
            let title = format!("triggers of {} are switched", alter.table);
            brief(alter.lock, &alter.table, title, why)
        })
        .collect()
}
