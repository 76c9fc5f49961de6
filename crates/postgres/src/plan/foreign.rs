//! Plans of other tools, so that the error can name them.

use marula_core::{Error, ErrorKind, Json, Result};

fn other(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("this is {what}, not a PostgreSQL plan"))
        .hint("give a plan that PostgreSQL's EXPLAIN printed, as JSON or text")
}

/// Refuses JSON that another tool printed.
pub(super) fn named_json(document: &Json) -> Result<()> {
    let object = match document {
        Json::Array(list) => list.first().unwrap_or(document),
        other => other,
    };
    let has = |key: &str| object.get(key).is_some();
    if has("Plan") {
        return Ok(());
    }
    Err(if has("queryPlanner") || has("executionStats") || has("stages") || has("shards") {
        other("a MongoDB explain")
            .hint("use it with --engine mongodb, or name the target's engine as MongoDB")
    } else if has("query_block") || has("query_plan") {
        other("a MySQL or MariaDB plan")
    } else if has("distribution") || has("planner_version") || has("Query Plan") {
        other("a plan of another database")
    } else {
        Error::new(ErrorKind::Syntax, "the JSON holds no \"Plan\"").hint(super::HOW_TO_SAVE)
    })
}

/// Refuses a text that another tool printed, or PostgreSQL in a form that is not read.
pub(super) fn named(text: &str) -> Result<()> {
    let start = text.trim_start();
    let has = |part: &str| text.contains(part);
    let what = if start.starts_with("<explain") || has("http://www.postgresql.org/2009/explain") {
        return Err(form("XML"));
    } else if start.starts_with("- Plan:") || has("\n- Plan:") {
        return Err(form("YAML"));
    } else if has("<ShowPlanXML") || start.starts_with("<?xml") {
        "an XML plan of another database (SQL Server's, it seems)"
    } else if has("Plan hash value:") {
        "an Oracle plan"
    } else if has("possible_keys") && has("select_type") {
        "a MySQL EXPLAIN table"
    } else if has("queryPlanner") || has("winningPlan") {
        "a MongoDB explain"
    } else if has("|--SCAN") || has("`--SCAN") || has("|--SEARCH") || has("`--SEARCH") {
        "an SQLite plan"
    } else if start.starts_with("-> ") && !has("..") {
        "a MySQL tree plan"
    } else {
        return Ok(());
    };
    Err(other(what))
}

fn form(name: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("this is a plan in {name}"))
        .hint("save it as JSON: EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) …")
}
