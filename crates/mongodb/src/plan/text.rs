//! From text to the server's object: finds it between a shell's prompts, and names what is no
//! explain at all.

use marula_core::{Error, ErrorKind, Json, Marked, Result};
use serde_json::Map;

use crate::{Command, shell};

/// The explain in the text, numbers unwrapped, and the command typed before it.
pub(super) fn read(text: &str) -> Result<(Json, Option<Command>)> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(Error::new(ErrorKind::Syntax, "the explain is empty").hint(
            "save it with: EJSON.stringify(db.orders.explain(\"executionStats\").find({…}))",
        ));
    }
    // Strict JSON first: the common form of large files, with a fast parser.
    let broken = match serde_json::from_str::<Json>(text) {
        Ok(mut value) => {
            plain_numbers(&mut value);
            return Ok((value, None));
        }
        Err(broken) => broken,
    };
    if let Some(other) = foreign_text(text) {
        return Err(foreign(other));
    }
    let Some((before, object, complete)) = object_in(text) else {
        return Err(Error::new(ErrorKind::Syntax, "there is no explain in the text")
            .hint("give the whole output of explain(), from its first { to its last }"));
    };
    if !complete || (broken.is_eof() && text.starts_with(['{', '['])) {
        return Err(Error::new(
            ErrorKind::Syntax,
            format!("the explain is cut off after {} bytes", text.len()),
        )
        .hint("save the whole output: EJSON.stringify(…) written to a file is never shortened"));
    }
    if let Some(at) = shortened(object) {
        return Err(Error::new(
            ErrorKind::Syntax,
            "the shell shortened the explain when printing it",
        )
        .mark(Marked { name: "explain".into(), text: object.to_string(), start: at, end: at + 8 })
        .hint(
            "print all of it: EJSON.stringify(db.orders.explain(\"executionStats\").find({…}))",
        ));
    }
    let value = shell::parse_json(object).map_err(|error| rename(error, object))?;
    let mut value = value.into_relaxed_extjson();
    plain_numbers(&mut value);
    Ok((value, typed_command(before)))
}

/// The error of the literal parser, said of an explain rather than a query.
fn rename(error: Error, object: &str) -> Error {
    let mut renamed =
        Error::new(ErrorKind::Syntax, format!("the explain does not parse: {}", error.message()));
    if let Some(marked) = error.marked() {
        // A file of megabytes is not repeated in an error.
        let from = floor(object, marked.start.saturating_sub(200));
        let to = floor(object, (marked.end + 200).min(object.len()));
        let piece = object.get(from..to).unwrap_or("").to_string();
        renamed = renamed.mark(Marked {
            name: "explain".into(),
            start: marked.start.saturating_sub(from).min(piece.len()),
            end: marked.end.saturating_sub(from).min(piece.len()),
            text: piece,
        });
    }
    renamed
        .hint("save it as JSON: EJSON.stringify(db.orders.explain(\"executionStats\").find({…}))")
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The explain's object, what stands before it, and whether it is closed.
fn object_in(text: &str) -> Option<(&str, &str, bool)> {
    let begin = after_command(text).or_else(|| line_of_object(text))?;
    let (head, rest) = text.split_at_checked(begin)?;
    match closed(rest) {
        Some(end) => Some((head, rest.get(..end)?, true)),
        None => Some((head, rest, false)),
    }
}

/// Where the first bracketed object begins that begins a line.
fn line_of_object(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let line = text.get(from..)?;
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if line.get(indent..)?.starts_with(['{', '[']) {
            return Some(from + indent);
        }
        from += line.find('\n')? + 1;
    }
}

/// Where the object begins that follows a typed command (`test> db.c.find({…}).explain() {`),
/// on its line or below.
fn after_command(text: &str) -> Option<usize> {
    let mut at = text.find("db.")?;
    // Only a prompt stands before it.
    let prompt = text.get(..at)?.rsplit('\n').next()?.trim_end();
    if !(prompt.is_empty() || prompt.ends_with('>')) {
        return None;
    }
    loop {
        let rest = text.get(at..)?;
        let name = rest.find(|c: char| !(c.is_alphanumeric() || "_$.-".contains(c)))?;
        let call = rest.get(name..)?;
        let blank = call.len() - call.trim_start().len();
        let next = call.get(blank..)?;
        match next.chars().next()? {
            '(' => at += name + blank + closed(next)?,
            '[' if blank == 0 => at += name + closed(next)?,
            '.' => at += name + blank,
            ';' => at += name + blank + 1,
            '{' | '[' => return Some(at + name + blank),
            _ => return None,
        }
    }
}

