use super::support::*;

/// Tenants kept apart by the program alone
pub static RULE: Check = rule(
    "tenant-without-row-security",
    "Tenants kept apart by the program alone",
    Severity::Low,
    "Where rows say whose they are, one forgotten condition shows a customer another's data. Row-level \
     security puts the condition on the table: a policy on a setting of the session, and roles that do \
     not bypass it.",
    "PostgreSQL manual, row security policies",
    &[
        bad(
            "a tenant's column",
            "CREATE TABLE invoices (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, total numeric);",
        ),
        good(
            "row-level security",
            "CREATE TABLE invoices (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, total numeric);
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON invoices USING (tenant_id = current_setting('app.tenant')::bigint);",
        ),
        good("no tenants", "CREATE TABLE invoices (id bigint PRIMARY KEY, total numeric);"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    columns(catalog)
        .filter(|(table, column)| names::is_tenant(&column.name) && !table.row_security)
        .map(|(table, column)| {
            let title = format!("{} keeps tenants apart by the program alone", shown(table));
            let setting = format!("current_setting('app.{}', true)", column.name);
            let policy = format!(
                "CREATE POLICY {} ON {} USING ({} = {setting}::{})",
                quote_ident("own_rows"),
                full(table),
                quote_ident(&column.name),
                column.type_name
            );
            let why = format!(
                "One query without the condition shows another's rows. {policy}; then ENABLE ROW LEVEL \
                 SECURITY, once every session sets app.{}.",
                column.name
            );
            Draft::new(Severity::Low, table.qualified(), title, why).at(column.name.clone())
        })
        .collect()
}
