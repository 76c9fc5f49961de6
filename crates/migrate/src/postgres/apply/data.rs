//! Rows that would make a migration fail, found before it begins.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::sql::quote_ident;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::values::{self, Added};
use super::{Ground, batch};
use crate::apply::Due;
use crate::migration::StepKind;

/// How long rows are looked through for one condition; who has more waits for the answer of the
/// migration itself.
const PATIENCE: &str = "SET LOCAL statement_timeout = '20s'";

/// Refuses what the rows there are would make fail: NULL in a column that is to have none, and
/// batches of a table without a key; values that do not become what they are to become.
///
/// Only what comes before all that may change rows is looked at.
pub(super) async fn check(ground: &Ground, due: &[Due<'_>]) -> Result<()> {
    let mut keyed = false;
    let mut added = Added::default();
    for due in due {
        for (at, step) in due.steps().iter().enumerate().skip(due.from()) {
            let StepKind::Sql(statement) = &step.kind else { continue };
            let Some(node) = statement.root() else { continue };
            let by_key = matches!(node, NodeEnum::UpdateStmt(_) | NodeEnum::DeleteStmt(_));
            if by_key && due.options().batch.is_some() && !keyed {
                let checked = batch::check(ground, statement).await;
                checked.map_err(|error| error.at(due.place(at)))?;
            }
            let fit = values::check(ground, node, &added, PATIENCE).await;
            fit.map_err(|error| error.at(due.place(at)))?;
            added.note(node);
            if changes_rows(node, statement.text()) {
                return Ok(());
            }
            keyed |= makes_keys(node);
            for (table, column) in forbidden(node) {
                let count = nulls(ground, &table, &column).await;
                if count > 0 {
                    let rows = if count == 1 { "row holds" } else { "rows hold" };
                    let what = format!(
                        "{count} {rows} NULL in {column} of {table}, which is to have none"
                    );
                    return Err(Error::new(ErrorKind::Refused, format!("{what}; nothing ran"))
                        .at(due.place(at))
                        .hint("fill them first, by a migration before this one: marula migrate not-null --fill writes it")
                        .hint("or run it all the same: --no-data-check"));
                }
            }
        }
    }
    Ok(())
}

/// Whether tables or their keys may be others after it.
fn makes_keys(node: &NodeEnum) -> bool {
    use pb::AlterTableType as At;
    match node {
        NodeEnum::CreateStmt(_) | NodeEnum::CreateTableAsStmt(_) => true,
        NodeEnum::IndexStmt(index) => index.unique,
        NodeEnum::AlterTableStmt(alter) => alter.cmds.iter().any(|cmd| {
            matches!(cmd.node.as_ref(), Some(NodeEnum::AlterTableCmd(cmd))
                if [At::AtAddConstraint as i32, At::AtSetNotNull as i32].contains(&cmd.subtype))
        }),
        _ => false,
    }
}

/// Whether rows may be others after it, or the table another.
fn changes_rows(node: &NodeEnum, text: &str) -> bool {
    if let NodeEnum::DoStmt(_) = node {
        return values::may_write(text);
    }
    if let NodeEnum::VariableSetStmt(set) = node {
        return ["search_path", "role", "session_authorization"].contains(&set.name.as_str());
    }
    matches!(
        node,
        NodeEnum::UpdateStmt(_)
            | NodeEnum::DeleteStmt(_)
            | NodeEnum::InsertStmt(_)
            | NodeEnum::MergeStmt(_)
            | NodeEnum::TruncateStmt(_)
            | NodeEnum::CopyStmt(_)
            | NodeEnum::CallStmt(_)
            | NodeEnum::SelectStmt(_)
            | NodeEnum::RenameStmt(_)
            | NodeEnum::AlterObjectSchemaStmt(_)
    )
}

/// The columns a statement forbids NULL in, each with its table as it is written.
fn forbidden(node: &NodeEnum) -> Vec<(String, String)> {
    let NodeEnum::AlterTableStmt(alter) = node else { return Vec::new() };
    let Some(relation) = &alter.relation else { return Vec::new() };
    let table = match relation.schemaname.as_str() {
        "" => quote_ident(&relation.relname),
        schema => format!("{}.{}", quote_ident(schema), quote_ident(&relation.relname)),
    };
    let column = |cmd: &pb::AlterTableCmd| -> Option<String> {
        if cmd.subtype == pb::AlterTableType::AtSetNotNull as i32 {
            return Some(cmd.name.clone());
        }
        let Some(NodeEnum::Constraint(added)) = cmd.def.as_deref()?.node.as_ref() else {
            return None;
        };
        if added.contype == pb::ConstrType::ConstrNotnull as i32 {
            return crate::postgres::context::strings(&added.keys).pop();
        }
        let Some(NodeEnum::NullTest(test)) = added.raw_expr.as_deref()?.node.as_ref() else {
            return None;
        };
        let present = test.nulltesttype == pb::NullTestType::IsNotNull as i32;
        match test.arg.as_deref()?.node.as_ref()? {
            NodeEnum::ColumnRef(column) if present => {
                crate::postgres::context::strings(&column.fields).pop()
            }
            _ => None,
        }
    };
    let commands = alter.cmds.iter().filter_map(|cmd| match cmd.node.as_ref()? {
        NodeEnum::AlterTableCmd(cmd) => column(cmd),
        _ => None,
    });
    commands.map(|column| (table.clone(), quote_ident(&column))).collect()
}

/// How many rows hold NULL; none where that cannot be told.
async fn nulls(ground: &Ground, table: &str, column: &str) -> i64 {
    let client = ground.session.client();
    let begun = client.batch_execute(&format!("BEGIN READ ONLY; {PATIENCE}")).await;
    let sql = format!("SELECT count(*) FROM {table} WHERE {column} IS NULL");
    let counted = match begun {
        Ok(()) => client.query_one(&sql, &[]).await.map_or(0, |row| row.get(0)),
        Err(_) => 0,
    };
    let _ = client.batch_execute("ROLLBACK").await;
    counted
}
