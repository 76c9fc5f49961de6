//! What a rewrite may move, drop or run another number of times.

use pg_query::protobuf::SelectStmt;
use pg_query::{Node, NodeEnum};

use super::super::ast;

/// Further functions of the server that neither change anything nor answer differently within
/// one statement. Any other function may be volatile.
const STABLE: [&str; 29] = [
    "octet_length",
    "ceiling",
    "concat",
    "concat_ws",
    "to_char",
    "to_date",
    "to_timestamp",
    "date_trunc",
    "date_part",
    "extract",
    "age",
    "now",
    "array_agg",
    "string_agg",
    "json_agg",
    "jsonb_agg",
    "jsonb_build_object",
    "json_build_object",
    "row_number",
    "rank",
    "dense_rank",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "array_length",
    "cardinality",
    "generate_series",
    "unnest",
];

/// Whether it is a function of the server that is known not to be volatile.
pub(in crate::postgres) fn is_known(name: &str) -> bool {
    [&STABLE[..], &ast::IMMUTABLE, &ast::AGGREGATES].iter().any(|known| known.contains(&name))
}

/// Whether every function in `select` is known not to be volatile, and it changes nothing.
pub(super) fn is_stable(select: &SelectStmt) -> bool {
    let mut stable = select.locking_clause.is_empty() && select.into_clause.is_none();
    ast::select_children(select, &mut |child| stable = stable && is_stable_below(child));
    stable
}

pub(super) fn is_stable_below(node: &Node) -> bool {
    ast::all(node).iter().all(|below| match &below.node {
        Some(NodeEnum::FuncCall(call)) => {
            let schema = (call.funcname.len() > 1)
                .then(|| call.funcname.first().and_then(ast::string))
                .flatten();
            schema.is_none_or(|schema| schema == "pg_catalog") && is_known(ast::function(call))
        }
        Some(NodeEnum::SelectStmt(select)) => select.locking_clause.is_empty(),
        Some(
            NodeEnum::InsertStmt(_)
            | NodeEnum::UpdateStmt(_)
            | NodeEnum::DeleteStmt(_)
            | NodeEnum::MergeStmt(_),
        ) => false,
        _ => true,
    })
}
