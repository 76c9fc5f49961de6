//! The form of a file of commands: its parts and options, and nothing that would be passed over.

use marula_core::nearest;
use serde_json::{Map, Value};

/// What may stand at the top of a file.
const PARTS: [&str; 4] = ["up", "down", "options", "comment"];
/// What may stand among the options.
const OPTIONS: [&str; 2] = ["transaction", "hold"];

/// A file's parts.
pub(super) struct Form {
    pub up: Vec<Value>,
    pub down: Option<Vec<Value>>,
    pub transaction: bool,
    pub hold: bool,
}

/// What is wrong with a file's form.
pub(super) struct Fault {
    /// The keys that lead there, from the top.
    pub at: Vec<String>,
    pub what: String,
    pub hint: String,
}

fn fault(at: &[&str], what: String, hint: &str) -> Fault {
    Fault { at: at.iter().map(|key| (*key).to_string()).collect(), what, hint: hint.into() }
}

/// Whether a key is the name of a part, as somebody may have meant it.
pub(super) fn names_part(key: &str) -> bool {
    PARTS[..3].iter().any(|part| part.eq_ignore_ascii_case(key))
}

/// Takes a file apart: a list of commands, one command, or the parts by name.
pub(super) fn read(value: Value) -> Result<Form, Fault> {
    let plain = |up| Form { up, down: None, transaction: false, hold: false };
    match value {
        Value::Array(all) => Ok(plain(all)),
        Value::Object(map) if is_parts(&map) => parts(map),
        one @ Value::Object(_) => Ok(plain(vec![one])),
        _ => Err(fault(
            &[],
            "a migration is a list of commands".into(),
            "write {\"up\": […], \"down\": […]}",
        )),
    }
}

fn is_parts(map: &Map<String, Value>) -> bool {
    map.contains_key("up")
        || map.contains_key("down")
        || map.keys().next().is_some_and(|key| names_part(key))
}

fn parts(mut map: Map<String, Value>) -> Result<Form, Fault> {
    known(&[], &map, &PARTS)?;
    let list = |value: Value| match value {
        Value::Array(all) => all,
        one => vec![one],
    };
    let down = map.remove("down").map(list);
    let Some(up) = map.remove("up").map(list) else {
        let hint = "write {\"up\": […], \"down\": […]}";
        return Err(fault(&[], "there is no 'up'".into(), hint));
    };
    let options = match map.remove("options") {
        None => Map::new(),
        Some(Value::Object(options)) => options,
        Some(_) => {
            let hint = "write {\"transaction\": true} or {\"hold\": true}";
            return Err(fault(&["options"], "options is no document".into(), hint));
        }
    };
    known(&["options"], &options, &OPTIONS)?;
    let option = |name: &str| match options.get(name) {
        None => Ok(false),
        Some(Value::Bool(is)) => Ok(*is),
        Some(_) => {
            let what = format!("options.{name} is true or false");
            Err(fault(&["options", name], what, "write it without quotes"))
        }
    };
    Ok(Form { up, down, transaction: option("transaction")?, hold: option("hold")? })
}

/// What is not known would be passed over: a way back, a transaction or a hold that is not there.
fn known(at: &[&str], map: &Map<String, Value>, known: &[&str]) -> Result<(), Fault> {
    let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let place: Vec<&str> = at.iter().copied().chain([key.as_str()]).collect();
    let what = match at {
        [] => format!("'{key}' is no part of a migration"),
        _ => format!("'{key}' is no option of a migration"),
    };
    let hint = match nearest(key, known.iter().copied()).first() {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("what is known: {}", known.join(", ")),
    };
    Err(fault(&place, what, &hint))
}
