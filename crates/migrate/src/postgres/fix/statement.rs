//! The safe form of one statement.

use std::cell::RefCell;

use marula_core::Result;
use marula_postgres::sql;
use pb::AlterTableType as At;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::{column, constraint, partition, parts, write};
use crate::postgres::context::{Context, strings};
use crate::postgres::schema::{TableKind, table_key};
use crate::postgres::transaction::LockTimeout;

/// The statements that lead to the same schema and keep nobody waiting, when the rules that fired
/// can be mended here.
pub(super) fn safe(context: &Context, rules: &[&str]) -> Result<Option<Vec<String>>> {
    let fired = |rule: &str| rules.contains(&rule);
    match context.node() {
        Some(NodeEnum::IndexStmt(index)) => {
            let table = index.relation.as_ref().map(table_key).unwrap_or_default();
            let partitioned =
                context.table(&table).is_some_and(|table| table.kind == TableKind::Partitioned);
            if partitioned {
                return match fired("create-index") {
                    true => parts::index(context, index),
                    false => Ok(None),
                };
            }
            if fired("concurrently-lock-timeout")
                && let LockTimeout::Set(limit) = context.transaction.lock_timeout
            {
                let own = context.statement.text().trim();
                let own = own.get(super::super::files::blank_prefix(own)..).unwrap_or(own);
                return Ok(Some(vec![
                    "SET lock_timeout = 0".into(),
                    own.into(),
                    format!("SET lock_timeout = '{limit}ms'"),
                ]));
            }
            if !fired("create-index") && !fired("concurrently-if-not-exists") {
                return Ok(None);
            }
            if !index.if_not_exists || index.idxname.is_empty() {
                return Ok(Some(vec![said_concurrently(context)]));
            }
            // One that is there and valid stays: the statement is none then.
            let of_schema = index.relation.as_ref().filter(|table| !table.schemaname.is_empty());
            let name = match of_schema {
                Some(table) => sql::quote_qualified(&table.schemaname, &index.idxname),
                None => sql::quote_ident(&index.idxname),
            };
            let there = sql::quote_literal(&name);
            let guard = format!(
                "DO $invalid$
BEGIN
  IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass({there}) AND NOT indisvalid) THEN
    DROP INDEX {name};
  END IF;
END
$invalid$"
            );
            let built = match index.concurrent {
                true => context.statement.text().trim().to_owned(),
                false => said_concurrently(context),
            };
            Ok(Some(vec![guard, built]))
        }
        Some(NodeEnum::DropStmt(drop)) if fired("drop-index") && drop.objects.len() == 1 => {
            let cascade = drop.behavior == pb::DropBehavior::DropCascade as i32;
            let apart =
                !cascade && !drop.objects.iter().any(|index| of_partitioned(context, index));
            Ok(apart.then(|| vec![said_concurrently(context)]))
        }
        Some(NodeEnum::DropStmt(drop)) if fired("drop-index") => {
            if drop.behavior == pb::DropBehavior::DropCascade as i32
                || drop.objects.iter().any(|index| of_partitioned(context, index))
            {
                return Ok(None);
            }
            let one = |object: &pb::Node| {
                write::statement(NodeEnum::DropStmt(pb::DropStmt {
                    objects: vec![object.clone()],
                    concurrent: true,
                    ..drop.clone()
                }))
            };
            drop.objects.iter().map(one).collect::<Result<Vec<_>>>().map(Some)
        }
        Some(NodeEnum::ReindexStmt(reindex)) if fired("create-index") => {
            let (Some(relation), true) = (&reindex.relation, context.version.major >= 12) else {
                return Ok(None);
            };
            let index = reindex.kind == pb::ReindexObjectType::ReindexObjectIndex as i32;
            let word = if index { "INDEX" } else { "TABLE" };
            Ok(Some(vec![format!("REINDEX {word} CONCURRENTLY {}", write::table(relation))]))
        }
        Some(NodeEnum::RefreshMatViewStmt(refresh)) if fired("refresh-materialized-view") => {
            let Some(relation) = &refresh.relation else { return Ok(None) };
            let unique = context
                .table(&table_key(relation))
                .is_some_and(|view| view.indexes.iter().any(|index| index.unique));
            Ok(unique.then(|| {
                vec![format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {}", write::table(relation))]
            }))
        }
        Some(NodeEnum::CreateStmt(create)) if fired("partition-beside-default") => {
            partition::create(context, create)
        }
        Some(NodeEnum::AlterTableStmt(alter)) => alter_table(context, alter, rules),
        _ => Ok(None),
    }
}

