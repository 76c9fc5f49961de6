//! Files of commands: JSON, YAML, and migrate-mongo's JavaScript where it is plain.

use std::path::Path;
use std::time::Duration;

use bson::{Bson, Document};
use marula_core::{Error, ErrorKind, Marked, Result};
use marula_mongodb::shell::{self, Purpose};
use serde_json::Value;

use super::form::{self, Form};
use super::{javascript, places};
use crate::files::{FileName, Parts};
use crate::migration::{Backfill, Options, Step, StepKind, Tool, line_of};

/// The parts of a file of commands.
pub(crate) fn parts(path: &Path, text: &str, tool: Tool) -> Result<Parts> {
    let options = Options { transaction: false, ..Options::default() };
    if tool == Tool::MigrateMongo {
        let (up, down) = javascript::parts(path, text)?;
        return Ok(Parts {
            up,
            down,
            down_options: options.clone(),
            options,
            up_range: 0..text.len(),
        });
    }
    let yaml = matches!(FileName::of(path).extension.as_str(), "yaml" | "yml");
    let value = if yaml { from_yaml(path, text)? } else { from_json(path, text)? };
    let Form { up, down, transaction, hold } = form::read(value).map_err(|wrong| {
        let (at, _) = places::key(text, yaml, &wrong.at);
        fault(path, text, at, &wrong.what).hint(wrong.hint)
    })?;
    let options = Options { transaction, hold, ..options };
    let (up_places, down_places) =
        places::of(text, yaml, up.len(), down.as_ref().map_or(0, Vec::len));
    let steps = |values: Vec<Value>, places: Vec<(usize, usize)>| -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for (at, value) in values.into_iter().enumerate() {
            let (start, end) = places.get(at).copied().unwrap_or((0, 0));
            let shown = match text.get(start..end) {
                Some(own) if end > start => own.trim().to_string(),
                _ => value.to_string(),
            };
            let kind = step(value).map_err(|error| placed(path, text, start, end, at, error))?;
            steps.push(Step { kind, text: shown, start, end, line: line_of(text, start) });
        }
        Ok(steps)
    };
    Ok(Parts {
        up: steps(up, up_places)?,
        down: down.map(|down| steps(down, down_places)).transpose()?,
        down_options: options.clone(),
        options,
        up_range: 0..text.len(),
    })
}

fn from_json(path: &Path, text: &str) -> Result<Value> {
    let mut all = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        all.push(value.map_err(|error| {
            let line = error.line().max(1);
            let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
            let at = (start + error.column().saturating_sub(1)).min(text.len());
            let what = error.to_string();
            let what = what.split(" at line").next().unwrap_or_default().to_string();
            fault(path, text, at, &format!("this is not JSON: {what}"))
        })?);
    }
    if let Some((start, end)) = places::repeated(text) {
        let key = text.get(start..end).unwrap_or_default().trim_matches('"');
        return Err(fault(path, text, start, &format!("'{key}' is there twice in one document"))
            .hint("keep one: of two only the last would be read"));
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Value::Array(all) })
}

fn from_yaml(path: &Path, text: &str) -> Result<Value> {
    serde_saphyr::from_str(text).map_err(|error: serde_saphyr::Error| {
        let line = error.location().map_or(1, |place| place.line() as usize);
        let at: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let what = error.to_string();
        let what = what.lines().next().unwrap_or_default().to_string();
        fault(path, text, at.min(text.len()), &format!("this is not YAML: {what}"))
    })
}

