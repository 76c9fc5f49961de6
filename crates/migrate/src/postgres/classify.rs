//! What a statement is, where PostgreSQL's own tables say it: which lock an ALTER TABLE takes, and
//! what cannot run in a transaction.

use marula_postgres::sql::ParsedStatement;
use pb::AlterTableType as At;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::Lock;

/// The lock one part of an ALTER TABLE takes on its table.
pub fn alter_lock(cmd: &pb::AlterTableCmd) -> Lock {
    match At::try_from(cmd.subtype).unwrap_or(At::Undefined) {
        At::AtSetStatistics
        | At::AtClusterOn
        | At::AtDropCluster
        | At::AtSetOptions
        | At::AtResetOptions
        | At::AtValidateConstraint
        | At::AtAttachPartition
        | At::AtDetachPartitionFinalize => Lock::ShareUpdateExclusive,
        At::AtDetachPartition => match cmd.def.as_deref().and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::PartitionCmd(partition)) if partition.concurrent => {
                Lock::ShareUpdateExclusive
            }
            _ => Lock::AccessExclusive,
        },
        At::AtEnableTrig
        | At::AtEnableAlwaysTrig
        | At::AtEnableReplicaTrig
        | At::AtDisableTrig
        | At::AtEnableTrigAll
        | At::AtDisableTrigAll
        | At::AtEnableTrigUser
        | At::AtDisableTrigUser => Lock::ShareRowExclusive,
        At::AtAddConstraint => match cmd.def.as_deref().and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::Constraint(constraint))
                if constraint.contype == pb::ConstrType::ConstrForeign as i32 =>
            {
                Lock::ShareRowExclusive
            }
            _ => Lock::AccessExclusive,
        },
        At::AtSetRelOptions | At::AtResetRelOptions | At::AtReplaceRelOptions => options_lock(cmd),
        _ => Lock::AccessExclusive,
    }
}

/// Storage parameters that change under SHARE UPDATE EXCLUSIVE.
fn options_lock(cmd: &pb::AlterTableCmd) -> Lock {
    let gentle = |name: &str| {
        name.starts_with("autovacuum_")
            || [
                "fillfactor",
                "toast_tuple_target",
                "parallel_workers",
                "vacuum_index_cleanup",
                "vacuum_truncate",
                "vacuum_max_eager_freeze_failure_rate",
                "log_autovacuum_min_duration",
                "deduplicate_items",
                "n_distinct",
                "n_distinct_inherited",
                "seq_page_cost",
                "random_page_cost",
                "effective_io_concurrency",
            ]
            .contains(&name)
    };
    let Some(NodeEnum::List(list)) = cmd.def.as_deref().and_then(|node| node.node.as_ref()) else {
        return Lock::AccessExclusive;
    };
    let all = list.items.iter().all(|item| match item.node.as_ref() {
        Some(NodeEnum::DefElem(option)) => gentle(&option.defname),
        _ => false,
    });
    if all { Lock::ShareUpdateExclusive } else { Lock::AccessExclusive }
}

/// Whether the server refuses to run it inside a transaction.
pub fn outside_transaction(statement: &ParsedStatement) -> bool {
    match statement.root() {
        Some(NodeEnum::IndexStmt(index)) => index.concurrent,
        Some(NodeEnum::DropStmt(drop)) => drop.concurrent,
        Some(NodeEnum::ReindexStmt(reindex)) => {
            use pb::ReindexObjectType as Kind;
            flag(&reindex.params, "concurrently")
                || matches!(
                    Kind::try_from(reindex.kind),
                    Ok(Kind::ReindexObjectSchema
                        | Kind::ReindexObjectDatabase
                        | Kind::ReindexObjectSystem)
                )
        }
        Some(NodeEnum::VacuumStmt(vacuum)) => vacuum.is_vacuumcmd,
        Some(NodeEnum::ClusterStmt(cluster)) => cluster.relation.is_none(),
        Some(
            NodeEnum::CreatedbStmt(_)
            | NodeEnum::DropdbStmt(_)
            | NodeEnum::CreateTableSpaceStmt(_)
            | NodeEnum::DropTableSpaceStmt(_)
            | NodeEnum::AlterSystemStmt(_),
        ) => true,
        Some(NodeEnum::AlterTableStmt(alter)) => alter.cmds.iter().any(|cmd| {
            matches!(cmd.node.as_ref(), Some(NodeEnum::AlterTableCmd(cmd))
                if cmd.subtype == At::AtDetachPartition as i32
                    && alter_lock(cmd) == Lock::ShareUpdateExclusive)
        }),
        _ => false,
    }
}

/// Whether an option such as `(FULL)` or `(CONCURRENTLY true)` is set.
pub fn flag(options: &[pb::Node], name: &str) -> bool {
    options.iter().any(|node| match node.node.as_ref() {
        Some(NodeEnum::DefElem(option)) if option.defname == name => {
            match option.arg.as_deref().and_then(|arg| arg.node.as_ref()) {
                Some(NodeEnum::String(text)) => {
                    !["false", "off", "0"].contains(&text.sval.to_ascii_lowercase().as_str())
                }
                Some(NodeEnum::Integer(number)) => number.ival != 0,
                Some(NodeEnum::Boolean(is)) => is.boolval,
                _ => true,
            }
        }
        _ => false,
    })
}
