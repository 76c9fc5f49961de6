use super::support::*;

/// A domain is constrained: every table that uses it is read while nobody can write to it
pub static RULE: Rule<Context> = rule(
    44,
    "domain-constraint",
    "A domain is constrained: every table that uses it is read while nobody can write to it",
    Severity::High,
    None,
    "ADD CHECK, VALIDATE CONSTRAINT and SET NOT NULL on a domain lock every table with a \
     column of it SHARE and read all its rows. There is no gentle form: even VALIDATE of \
     a NOT VALID constraint does it.\n\nPut the condition on the tables, as CHECK … NOT \
     VALID and VALIDATE.",
    &[
        bad(
            "ADD CHECK",
            "CREATE DOMAIN amount AS int; CREATE TABLE bills (id int, due amount); INSERT INTO bills SELECT i, i FROM generate_series(1, 500) i;",
            "ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE >= 0)",
        ),
        bad(
            "VALIDATE",
            "CREATE DOMAIN amount AS int; CREATE TABLE bills (id int, due amount); INSERT INTO bills SELECT i, i FROM generate_series(1, 500) i; ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE >= 0) NOT VALID;",
            "ALTER DOMAIN amount VALIDATE CONSTRAINT positive",
        ),
        good(
            "NOT VALID",
            "CREATE DOMAIN amount AS int; CREATE TABLE bills (id int, due amount);",
            "ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE >= 0) NOT VALID",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let Some(NodeEnum::AlterDomainStmt(alter)) = context.node() else { return Vec::new() };
    let what = match alter.subtype.as_str() {
        "C" => match alter.def.as_deref().and_then(|def| def.node.as_ref()) {
            Some(NodeEnum::Constraint(constraint)) if constraint.skip_validation => {
                return Vec::new();
            }
            _ => "gets a constraint",
        },
        "V" => "is validated",
        "O" => "becomes NOT NULL",
        _ => return Vec::new(),
    };
    let domain = name_of(&alter.type_name);
    let tables = context.schema.using_type(&domain);
    let why = "Put the condition on the tables instead, as CHECK … NOT VALID and VALIDATE.";
    if tables.is_empty() {
        if context.schema.complete || context.schema.types.contains_key(&domain) {
            return Vec::new();
        }
        let title = format!("the domain {domain} {what}: every table that uses it is read");
        return vec![heavy(Lock::Share, &domain, Work::Scan, title, why)];
    }
    tables
        .iter()
        .map(|table| {
            let title =
                format!("the domain {domain} {what}: {table} uses it, and every row is read");
            heavy(Lock::Share, table, Work::Scan, title, why)
        })
        .collect()
}
