use marula_core::{Engine, Error, ErrorKind, Json, Plan, Result};

use super::{details, timing, tree};

/// Makes a plan of what `EXPLAIN (FORMAT JSON)` prints: the object with `Plan`, or an array that
/// begins with it. Gives the statement with it when the object holds one.
pub(crate) fn from_document(document: Json) -> Result<(Plan, Option<String>)> {
    let mut object = match document {
        Json::Array(list) => list.into_iter().next().unwrap_or(Json::Null),
        other => other,
    };
    let native = object.get_mut("Plan").map(Json::take).filter(Json::is_object);
    let Some(native) = native else {
        return Err(
            Error::new(ErrorKind::Syntax, "the JSON holds no \"Plan\"").hint(super::HOW_TO_SAVE)
        );
    };
    let mut root = tree::node(native, 1)?;
    timing::charge(&mut root);
    // What is said of the whole statement rides along with its root.
    for key in ["JIT", "Triggers"] {
        if let (Some(value), Some(native)) =
            (object.get_mut(key).map(Json::take), root.native.as_object_mut())
        {
            native.insert(key.into(), value);
        }
    }
    let number = |key: &str| object.get(key).and_then(Json::as_f64);
    let executed = root.loops.is_some();
    let statement = object.get("Query Text").and_then(Json::as_str).map(str::to_string);
    let plan = Plan {
        engine: Engine::Postgres,
        version: None,
        executed,
        planning_ms: number("Planning Time"),
        execution_ms: number("Execution Time"),
        summary: details::summary(&root),
        tree: root,
    };
    Ok((plan, statement))
}
