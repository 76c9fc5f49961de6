use super::support::*;

/// SET EXPRESSION computes a stored column anew for every row
pub static RULE: Rule<Context> = rule(
    50,
    "set-expression",
    "SET EXPRESSION computes a stored column anew for every row",
    Severity::High,
    Some(Version::new(17, 0, 0)),
    "ALTER COLUMN … SET EXPRESSION (17) writes every row and every index anew under \
     ACCESS EXCLUSIVE.\n\nAdd a new column, keep it up to date with a trigger, backfill \
     it in batches, then swap.",
    &[
        bad(
            "another expression",
            concat!(
                shop!(),
                "ALTER TABLE users ADD COLUMN older int GENERATED ALWAYS AS (age + 1) STORED;"
            ),
            "ALTER TABLE users ALTER COLUMN older SET EXPRESSION AS (age + 2)",
        ),
        good("an ordinary default", shop!(), "ALTER TABLE users ALTER COLUMN age SET DEFAULT 2"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .altered(At::AtSetExpression)
        .into_iter()
        .filter(|alter| {
            let known = context.table(&alter.table).and_then(|t| t.column(&alter.cmd.name));
            known.and_then(|column| column.stored) != Some(false)
        })
        .map(|alter| {
            let title =
                format!("{}.{} is computed anew for every row", alter.table, alter.cmd.name);
            heavy(
                alter.lock,
                &alter.table,
                Work::Rewrite,
                title,
                "Add a new column instead, fill it in batches, swap.",
            )
        })
        .collect()
}
