use super::support::*;

/// A constraint that old rows may break
pub static RULE: Check = rule(
    "unvalidated-constraint",
    "A constraint that old rows may break",
    Severity::Medium,
    "NOT VALID was meant for a while: new rows obey, old ones may not, and the planner does not rely on \
     it. VALIDATE CONSTRAINT reads the table once and lets everybody go on.",
    "PostgreSQL manual, ALTER TABLE",
    &[
        bad(
            "left behind",
            "CREATE TABLE t (id bigint PRIMARY KEY, a int);
ALTER TABLE t ADD CONSTRAINT t_positive CHECK (a > 0) NOT VALID;",
        ),
        good("validated", "CREATE TABLE t (id bigint PRIMARY KEY, a int CHECK (a > 0));"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for table in tables(catalog) {
        for constraint in table.constraints.iter().filter(|one| !one.validated) {
            // What is NOT ENFORCED is so on purpose, and cannot be validated.
            if constraint.definition.contains("NOT ENFORCED") {
                continue;
            }
            let title = format!("{} on {} was never validated", constraint.name, shown(table));
            let why =
                "Rows from before it was made may break it, and the planner does not rely on it.";
            let named = quote_ident(&constraint.name);
            let back = format!("ALTER TABLE {} DROP CONSTRAINT {named}", full(table));
            let again = format!(
                "ALTER TABLE {} ADD CONSTRAINT {named} {}",
                full(table),
                constraint.definition
            );
            let fix = Fix::ddl(
                format!("validate {}", constraint.name),
                vec![format!("ALTER TABLE {} VALIDATE CONSTRAINT {named}", full(table))],
                vec![back, again],
            )
            .mind("reads the whole table under SHARE UPDATE EXCLUSIVE; fails if a row breaks it");
            found.push(
                Draft::new(Severity::Medium, table.qualified(), title, why)
                    .at(constraint.columns.join(", "))
                    .word("constraint", constraint.definition.clone())
                    .fix(fix),
            );
        }
    }
    found
}