/// Where what opens with the first bracket is closed.
fn closed(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut quote, mut at) = (0usize, None::<u8>, 0);
    while let Some(byte) = bytes.get(at).copied() {
        at += 1;
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'{' | b'[' | b'(') => depth += 1,
            (None, b'}' | b']' | b')') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where a shell wrote `[Object]` or `... 3 more items` in place of the thing.
fn shortened(object: &str) -> Option<usize> {
    ["[Object]", "[Array]", " more items", " more item"]
        .iter()
        .filter_map(|mark| object.find(mark))
        .filter(|at| {
            // Between quotes it is data: an odd number of quotes precedes it on its line.
            let line = object.get(..*at).and_then(|head| head.rsplit('\n').next()).unwrap_or("");
            line.matches(['"', '\'']).count() % 2 == 0
        })
        .min()
}

/// `shop> db.orders.find({…}).explain()` before the output says what was explained.
fn typed_command(before: &str) -> Option<Command> {
    let at = before.find("db.")?;
    if before.len() > 100_000 {
        return None;
    }
    // A shell marks each further line of a command it reads.
    let lines = before.get(at..)?.lines().map(|line| line.strip_prefix("... ").unwrap_or(line));
    shell::parse(lines.collect::<Vec<_>>().join("\n").trim()).ok()
}

/// Turns `{"$numberLong": "5"}` and its kin into plain numbers, everywhere.
fn plain_numbers(value: &mut Json) {
    match value {
        Json::Object(fields) => match single_number(fields) {
            Some(number) => *value = number,
            None => fields.values_mut().for_each(plain_numbers),
        },
        Json::Array(items) => items.iter_mut().for_each(plain_numbers),
        _ => {}
    }
}

fn single_number(fields: &Map<String, Json>) -> Option<Json> {
    if fields.len() != 1 {
        return None;
    }
    let (key, value) = fields.iter().next()?;
    let text = value.as_str()?;
    match key.as_str() {
        "$numberLong" | "$numberInt" => text.parse::<i64>().ok().map(Json::from),
        "$numberDouble" => text.parse::<f64>().ok().filter(|n| n.is_finite()).map(Json::from),
        _ => None,
    }
}

/// What other tool's plan a text is, by its looks.
fn foreign_text(text: &str) -> Option<&'static str> {
    let head: String = text.chars().take(4_000).collect();
    if head.contains("QUERY PLAN") || (head.contains("(cost=") && head.contains("rows=")) {
        Some("PostgreSQL")
    } else if head.starts_with("<ShowPlanXML") || head.contains("schemas.microsoft.com") {
        Some("SQL Server")
    } else if head.contains("| select_type |") || head.contains("-> Table scan on") {
        Some("MySQL")
    } else if head.contains("Plan hash value") {
        Some("Oracle")
    } else {
        None
    }
}

/// What other tool's plan an object is, by its fields.
pub(super) fn foreign_object(value: &Json) -> Option<&'static str> {
    let object = match value {
        Json::Array(items) => items.first()?,
        other => other,
    };
    if object.get("Plan").is_some_and(|plan| plan.get("Node Type").is_some()) {
        Some("PostgreSQL")
    } else if object.get("query_block").is_some() {
        Some("MySQL")
    } else {
        None
    }
}

/// The error for another tool's plan.
pub(super) fn foreign(tool: &str) -> Error {
    let error =
        Error::new(ErrorKind::Unsupported, format!("this is a plan of {tool}, not of MongoDB"));
    match tool {
        "PostgreSQL" => error.hint("give a PostgreSQL target, or --engine postgres, with it"),
        _ => error.hint("give the output of MongoDB's explain()"),
    }
}
