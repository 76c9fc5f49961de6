use super::support::*;

/// CREATE OR REPLACE VIEW locks the view against its readers, for a moment
pub static RULE: Rule<Context> = rule(
    54,
    "replace-view",
    "CREATE OR REPLACE VIEW locks the view against its readers, for a moment",
    Severity::Info,
    None,
    "ACCESS EXCLUSIVE on the view, not on the tables below.\n\nSet a lock_timeout and \
     retry.",
    &[
        bad(
            "replaced",
            concat!(shop!(), "CREATE VIEW grown AS SELECT id FROM users WHERE age >= 18;"),
            "CREATE OR REPLACE VIEW grown AS SELECT id FROM users WHERE age >= 21",
        ),
        good("new", shop!(), "CREATE VIEW grown AS SELECT id FROM users WHERE age >= 18"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    match context.node() {
        Some(NodeEnum::ViewStmt(view)) if view.replace => {
            let name = view.view.as_ref().map(table_key).unwrap_or_default();
            if context.schema.complete && context.table(&name).is_none() {
                return Vec::new();
            }
            let title = format!("the view {name} is replaced");
            vec![brief(Lock::AccessExclusive, &name, title, "The tables below are not locked.")]
        }
        _ => Vec::new(),
    }
}
