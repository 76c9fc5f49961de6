use marula_core::model::Entity;
use marula_postgres::guard;
use marula_postgres::sql;
use pg_query::NodeRef;
use pg_query::protobuf::SelectStmt;

use crate::structure::Store;

/// The name the condition's rows have while it is looked at.
const ROWS: &str = "marula_row";

/// A model's check as a condition that can stand in CREATE TABLE: parsed and written anew, so that
/// nothing beside it comes along. Else why not.
pub(super) fn expression(entity: &Entity, store: &Store, text: &str) -> Result<String, String> {
    // A line of its own: what ends in a comment does not swallow the parenthesis.
    let statement = guard::check(&format!("SELECT (\n{text}\n) FROM {ROWS}"))
        .map_err(|error| error.message().to_owned())?;
    let select = statement.select().ok_or("it is not a condition")?;
    let bare = SelectStmt {
        target_list: select.target_list.clone(),
        from_clause: select.from_clause.clone(),
        limit_option: select.limit_option,
        op: select.op,
        ..SelectStmt::default()
    };
    if *select != bare || select.target_list.len() != 1 || select.from_clause.len() != 1 {
        return Err("it is more than a condition".into());
    }
    let root = statement.root().ok_or("it is not a condition")?;
    let mut refused = None;
    let walked = sql::walk(root.to_ref(), |node| {
        let why = match node {
            NodeRef::SubLink(_) => Some("a CHECK cannot ask other rows".to_owned()),
            NodeRef::ParamRef(_) => Some("a CHECK has no parameters".to_owned()),
            NodeRef::AStar(_) => Some("a CHECK names columns one by one".to_owned()),
            NodeRef::FuncCall(call)
                if call.over.is_some() || call.agg_star || call.agg_distinct =>
            {
                Some("a CHECK looks at one row".to_owned())
            }
            NodeRef::ColumnRef(column) => unknown(entity, store, column),
            _ => None,
        };
        if refused.is_none() {
            refused = why;
        }
    });
    if walked.is_err() {
        return Err("it holds what is not known here".into());
    }
    if let Some(why) = refused {
        return Err(why);
    }
    let written = sql::deparse(statement.tree()).map_err(|error| error.message().to_owned())?;
    let inner = written
        .strip_prefix("SELECT ")
        .and_then(|rest| rest.trim_end().strip_suffix(&format!(" FROM {ROWS}")));
    inner.map(str::to_owned).ok_or("it cannot be written down".into())
}

/// Why a column's name cannot stand in a check on this table.
fn unknown(
    entity: &Entity,
    store: &Store,
    column: &pg_query::protobuf::ColumnRef,
) -> Option<String> {
    let names: Vec<&str> = column
        .fields
        .iter()
        .filter_map(|field| match &field.node {
            Some(sql::Node::String(name)) => Some(name.sval.as_str()),
            _ => None,
        })
        .collect();
    match names.as_slice() {
        [name] if store.attribute(name).is_some() => None,
        [name] => Some(format!("{} has no attribute {name}", entity.name)),
        _ => Some("a CHECK names its own columns only, without a table".into()),
    }
}
