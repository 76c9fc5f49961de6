//! Writes values as `?` and all the rest as it stands.

use std::fmt::Write as _;

use bson::{Bson, Document};

use super::pipeline;

/// How deep a document is followed; servers refuse documents nested deeper than 100 anyway.
const MAX_DEPTH: usize = 200;

/// What a value is part of: decides what of it is a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A filter: all scalars are literals, keys come in any order.
    Filter,
    /// An expression: paths and variables (`"$total"`) are kept.
    Expression,
    /// A projection: what is in and what is out is kept.
    Project,
    /// Sort orders, index keys, collations: all is kept.
    Keep,
    /// The fields of a stage that name things: strings are kept, numbers are literals.
    Names,
    /// Update operators: fields are kept, values and whole documents are literals.
    Update,
    /// The stages of a pipeline.
    Pipeline,
    /// Pipelines by the names of their outputs.
    Facet,
}

/// Text under way.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) out: String,
    depth: usize,
}

impl Writer {
    pub(super) fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// `db.orders`, or `db.getCollection("odd name")`.
    pub(super) fn collection(&mut self, name: &str) {
        if is_plain(name) && !name.is_empty() && !name.contains('$') {
            let _ = write!(self.out, "db.{name}");
        } else {
            self.push("db.getCollection(");
            self.quoted(name);
            self.push(")");
        }
    }

    pub(super) fn key(&mut self, key: &str) {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
        let starts = key.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if starts && key.bytes().all(word) {
            self.push(key);
        } else {
            self.quoted(key);
        }
    }

    pub(super) fn quoted(&mut self, text: &str) {
        let _ = write!(self.out, "{text:?}");
    }

    /// A part of the options' document at the end of a call: `, {sort: …`; `open` when it has
    /// begun. Gives whether it has now. The caller closes the call, this the document.
    pub(super) fn option(
        &mut self,
        name: &str,
        value: Option<&Bson>,
        mode: Mode,
        open: bool,
    ) -> bool {
        let Some(value) = value else { return open };
        if open {
            // The document was closed after its last field: it goes on.
            self.out.pop();
            self.push(", ");
        } else {
            self.push(", {");
        }
        self.key(name);
        self.push(": ");
        self.value(value, mode);
        self.push("}");
        true
    }

    pub(super) fn value(&mut self, value: &Bson, mode: Mode) {
        if self.depth >= MAX_DEPTH {
            self.push("…");
            return;
        }
        self.depth += 1;
        match value {
            Bson::Document(inner) => self.document(inner, mode),
            Bson::Array(items) => self.array(items, mode),
            scalar => self.scalar(scalar, mode),
        }
        self.depth -= 1;
    }

    fn document(&mut self, inner: &Document, mode: Mode) {
        // What is set to a document is set to a literal.
        if mode == Mode::Update && !inner.keys().all(|key| key.starts_with('$')) {
            self.push("?");
            return;
        }
        let mut fields: Vec<(&String, &Bson)> =
            inner.iter().filter(|(key, _)| *key != "$comment").collect();
        if matches!(mode, Mode::Filter | Mode::Update) {
            fields.sort_by_key(|(key, _)| *key);
        }
        self.push("{");
        for (place, (key, value)) in fields.into_iter().enumerate() {
            self.push(if place == 0 { "" } else { ", " });
            self.key(key);
            self.push(": ");
            self.field(key, value, mode);
        }
        self.push("}");
    }

    fn field(&mut self, key: &str, value: &Bson, mode: Mode) {
        match mode {
            Mode::Filter => match (key, value) {
                ("$expr", _) => self.value(value, Mode::Expression),
                ("$jsonSchema", _) => self.push("?"),
                ("$and" | "$or" | "$nor", Bson::Array(items)) => self.branches(items),
                _ => self.value(value, Mode::Filter),
            },
            Mode::Project if key.starts_with('$') => {
                self.value(value, if key == "$meta" { Mode::Keep } else { Mode::Expression });
            }
            Mode::Pipeline => self.value(value, pipeline::of_stage(key)),
            Mode::Names => self.value(value, pipeline::below(key)),
            Mode::Facet => self.value(value, Mode::Pipeline),
            Mode::Expression if key == "sortBy" => self.value(value, Mode::Keep),
            Mode::Update => self.operator(key, value),
            _ => self.value(value, mode),
        }
    }

