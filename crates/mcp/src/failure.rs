//! Errors as a model can act on them.

use marula_core::{Error, ErrorKind};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

use crate::text;

/// The answer of a call that failed: one JSON object with code, message and hint.
pub fn answer(error: &Error) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(told(error).to_string())])
}

/// The error as data.
pub fn told(error: &Error) -> Value {
    let mut inner = json!({
        "code": code(error.kind()),
        "message": text::cut(error.message(), 2_000),
        "hint": match error.hints() {
            [] => fallback(error.kind()).to_string(),
            hints => hints.join("; "),
        },
    });
    if let Some(place) = error.place() {
        inner["where"] = place.into();
    }
    if let Some(code) = error.server_code() {
        inner["server_code"] = code.into();
    }
    if let Some(marked) = error.marked() {
        let near: String =
            marked.text.get(marked.start..).unwrap_or_default().chars().take(60).collect();
        if !near.trim().is_empty() {
            inner["near"] = near.into();
        }
    }
    let mut whole = json!({ "error": inner });
    text::tidy(&mut whole);
    whole
}

/// The kind's name, as reports have it.
pub fn code(kind: ErrorKind) -> String {
    match serde_json::to_value(kind) {
        Ok(Value::String(name)) => name,
        _ => "internal".into(),
    }
}

/// What to do when the error itself does not say.
fn fallback(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage | ErrorKind::Syntax => "correct the arguments and call again",
        ErrorKind::Refused => "only what reads is sent to a target; change it with plan_change",
        ErrorKind::NotFound => "look the name up: list_targets, then describe",
        ErrorKind::Unsupported => "do it another way: this engine or version cannot",
        ErrorKind::Unreachable | ErrorKind::ServerDied => {
            "ask the user whether the server runs, then call again"
        }
        ErrorKind::Denied => "ask the user to look at the target's user and rights",
        ErrorKind::Timeout => "ask for less, or give the statement an index first",
        ErrorKind::Server => "read the server's message and correct the statement",
        ErrorKind::Lab => "ask the user to run: marula lab doctor",
        ErrorKind::Interrupted => "call again when it is wanted",
        ErrorKind::Io => "ask the user to look at the file",
        ErrorKind::Internal => "this is a defect of marula: tell the user",
    }
}
