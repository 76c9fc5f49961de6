use super::support::*;

/// A column of a domain that checks its values is added: the table is rewritten
pub static RULE: Rule<Context> = rule(
    6,
    "add-column-domain",
    "A column of a domain that checks its values is added: the table is rewritten",
    Severity::High,
    None,
    "PostgreSQL writes every row anew under ACCESS EXCLUSIVE when the domain has a CHECK \
     or NOT NULL, even for a column without a default.\n\nUse the base type, and the \
     domain's condition as a CHECK … NOT VALID that is validated afterwards.",
    &[
        bad(
            "a domain with a CHECK",
            concat!(shop!(), "CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);"),
            "ALTER TABLE users ADD COLUMN done percent",
        ),
        good(
            "a domain without",
            concat!(shop!(), "CREATE DOMAIN amount AS int;"),
            "ALTER TABLE users ADD COLUMN done amount",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    of_kind(
        context,
        NewColumn::Domain,
        "is of a domain that checks its values: every row is written anew, default or not",
        "Use the domain's base type, and its condition as CHECK … NOT VALID, validated afterwards.",
    )
}
