use marula_core::{Error, ErrorKind, Json, PlanNode, Result};

use super::{MAX_LEVELS, details};

pub(super) fn too_deep() -> Error {
    Error::new(ErrorKind::Unsupported, format!("the plan nests deeper than {MAX_LEVELS} levels"))
        .hint("explain a part of the statement")
}

pub(super) fn text<'a>(native: &'a Json, key: &str) -> Option<&'a str> {
    native.get(key).and_then(Json::as_str)
}

pub(super) fn number(native: &Json, key: &str) -> Option<f64> {
    native.get(key).and_then(Json::as_f64)
}

/// A non-negative number as an integer; saturates.
pub(super) fn whole(value: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    {
        value.max(0.0).round() as u64
    }
}

/// The neutral node for one of PostgreSQL's, with its children. Times are filled in by
/// [`super::timing::charge`], which needs the whole tree.
pub(super) fn node(mut native: Json, level: usize) -> Result<PlanNode> {
    if level > MAX_LEVELS {
        return Err(too_deep());
    }
    // `shift_remove` would keep the order of keys but is linear for each; Plans stands last.
    let plans = native.as_object_mut().and_then(|object| object.shift_remove("Plans"));
    let op = text(&native, "Node Type").unwrap_or("Unknown").to_string();
    let loops = number(&native, "Actual Loops");
    let times = loops.unwrap_or(1.0);
    let relation = text(&native, "Relation Name").map(|name| match text(&native, "Schema") {
        Some(schema) => format!("{schema}.{name}"),
        None => name.to_string(),
    });
    let bare = text(&native, "Relation Name");
    let alias = text(&native, "Alias").filter(|alias| Some(*alias) != bare);
    let estimated = number(&native, "Plan Rows");
    let removed =
        ["Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck"]
            .iter()
            .filter_map(|key| number(&native, key))
            .reduce(|a, b| a + b)
            // The text form leaves zeros out; both forms must read the same.
            .filter(|rows| *rows > 0.0);
    let reads =
        ["Shared Hit Blocks", "Shared Read Blocks", "Local Hit Blocks", "Local Read Blocks"]
            .iter()
            .filter_map(|key| number(&native, key))
            .reduce(|a, b| a + b);
    let mut made = PlanNode {
        op,
        relation,
        alias: alias.map(str::to_string),
        index: text(&native, "Index Name").map(str::to_string),
        details: details::lines(&native),
        estimated_rows: estimated.map(|rows| if times > 0.0 { rows * times } else { rows }),
        actual_rows: loops.and(number(&native, "Actual Rows")).map(|rows| rows * times),
        loops: loops.map(whole),
        removed: removed.map(|rows| whole(rows * times)),
        reads: reads.map(whole),
        role: text(&native, "Subplan Name")
            .or_else(|| text(&native, "Parent Relationship"))
            .map(str::to_string),
        ..PlanNode::default()
    };
    if let Some(Json::Array(plans)) = plans {
        made.children =
            plans.into_iter().map(|plan| node(plan, level + 1)).collect::<Result<_>>()?;
    }
    made.native = native;
    Ok(made)
}