/// A command, or a declared backfill.
fn step(value: Value) -> Result<StepKind> {
    match value {
        Value::String(text) => {
            let command = shell::parse_for(&text, Purpose::Migration)?;
            Ok(StepKind::Command(command.to_command()))
        }
        Value::Object(mut map) if map.contains_key("backfill") => {
            let inner = map.remove("backfill").unwrap_or_default();
            backfill(inner).map(StepKind::Backfill)
        }
        Value::Object(map) if map.keys().next().is_some_and(|key| form::names_part(key)) => {
            let key = map.keys().next().map(String::as_str).unwrap_or_default();
            Err(Error::new(ErrorKind::Syntax, format!("'{key}' is a part, and no command"))
                .hint("a file has its parts once and at its top: {\"up\": […], \"down\": […]}"))
        }
        value @ Value::Object(_) => match Bson::try_from(value) {
            Ok(Bson::Document(command)) if !command.is_empty() => Ok(StepKind::Command(command)),
            Ok(_) => Err(Error::new(ErrorKind::Syntax, "the command is empty")
                .hint("write one, such as {\"createIndexes\": \"orders\", …}")),
            Err(error) => {
                Err(Error::new(ErrorKind::Syntax, format!("this is not extended JSON: {error}")))
            }
        },
        _ => Err(Error::new(ErrorKind::Syntax, "this is no command")
            .hint("write a command document, or a text in mongosh syntax")),
    }
}

fn backfill(value: Value) -> Result<Backfill> {
    let wrong = |what: &str| {
        Error::new(ErrorKind::Syntax, format!("the backfill's {what}"))
            .hint("a backfill has collection, filter, update, and may have batch and pace")
    };
    let Value::Object(mut map) = value else { return Err(wrong("value is no document")) };
    let Some(Value::String(collection)) = map.remove("collection") else {
        return Err(wrong("collection is missing"));
    };
    let filter = match map.remove("filter").map(Bson::try_from) {
        None => Document::new(),
        Some(Ok(Bson::Document(filter))) => filter,
        Some(_) => return Err(wrong("filter is no document")),
    };
    let update = match map.remove("update").map(Bson::try_from) {
        Some(Ok(update @ (Bson::Document(_) | Bson::Array(_)))) => update,
        _ => return Err(wrong("update is missing, or neither operators nor stages")),
    };
    let batch = match map.remove("batch") {
        None => 1000,
        Some(value) => {
            value.as_u64().filter(|n| *n > 0).ok_or_else(|| wrong("batch is no number above 0"))?
        }
    };
    let pace = match map.remove("pace") {
        None => Duration::ZERO,
        Some(Value::String(text)) => {
            crate::files::duration(&text).ok_or_else(|| wrong("pace is no time, such as 50ms"))?
        }
        Some(_) => return Err(wrong("pace is no time, such as 50ms")),
    };
    if let Some(other) = map.keys().next() {
        return Err(wrong(&format!("field '{other}' is not known")));
    }
    Ok(Backfill { collection, filter, update, batch, pace })
}

fn fault(path: &Path, text: &str, at: usize, what: &str) -> Error {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    Error::new(ErrorKind::Syntax, what.to_string())
        .at(format!("{}:{}", path.display(), line_of(text, at)))
        .mark(Marked { name: crate::files::label(path), text: text.into(), start: at, end })
}