/// Whether an index is one of a partitioned table: the server does not drop it concurrently.
fn of_partitioned(context: &Context, index: &pb::Node) -> bool {
    let Some(NodeEnum::List(name)) = index.node.as_ref() else { return false };
    let Some(name) = strings(&name.items).pop() else { return false };
    context.schema.tables.values().any(|table| {
        table.kind == TableKind::Partitioned && table.indexes.iter().any(|own| own.name == name)
    })
}

/// The statement as written, with CONCURRENTLY behind INDEX.
fn said_concurrently(context: &Context) -> String {
    let own = context.statement.text().trim();
    let own = own.get(super::super::files::blank_prefix(own)..).unwrap_or(own);
    match own.to_ascii_lowercase().find("index") {
        Some(at) => {
            let (head, tail) = own.split_at(at + "index".len());
            format!("{head} CONCURRENTLY{tail}")
        }
        None => own.to_string(),
    }
}

/// Each part by itself, and those that can be mended in their safe form.
fn alter_table(
    context: &Context,
    alter: &pb::AlterTableStmt,
    rules: &[&str],
) -> Result<Option<Vec<String>>> {
    let Some(relation) = &alter.relation else { return Ok(None) };
    let key = table_key(relation);
    let mut all = Vec::new();
    let mut changed = rules.contains(&"validate-under-lock") && alter.cmds.len() > 1;
    let given = RefCell::default();
    let of_index = alter.objtype == pb::ObjectType::ObjectIndex as i32;
    if of_index {
        return Ok(None);
    }
    let replaces = alter.cmds.iter().any(|node| {
        matches!(node.node.as_ref(), Some(NodeEnum::AlterTableCmd(cmd))
            if cmd.subtype == At::AtDropConstraint as i32)
    });
    for node in &alter.cmds {
        let Some(NodeEnum::AlterTableCmd(cmd)) = node.node.as_ref() else { return Ok(None) };
        let def = cmd.def.as_deref().and_then(|def| def.node.as_ref());
        let kind = At::try_from(cmd.subtype).unwrap_or(At::Undefined);
        let place = constraint::Place { context, alter, relation, key: &key, given: &given };
        let safe = match (kind, def) {
            // Without the old one nobody would keep duplicates out till the new one is there.
            (At::AtAddConstraint, Some(NodeEnum::Constraint(constraint)))
                if replaces && is_key(constraint) =>
            {
                return Ok(None);
            }
            (At::AtAddConstraint, Some(NodeEnum::Constraint(constraint)))
                if [
                    "add-check",
                    "add-foreign-key",
                    "foreign-key-partitioned",
                    "add-unique",
                    "add-primary-key",
                    "set-not-null",
                    "primary-key-nullable",
                ]
                .iter()
                .any(|rule| rules.contains(rule)) =>
            {
                constraint::safe(&place, constraint)?
            }
            (At::AtAttachPartition, Some(NodeEnum::PartitionCmd(added))) => {
                partition::attach(context, alter, cmd, added, rules)?
            }
            (At::AtSetNotNull, _) if rules.contains(&"set-not-null") => {
                constraint::not_null(&place, &cmd.name)
            }
            (At::AtAddColumn, Some(NodeEnum::ColumnDef(definition))) => {
                column::safe(&place, cmd, definition)?
            }
            _ => None,
        };
        match safe {
            Some(mut safe) => {
                changed = true;
                all.append(&mut safe);
            }
            None => all.push(write::alter(alter, (**cmd).clone())?),
        }
    }
    Ok(changed.then_some(all))
}

fn is_key(constraint: &pb::Constraint) -> bool {
    let kinds = [pb::ConstrType::ConstrPrimary as i32, pb::ConstrType::ConstrUnique as i32];
    kinds.contains(&constraint.contype) && constraint.indexname.is_empty()
}

/// The columns of a list of names.
pub(super) fn columns(nodes: &[pb::Node]) -> Vec<String> {
    strings(nodes)
}
