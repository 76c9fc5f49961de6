use marula_core::{Json, PlanNode};

use super::tree::text;

/// The node's name as EXPLAIN's text form has it: `Parallel Seq Scan`, `HashAggregate`,
/// `Hash Left Join`, `Index Scan Backward`.
pub fn label(node: &PlanNode) -> String {
    let native = &node.native;
    let mut name = match node.op.as_str() {
        "Aggregate" => {
            let kind = match text(native, "Strategy") {
                Some("Hashed") => "HashAggregate",
                Some("Sorted") => "GroupAggregate",
                Some("Mixed") => "MixedAggregate",
                _ => "Aggregate",
            };
            match text(native, "Partial Mode") {
                Some(mode @ ("Partial" | "Finalize")) => format!("{mode} {kind}"),
                _ => kind.to_string(),
            }
        }
        "SetOp" => {
            let kind =
                if text(native, "Strategy") == Some("Hashed") { "HashSetOp" } else { "SetOp" };
            format!("{kind} {}", text(native, "Command").unwrap_or_default()).trim_end().to_string()
        }
        "ModifyTable" => text(native, "Operation").unwrap_or("ModifyTable").to_string(),
        op @ ("Hash Join" | "Merge Join") => match text(native, "Join Type") {
            Some(kind) if kind != "Inner" => op.replace(" Join", &format!(" {kind} Join")),
            _ => op.to_string(),
        },
        "Nested Loop" => match text(native, "Join Type") {
            Some(kind) if kind != "Inner" => format!("Nested Loop {kind} Join"),
            _ => "Nested Loop".to_string(),
        },
        op => op.to_string(),
    };
    if text(native, "Scan Direction") == Some("Backward") {
        name.push_str(" Backward");
    }
    if native.get("Parallel Aware").and_then(Json::as_bool) == Some(true) {
        name.insert_str(0, "Parallel ");
    }
    name
}
