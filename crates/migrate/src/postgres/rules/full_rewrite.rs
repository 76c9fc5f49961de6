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
        Some(NodeEnum::AlterTableMoveAllStmt(moved)) => {
            let what = format!("ALL IN TABLESPACE {}", moved.orig_tablespacename);
            vec![draft("every table", &what)]
        }
        Some(NodeEnum::AlterTableStmt(alter))
            if alter.objtype == pb::ObjectType::ObjectIndex as i32 =>
        {
            moved_index(context, alter)
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

/// An index that is written anew in another tablespace; who works on its table waits for it.
fn moved_index(context: &Context, alter: &pb::AlterTableStmt) -> Vec<Draft> {
    let moves = alter.cmds.iter().any(|cmd| {
        matches!(cmd.node.as_ref(), Some(NodeEnum::AlterTableCmd(cmd))
            if cmd.subtype == At::AtSetTableSpace as i32)
    });
    let Some(index) = alter.relation.as_ref().map(table_key).filter(|_| moves) else {
        return Vec::new();
    };
    let bare = index.rsplit('.').next().unwrap_or(&index);
    let tables = context.schema.tables.iter();
    let table = tables
        .filter(|(_, table)| table.indexes.iter().any(|own| own.name == bare))
        .map(|(name, _)| name.clone())
        .next();
    let title = format!("SET TABLESPACE writes all of the index {index} anew");
    let why = "REINDEX INDEX CONCURRENTLY … (TABLESPACE …) does it while all go on working.";
    let object = table.unwrap_or(index);
    vec![heavy(Lock::AccessExclusive, &object, Work::Rewrite, title, why)]
}
