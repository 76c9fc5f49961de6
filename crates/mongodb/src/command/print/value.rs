//! Documents and arrays, broken into lines where they are long.

use bson::{Bson, Document};

use super::scalar::{write_key, write_scalar};

/// Where lines are broken.
const WIDTH: usize = 96;

/// The value in mongosh syntax, broken into lines where it is long.
pub fn print_value(value: &Bson) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0);
    out
}

/// The document in mongosh syntax, broken into lines where it is long.
pub fn print_document(document: &Document) -> String {
    let mut out = String::new();
    write_document(&mut out, document, 0);
    out
}

pub(super) fn write_value(out: &mut String, value: &Bson, depth: usize) {
    match value {
        Bson::Document(document) => write_document(out, document, depth),
        Bson::Array(items) => write_array(out, items, depth),
        scalar => write_scalar(out, scalar),
    }
}

/// The room left on the line that `out` ends with.
fn room(out: &str) -> usize {
    let line = out.rfind('\n').map_or(0, |at| at + 1);
    // Only the tail matters: a line longer than the width has no room anyway.
    WIDTH.saturating_sub(out.len() - line)
}

fn write_document(out: &mut String, document: &Document, depth: usize) {
    if document.is_empty() {
        out.push_str("{}");
        return;
    }
    if let Some(flat) = flat_document(document, room(out)) {
        out.push_str(&flat);
        return;
    }
    out.push('{');
    for (number, (key, value)) in document.iter().enumerate() {
        out.push_str(if number == 0 { "\n" } else { ",\n" });
        indent(out, depth + 1);
        write_key(out, key);
        write_value(out, value, depth + 1);
    }
    out.push('\n');
    indent(out, depth);
    out.push('}');
}

fn write_array(out: &mut String, items: &[Bson], depth: usize) {
    if items.is_empty() {
        out.push_str("[]");
        return;
    }
    if let Some(flat) = flat_array(items, room(out)) {
        out.push_str(&flat);
        return;
    }
    out.push('[');
    for (number, item) in items.iter().enumerate() {
        out.push_str(if number == 0 { "\n" } else { ",\n" });
        indent(out, depth + 1);
        write_value(out, item, depth + 1);
    }
    out.push('\n');
    indent(out, depth);
    out.push(']');
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// The document on one line when it is at most `room` bytes; gives up as soon as it is longer,
/// so that deep documents are not printed once per level.
fn flat_document(document: &Document, room: usize) -> Option<String> {
    let mut out = String::from("{ ");
    for (number, (key, value)) in document.iter().enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        write_key(&mut out, key);
        flat_value(&mut out, value, room)?;
    }
    out.push_str(" }");
    (out.len() <= room).then_some(out)
}

fn flat_array(items: &[Bson], room: usize) -> Option<String> {
    let mut out = String::from("[");
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        flat_value(&mut out, item, room)?;
    }
    out.push(']');
    (out.len() <= room).then_some(out)
}

fn flat_value(out: &mut String, value: &Bson, room: usize) -> Option<()> {
    let left = room.checked_sub(out.len())?;
    match value {
        Bson::Document(document) if document.is_empty() => out.push_str("{}"),
        Bson::Document(document) => out.push_str(&flat_document(document, left)?),
        Bson::Array(items) => out.push_str(&flat_array(items, left)?),
        scalar => write_scalar(out, scalar),
    }
    (out.len() <= room).then_some(())
}