    /// `$set: {a: ?}`: the fields are kept; `$push: {a: {$each: [?], $slice: ?}}`, too.
    fn operator(&mut self, key: &str, value: &Bson) {
        let Bson::Document(fields) = value else { return self.value(value, Mode::Filter) };
        if key == "$pull" {
            return self.document(fields, Mode::Filter);
        }
        let mut fields: Vec<(&String, &Bson)> = fields.iter().collect();
        fields.sort_by_key(|(key, _)| *key);
        self.push("{");
        for (place, (field, value)) in fields.into_iter().enumerate() {
            self.push(if place == 0 { "" } else { ", " });
            self.key(field);
            self.push(": ");
            match value {
                // Operators once more: `$each`, `$slice`, `$bit`'s `and`.
                Bson::Document(inner) if inner.keys().any(|key| key.starts_with('$')) => {
                    self.value(value, Mode::Filter);
                }
                _ => self.push("?"),
            }
        }
        self.push("}");
    }

    /// The branches of `$and`, `$or` and `$nor`: in any order, each shape once.
    fn branches(&mut self, items: &[Bson]) {
        let mut shapes: Vec<String> =
            items.iter().map(|item| self.apart(item, Mode::Filter)).collect();
        shapes.sort();
        shapes.dedup();
        let _ = write!(self.out, "[{}]", shapes.join(", "));
    }

    fn apart(&self, value: &Bson, mode: Mode) -> String {
        let mut inner = Writer { out: String::new(), depth: self.depth };
        inner.value(value, mode);
        inner.out
    }

    fn array(&mut self, items: &[Bson], mode: Mode) {
        match mode {
            // A list of values is one shape whatever its length: `$in` with 3 or 300.
            Mode::Filter => {
                let mut shapes: Vec<String> =
                    items.iter().map(|item| self.apart(item, mode)).collect();
                shapes.sort();
                shapes.dedup();
                if shapes.is_empty() {
                    shapes.push("?".into());
                }
                let _ = write!(self.out, "[{}]", shapes.join(", "));
            }
            // An update that is a pipeline.
            Mode::Update => self.array(items, Mode::Pipeline),
            Mode::Pipeline => {
                let shapes: Vec<String> = items.iter().map(|item| self.apart(item, mode)).collect();
                let _ = write!(self.out, "[{}]", shapes.join(", "));
            }
            _ => {
                let mut shapes: Vec<String> =
                    items.iter().map(|item| self.apart(item, mode)).collect();
                // Equal neighbours are a list: of literals, of `$switch`'s branches.
                shapes.dedup();
                if shapes.is_empty() {
                    shapes.push("?".into());
                }
                let _ = write!(self.out, "[{}]", shapes.join(", "));
            }
        }
    }

    fn scalar(&mut self, value: &Bson, mode: Mode) {
        match (mode, value) {
            (Mode::Expression | Mode::Project | Mode::Pipeline, Bson::String(text))
                if text.starts_with('$') =>
            {
                self.quoted(text);
            }
            (Mode::Keep | Mode::Names, Bson::String(text)) => self.quoted(text),
            (
                Mode::Project,
                Bson::Boolean(_) | Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_),
            ) => {
                self.push(if super::truthy(value) { "1" } else { "0" });
            }
            (Mode::Keep, Bson::Boolean(yes)) => {
                let _ = write!(self.out, "{yes}");
            }
            (Mode::Keep, Bson::Int32(number)) => {
                let _ = write!(self.out, "{number}");
            }
            (Mode::Keep, Bson::Int64(number)) => {
                let _ = write!(self.out, "{number}");
            }
            (Mode::Keep, Bson::Double(number)) => {
                let _ = write!(self.out, "{number}");
            }
            _ => self.push("?"),
        }
    }
}

/// A name mongosh takes after `db.`, dots included.
fn is_plain(name: &str) -> bool {
    name.split('.').all(|part| {
        part.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}