fn placed(path: &Path, text: &str, start: usize, end: usize, at: usize, error: Error) -> Error {
    let place = format!("{}:{} (command {at})", path.display(), line_of(text, start));
    let mut placed = Error::new(error.kind(), error.message().to_string()).at(place).mark(Marked {
        name: crate::files::label(path),
        text: text.into(),
        start,
        end: end.max(start),
    });
    for hint in error.hints() {
        placed = placed.hint(hint.clone());
    }
    placed
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Parts> {
        let path = Path::new(name);
        parts(path, text, crate::files::tool_of(path, text))
    }

    #[test]
    fn commands_are_read_in_every_form() {
        let json = r#"{"up": [{"create": "a"},
  "db.a.createIndex({x: 1})",
  {"backfill": {"collection": "a", "filter": {"x": null}, "update": {"$set": {"x": 0}}, "pace": "50ms"}}],
 "down": [{"drop": "a"}]}"#;
        let parts = read("1_x.json", json).unwrap_or_else(|error| panic!("{error}"));
        let lines: Vec<usize> = parts.up.iter().map(|step| step.line).collect();
        assert_eq!(lines, [1, 2, 3]);
        assert!(
            matches!(&parts.up[1].kind, StepKind::Command(c) if c.contains_key("createIndexes"))
        );
        assert!(matches!(&parts.up[2].kind, StepKind::Backfill(b) if b.batch == 1000));
        let yaml = "up:\n  - create: a\n  - drop: b\ndown:\n  - drop: a\n";
        let parts = read("1_x.yaml", yaml).unwrap_or_else(|error| panic!("{error}"));
        let lines: Vec<usize> = parts.up.iter().map(|step| step.line).collect();
        assert_eq!((lines, parts.down.map(|down| down.len())), (vec![2, 3], Some(1)));
        let js = "module.exports = {\n async up(db, client) {\n  const n = 3;\n  await \
                  db.collection('a').updateMany({x: n}, {$set: {y: 1}});\n },\n async down(db) {}\n};";
        let parts = read("1-x.js", js).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((parts.up.len(), parts.up[0].line), (1, 4));
    }

    #[test]
    fn what_is_not_plain_is_refused_by_name_and_place() {
        for (name, text, place, said) in [
            ("1.json", "[\n {\"create\": }]", "1.json:2", "this is not JSON"),
            ("1.json", "[{\"create\": \"a\"},\n 3]", "1.json:2", "this is no command"),
            ("1.yaml", "up: [\n", "1.yaml:", "this is not YAML"),
            (
                "1.json",
                "{\"up\": [\"db.a.drop()\"],\n \"up\": []}",
                "1.json:2",
                "'up' is there twice",
            ),
            (
                "1.json",
                "[{\"update\": \"a\", \"updates\": [{\n \"q\": {\"x\": 1,\n \"x\": 2}}]}]",
                "1.json:3",
                "'x' is there twice",
            ),
            (
                "1.json",
                "{\"up\": [],\n \"dwon\": []}",
                "1.json:2",
                "'dwon' is no part of a migration: did you mean 'down'?",
            ),
            ("1.json", "{\"Up\": []}", "1.json:1", "did you mean 'up'?"),
            ("1.json", "{\"down\": []}", "1.json:1", "there is no 'up'"),
            ("1.json", "{\"up\": []}\n{\"down\": []}", "1.json:1", "'up' is a part"),
            (
                "1.json",
                "{\"options\": {\n \"transction\": true}, \"up\": []}",
                "1.json:2",
                "'transction' is no option of a migration: did you mean 'transaction'?",
            ),
            (
                "1.yaml",
                "up: []\noptions:\n  lock_timeout: 2s\n",
                "1.yaml:3",
                "what is known: transaction, hold",
            ),
            ("1.json", "{\"up\": [],\n \"options\": \"hold\"}", "1.json:2", "is no document"),
            (
                "1.json",
                "{\"up\": [],\n \"options\": {\"hold\": \"yes\"}}",
                "1.json:2",
                "options.hold is true or false",
            ),
            (
                "1.js",
                "exports.up = async (db) => {\n for (const x of [1]) {}\n}",
                "1.js:2",
                "a loop",
            ),
            (
                "1.js",
                "exports.up = async (db) => {\n await db.command({collMod: 'a', validator: {}});\n}",
                "1.js:2",
                "write the command itself in a migration of JSON",
            ),
            (
                "1.js",
                "exports.up = async (db) => {}\nexports.down = () => { return Promise.resolve() }",
                "1.js:2",
                "a function without a call does nothing",
            ),
            (
                "1.js",
                "exports.up = async (base) => {\n await base.collection('a').drop() }",
                "1.js:2",
                "the first parameter is called db",
            ),
            ("1.json", "[\"db.a.rename('b')\"]", "1.json:1", "renameCollection"),
        ] {
            let Err(error) = read(name, text) else { panic!("{text}") };
            let found = error.place().unwrap_or_default();
            assert!(found.starts_with(place), "{found}");
            let told = format!("{}: {}", error.message(), error.hints().join(", "));
            assert!(told.contains(said), "{told}");
        }
        let noted = "{\"comment\": \"why\", \"options\": {\"hold\": true}, \"up\": []}";
        assert!(read("1.json", noted).is_ok_and(|parts| parts.options.hold));
    }
}
