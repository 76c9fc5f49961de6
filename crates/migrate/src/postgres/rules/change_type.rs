use super::support::*;

/// A column's type is changed in a way that rewrites the table
pub static RULE: Rule<Context> = rule(
    28,
    "change-type",
    "A column's type is changed in a way that rewrites the table",
    Severity::High,
    None,
    "int to bigint, char(n), enum to text, json to jsonb, another scale of a numeric, \
     anything narrower, and every USING that computes: each row and each index is written \
     anew under ACCESS EXCLUSIVE.\n\nAdd a column of the new type, keep it up to date \
     with a trigger, backfill it in batches, then swap the names. Widening a varchar and \
     changing it to text rewrite nothing.",
    &[
        bad("int to bigint", shop!(), "ALTER TABLE users ALTER COLUMN age TYPE bigint"),
        bad(
            "json to jsonb",
            shop!(),
            "ALTER TABLE users ALTER COLUMN data TYPE jsonb USING data::jsonb",
        ),
        good("a wider varchar", shop!(), "ALTER TABLE users ALTER COLUMN name TYPE varchar(80)"),
        good("varchar to text", shop!(), "ALTER TABLE users ALTER COLUMN name TYPE text"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    retyped(context)
        .into_iter()
        .filter(|retyped| retyped.change == TypeChange::Rewrite)
        .map(|retyped| {
            let title = format!("{}: every row is written anew", retyped.title());
            heavy(retyped.alter.lock, &retyped.alter.table, Work::Rewrite, title, "Add a column of the new type, keep it up to date with a trigger, backfill in batches, swap.")
        })
        .collect()
}
