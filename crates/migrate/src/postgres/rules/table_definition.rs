use super::support::*;

/// The table's definition is changed in the catalogue alone
pub static RULE: Rule<Context> = rule(
    47,
    "table-definition",
    "The table's definition is changed in the catalogue alone",
    Severity::Info,
    None,
    "Row level security, policies, rules, the owner, storage, replica identity, \
     inheritance, dropping a constraint: ACCESS EXCLUSIVE for a moment.\n\nSet a \
     lock_timeout and retry.",
    &[
        bad("row level security", shop!(), "ALTER TABLE users ENABLE ROW LEVEL SECURITY"),
        bad("a policy", shop!(), "CREATE POLICY own ON users USING (email = current_user)"),
        bad("the owner", shop!(), "ALTER TABLE users OWNER TO CURRENT_USER"),
        good(
            "with a lock_timeout",
            shop!(),
            "SET lock_timeout = '1s'; ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let lock = Lock::AccessExclusive;
    let why = "Only the catalogue changes.";
    let on = |table: String, what: &str| vec![brief(lock, &table, format!("{table}: {what}"), why)];
    match context.node() {
        Some(NodeEnum::CreatePolicyStmt(policy)) => {
            on(policy.table.as_ref().map(table_key).unwrap_or_default(), "a policy is made")
        }
        Some(NodeEnum::AlterPolicyStmt(policy)) => {
            on(policy.table.as_ref().map(table_key).unwrap_or_default(), "a policy is changed")
        }
        Some(NodeEnum::RuleStmt(rule)) => {
            on(rule.relation.as_ref().map(table_key).unwrap_or_default(), "a rule is made")
        }
        Some(NodeEnum::DropStmt(drop)) => {
            use pb::ObjectType as Object;
            match Object::try_from(drop.remove_type) {
                Ok(Object::ObjectPolicy | Object::ObjectRule) => owners(drop)
                    .into_iter()
                    .flat_map(|table| on(table, "a policy or rule is dropped"))
                    .collect(),
                Ok(Object::ObjectTable | Object::ObjectView | Object::ObjectMatview) => {
                    let kind = Object::try_from(drop.remove_type).unwrap_or(Object::ObjectTable);
                    dropped(context, kind)
                        .into_iter()
                        .flat_map(|table| on(table, "dropped with all it holds"))
                        .collect()
                }
                Ok(Object::ObjectSchema) => strings(&drop.objects)
                    .into_iter()
                    .flat_map(|schema| {
                        let all = format!("every table of the schema {schema}");
                        on(all, "dropped with all it holds")
                    })
                    .collect(),
                _ => Vec::new(),
            }
        }
        Some(NodeEnum::DropOwnedStmt(_)) => {
            on("every table of the role".into(), "dropped with all it holds")
        }
        _ => context
            .alters()
            .into_iter()
            .filter(|alter| {
                matches!(
                    alter.kind,
                    At::AtSetStorage
                        | At::AtSetCompression
                        | At::AtDropConstraint
                        | At::AtChangeOwner
                        | At::AtEnableRule
                        | At::AtEnableAlwaysRule
                        | At::AtEnableReplicaRule
                        | At::AtDisableRule
                        | At::AtAddInherit
                        | At::AtDropInherit
                        | At::AtAddOf
                        | At::AtDropOf
                        | At::AtReplicaIdentity
                        | At::AtEnableRowSecurity
                        | At::AtDisableRowSecurity
                        | At::AtForceRowSecurity
                        | At::AtNoForceRowSecurity
                )
            })
            .flat_map(|alter| on(alter.table, "its definition is changed"))
            .collect(),
    }
}
