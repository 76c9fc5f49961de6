//! Pipeline stages that run after the cursor: stacked, the last one on top.

use marula_core::{Error, ErrorKind, Json, PlanNode, Result};
use serde_json::Map;

use super::{envelope, node};

/// The tree of a list of stages, of which the first may be a cursor.
pub(super) fn stack(list: &[Json]) -> Result<PlanNode> {
    let Some((first, rest)) = list.split_first() else {
        return Err(Error::new(ErrorKind::Syntax, "the explain has no stages")
            .hint("explain it again with a non-empty pipeline"));
    };
    let base = match cursor(first) {
        Some(inner) if inner.get("queryPlanner").is_some() => {
            let mut tree = envelope::planner_tree(inner)?;
            let whole = first.as_object().and_then(node::milliseconds);
            if let (Some(whole), Some(sampled)) = (whole, tree.total_ms) {
                spread(&mut tree, whole, sampled);
            }
            tree
        }
        // A `$search`, `$collStats` or `$documents` begins without a plan.
        _ => stage(first, None),
    };
    Ok(stack_on(base, rest))
}

/// Scales a cursor's tree to the time of the cursor as a whole. Below 7.0 the times inside are
/// taken from a coarse clock and often miss most of a long scan, which would then seem to be the
/// work of the stage above.
fn spread(tree: &mut PlanNode, whole: f64, sampled: f64) {
    if whole <= sampled {
        return;
    }
    if sampled > 0.0 {
        scale(tree, whole / sampled);
    } else {
        along_the_reads(tree, whole);
    }
}

fn scale(node: &mut PlanNode, factor: f64) {
    for ms in [&mut node.total_ms, &mut node.self_ms].into_iter().flatten() {
        *ms *= factor;
    }
    node.children.iter_mut().for_each(|child| scale(child, factor));
}

/// Gives the time to the leaf that was reached first: without any sample it is the likeliest.
fn along_the_reads(node: &mut PlanNode, whole: f64) {
    node.total_ms = Some(whole);
    match node.children.first_mut() {
        Some(child) => along_the_reads(child, whole),
        None => node.self_ms = Some(whole),
    }
}

/// Puts stages on a tree, in order.
pub(super) fn stack_on(base: PlanNode, list: &[Json]) -> PlanNode {
    list.iter()
        .filter(|stage| stage.get("$mergeCursors").is_none())
        .fold(base, |below, next| stage(next, Some(below)))
}

/// What a cursor stage holds: `$cursor`, `$geoNearCursor`.
pub(super) fn cursor(stage: &Json) -> Option<&Json> {
    stage
        .as_object()?
        .iter()
        .find(|(key, _)| key.starts_with('$') && key.to_ascii_lowercase().contains("cursor"))
        .map(|(_, inner)| inner)
        .filter(|_| stage.get("$mergeCursors").is_none())
}

fn stage(value: &Json, below: Option<PlanNode>) -> PlanNode {
    let empty = Map::new();
    let native = value.as_object().unwrap_or(&empty);
    let op = native
        .keys()
        .find(|key| key.starts_with('$'))
        .or_else(|| native.keys().next())
        .map_or("UNKNOWN", String::as_str)
        .to_string();
    let body = native.get(&op).unwrap_or(&Json::Null);
    let returned = node::number(native, "nReturned");
    let total_ms = node::milliseconds(native);
    let mut children: Vec<PlanNode> = below.into_iter().collect();
    if op == "$unionWith"
        && let Some(inner) = body.get("pipeline").and_then(Json::as_array)
        && inner.first().is_some_and(|first| cursor(first).is_some())
        && let Ok(mut other) = stack(inner)
    {
        other.role = Some("union".into());
        children.push(other);
    }
    let below_ms = children.first().and_then(|child| child.total_ms).unwrap_or(0.0);
    let own_reads = node::whole(native, "totalDocsExamined");
    let mut details = vec![];
    if !body.is_null() {
        details.push(describe(&op, body));
    }
    lookup_details(&op, native, returned.is_some(), &mut details);
    for (key, label) in [("usedDisk", "Used disk"), ("spills", "Spills")] {
        match native.get(key) {
            Some(Json::Bool(true)) => details.push(label.into()),
            Some(value) if node::as_whole(value).is_some_and(|n| n > 0) => {
                details.push(format!("{label}: {value}"));
            }
            _ => {}
        }
    }
    PlanNode {
        relation: foreign(&op, body).map(str::to_string),
        index: None,
        details,
        actual_rows: returned,
        loops: returned.map(|_| 1),
        total_ms,
        self_ms: total_ms.map(|total| (total - below_ms).max(0.0)),
        reads: node::sum_whole(
            children.iter().map(|child| child.reads).chain(std::iter::once(own_reads)),
        ),
        keys: node::whole(native, "totalKeysExamined"),
        native: value.clone(),
        children,
        op,
        ..PlanNode::default()
    }
}

/// The other collection a stage reads.
pub(super) fn foreign<'j>(op: &str, body: &'j Json) -> Option<&'j str> {
    match op {
        "$lookup" | "$graphLookup" => body.get("from").and_then(|from| match from {
            Json::String(name) => Some(name.as_str()),
            other => other.get("coll").and_then(Json::as_str),
        }),
        "$unionWith" => body.as_str().or_else(|| body.get("coll").and_then(Json::as_str)),
        _ => None,
    }
}

fn describe(op: &str, body: &Json) -> String {
    match op {
        // The union's own plan hangs below; its text would repeat it.
        "$unionWith" => match foreign(op, body) {
            Some(name) => format!("From: {name}"),
            None => node::short(body),
        },
        _ => node::short(body),
    }
}

fn lookup_details(op: &str, native: &Map<String, Json>, executed: bool, details: &mut Vec<String>) {
    if op != "$lookup" {
        return;
    }
    match (node::whole(native, "totalDocsExamined"), node::whole(native, "collectionScans")) {
        (Some(documents), scans) => {
            let keys = node::whole(native, "totalKeysExamined").unwrap_or(0);
            details.push(format!("Inner reads: {documents} documents, {keys} keys"));
            if let Some(scans) = scans.filter(|scans| *scans > 0) {
                details.push(format!("Collection scans: {scans}"));
            }
            let used = native.get("indexesUsed").and_then(Json::as_array);
            let used: Vec<_> = used.into_iter().flatten().filter_map(Json::as_str).collect();
            if !used.is_empty() {
                details.push(format!("Indexes used: {}", used.join(", ")));
            }
        }
        (None, _) if executed => {
            details.push("Inner reads: unknown (counted from 5.0 on)".into());
        }
        _ => {}
    }
}
