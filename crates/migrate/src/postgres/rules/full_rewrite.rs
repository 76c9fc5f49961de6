use super::support::*;

/// The whole table is written anew
pub static RULE: Rule<Context> = rule(
    38,
    "full-rewrite",
    "The whole table is written anew",
    Severity::High,
    None,
    "CLUSTER, VACUUM FULL, SET LOGGED, SET UNLOGGED, SET ACCESS METHOD and SET TABLESPACE \
     copy the table and its indexes under ACCESS EXCLUSIVE, and need the room for a \
     second copy.\n\npg_repack does the same with a moment's lock at the end (REPACK from \
     19).",
    &[
        bad("CLUSTER", shop!(), "CLUSTER users USING users_pkey"),
        bad("SET UNLOGGED", shop!(), "ALTER TABLE users SET UNLOGGED"),
        bad("VACUUM FULL", shop!(), "VACUUM FULL users"),
        good("VACUUM", shop!(), "VACUUM users"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let why = "Use pg_repack, or do it while nobody works.";
    let draft = |table: &str, what: &str| {
        let title = format!("{what} writes all of {table} anew");
        heavy(Lock::AccessExclusive, table, Work::Rewrite, title, why)
    };
    match context.node() {
        Some(NodeEnum::ClusterStmt(cluster)) => {
            let table = cluster.relation.as_ref().map_or("every clustered table".into(), table_key);
            vec![draft(&table, "CLUSTER")]
        }
        Some(NodeEnum::VacuumStmt(vacuum))
            if vacuum.is_vacuumcmd && flag(&vacuum.options, "full") =>
        {
            let mut tables: Vec<String> = vacuum
                .rels
                .iter()
                .filter_map(|node| match node.node.as_ref()? {
                    NodeEnum::VacuumRelation(of) => of.relation.as_ref().map(table_key),
                    _ => None,
                })
                .collect();
            if tables.is_empty() {
                tables.push("every table".into());
            }
            tables.iter().map(|table| draft(table, "VACUUM FULL")).collect()
        }
        _ => context
            .alters()
            .into_iter()
            .filter_map(|alter| {
                let what = match alter.kind {
                    At::AtSetLogged => "SET LOGGED",
                    At::AtSetUnLogged => "SET UNLOGGED",
                    At::AtSetAccessMethod => "SET ACCESS METHOD",
                    At::AtSetTableSpace => "SET TABLESPACE",
                    _ => return None,
                };
                Some(draft(&alter.table, what))
            })
            .collect(),
    }
}
