//! What is known of functions by their names, and where a query gathers rows.

use pg_query::protobuf::SelectStmt;
use pg_query::{Node, NodeEnum};

use super::{children, function};

/// Aggregates besides those whose names end in `_agg`.
pub const AGGREGATES: [&str; 22] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "bool_and",
    "bool_or",
    "every",
    "bit_and",
    "bit_or",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "variance",
    "var_pop",
    "var_samp",
    "corr",
    "percentile_cont",
    "percentile_disc",
    "mode",
    "any_value",
    "range_intersect_agg",
];

/// Functions that are immutable whatever their arguments are.
pub const IMMUTABLE: [&str; 23] = [
    "lower",
    "upper",
    "md5",
    "length",
    "char_length",
    "btrim",
    "ltrim",
    "rtrim",
    "substring",
    "substr",
    "left",
    "right",
    "replace",
    "abs",
    "round",
    "floor",
    "ceil",
    "mod",
    "jsonb_extract_path_text",
    "reverse",
    "split_part",
    "initcap",
    "date",
];

/// Whether an expression aggregates; what its subqueries do is their own affair.
pub fn has_aggregate(node: &Node) -> bool {
    match &node.node {
        Some(NodeEnum::SubLink(_)) => false,
        Some(NodeEnum::FuncCall(call)) => {
            let name = function(call);
            (call.over.is_none() && (AGGREGATES.contains(&name) || name.ends_with("_agg")))
                || call.args.iter().any(has_aggregate)
        }
        _ => {
            let mut found = false;
            children(node, &mut |child| found = found || has_aggregate(child));
            found
        }
    }
}

/// Whether a SELECT aggregates in what it returns or in its HAVING.
pub fn aggregates(select: &SelectStmt) -> bool {
    select.target_list.iter().chain(select.having_clause.as_deref()).any(has_aggregate)
}
