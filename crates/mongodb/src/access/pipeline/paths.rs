//! The paths filters and expressions read.

use std::collections::BTreeSet;

use bson::{Bson, Document};

/// Paths, or everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// Named paths.
    pub named: BTreeSet<String>,
    /// Whether any path may be meant.
    pub all: bool,
}

impl Paths {
    pub(super) fn everything() -> Self {
        Paths { named: BTreeSet::new(), all: true }
    }

    /// These paths.
    pub fn of<S: Into<String>>(paths: impl IntoIterator<Item = S>) -> Self {
        Paths { named: paths.into_iter().map(Into::into).collect(), all: false }
    }

    /// Whether a path of these is `path`, above it, or below it.
    pub fn touches(&self, path: &str) -> bool {
        self.all || self.named.iter().any(|named| overlap(named, path))
    }

    /// Takes in `other`.
    pub fn extend(&mut self, other: Paths) {
        self.named.extend(other.named);
        self.all |= other.all;
    }
}

/// Whether one path is the other, or stands above it.
pub fn overlap(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// All paths an aggregation expression reads.
pub fn expression_paths(expression: &Bson) -> Paths {
    let mut found = Paths::default();
    walk(expression, &mut found);
    found
}

/// Whether an expression reads nothing of the document.
pub fn is_constant(expression: &Bson) -> bool {
    let paths = expression_paths(expression);
    !paths.all && paths.named.is_empty()
}

pub(super) fn walk(expression: &Bson, found: &mut Paths) {
    // Explicit stack: the text may nest deeper than our own stack allows.
    let mut open = vec![expression];
    while let Some(part) = open.pop() {
        match part {
            Bson::String(text) => match text.strip_prefix("$$") {
                Some(variable) => {
                    let (name, path) = variable.split_once('.').unwrap_or((variable, ""));
                    match (name, path) {
                        ("ROOT" | "CURRENT", "") => found.all = true,
                        ("ROOT" | "CURRENT", path) => drop(found.named.insert(path.into())),
                        _ => {}
                    }
                }
                None => {
                    if let Some(path) = text.strip_prefix('$').filter(|path| !path.is_empty()) {
                        found.named.insert(path.into());
                    }
                }
            },
            Bson::Array(parts) => open.extend(parts),
            Bson::Document(document) => {
                for (key, value) in document {
                    if key == "$getField" {
                        get_field(value, found);
                    }
                    if key != "$literal" {
                        open.push(value);
                    }
                }
            }
            Bson::JavaScriptCode(_) | Bson::JavaScriptCodeWithScope(_) => found.all = true,
            _ => {}
        }
    }
}

/// What `$getField` reads where it does not say of what: a field of the document, by its name.
fn get_field(named: &Bson, found: &mut Paths) {
    match named {
        Bson::String(name) if !name.contains(['.', '$']) => {
            found.named.insert(name.clone());
        }
        Bson::Document(given) if given.contains_key("input") => {}
        _ => found.all = true,
    }
}

/// The paths a filter reads.
pub fn filter_paths(filter: &Document) -> Paths {
    let mut found = Paths::default();
    let mut open = vec![filter];
    while let Some(document) = open.pop() {
        for (key, value) in document {
            match key.as_str() {
                "$expr" => walk(value, &mut found),
                "$and" | "$or" | "$nor" => {
                    open.extend(
                        value.as_array().into_iter().flatten().filter_map(Bson::as_document),
                    );
                }
                "$comment" => {}
                _ if key.starts_with('$') => found.all = true,
                _ => drop(found.named.insert(key.to_string())),
            }
        }
    }
    found
}
