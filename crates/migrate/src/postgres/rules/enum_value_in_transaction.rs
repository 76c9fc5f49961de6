use super::support::*;

/// A new enum value is used in the transaction that added it
pub static RULE: Rule<Context> = rule(
    43,
    "enum-value-in-transaction",
    "A new enum value is used in the transaction that added it",
    Severity::High,
    None,
    "ALTER TYPE … ADD VALUE may run in a transaction since 12, but using the value before \
     that transaction has ended fails (\"unsafe use of new value\").\n\nPut the use into \
     the next migration.",
    &[
        bad(
            "used at once",
            "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE people (id int, mood mood);",
            "BEGIN; ALTER TYPE mood ADD VALUE 'happy'; INSERT INTO people VALUES (1, 'happy'); COMMIT",
        ),
        good(
            "used afterwards",
            "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE people (id int, mood mood);",
            "ALTER TYPE mood ADD VALUE 'happy'; INSERT INTO people VALUES (1, 'happy')",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let why = "Put the use into a migration of its own: the value can be used after the transaction has ended.";
    let text = context.statement.text();
    if let Some((_, value)) = context
        .transaction
        .enum_values
        .iter()
        .find(|(_, value)| text.contains(&format!("'{}'", value.replace('\'', "''"))))
    {
        let title =
            format!("the enum value '{value}' is used in the transaction that added it: fails");
        return vec![Draft::plain(Severity::High, title, why).even_new()];
    }
    match context.node() {
        Some(NodeEnum::AlterEnumStmt(alter))
            if alter.old_val.is_empty()
                && context.transaction.open
                && context.version.major < 12 =>
        {
            let title = "ALTER TYPE … ADD VALUE cannot run in a transaction before 12: fails";
            vec![
                Draft::plain(Severity::High, title, "Switch the transaction off for this file.")
                    .even_new(),
            ]
        }
        _ => Vec::new(),
    }
}
