//! What a file says, each part with its place, before it is a model.

use std::ops::Range;

use serde_json::{Map, Number, Value};

/// The deepest nesting that is read; a model needs seven levels, and a default may hold more.
pub(super) const DEEPEST: usize = 64;

/// A value of the file and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    /// The value.
    pub value: Kind,
    /// Where it stands.
    pub range: Range<usize>,
    /// Of a YAML scalar without quotes, what was written: `007` may be a text or a number.
    pub written: Option<Box<str>>,
    /// Which item of its list it is in the file; what is left out before it changes nothing.
    pub item: usize,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(Key, Tree)>),
}

/// The name of a part and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub name: String,
    pub range: Range<usize>,
}

/// Where something is wrong with the file's form.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub range: Range<usize>,
    pub what: String,
    pub hint: String,
}

/// What could be read, and what was wrong.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub tree: Option<Tree>,
    pub faults: Vec<Fault>,
}

impl Tree {
    pub(super) fn new(value: Kind, range: Range<usize>) -> Self {
        Tree { value, range, written: None, item: 0 }
    }

    /// What it is, for a message.
    pub(super) fn called(&self) -> &'static str {
        match self.value {
            Kind::Null => "nothing",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a group of names and values",
        }
    }

    /// The part called `name`.
    pub(super) fn get(&self, name: &str) -> Option<&Tree> {
        match &self.value {
            Kind::Map(parts) => parts.iter().find(|(key, _)| key.name == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> &[Tree] {
        match &self.value {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// Numbers the items of all lists.
    pub(super) fn number(&mut self) {
        match &mut self.value {
            Kind::List(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    item.item = at;
                    item.number();
                }
            }
            Kind::Map(parts) => parts.iter_mut().for_each(|(_, value)| value.number()),
            _ => {}
        }
    }

    /// The value without places.
    pub(super) fn json(&self) -> Value {
        match &self.value {
            Kind::Null => Value::Null,
            Kind::Bool(is) => Value::Bool(*is),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => Value::Array(items.iter().map(Tree::json).collect()),
            Kind::Map(parts) => {
                let parts = parts.iter().map(|(key, value)| (key.name.clone(), value.json()));
                Value::Object(parts.collect::<Map<_, _>>())
            }
        }
    }
}

/// Adds a part to a map unless there is one of its name.
pub(super) fn add(
    parts: &mut Vec<(Key, Tree)>,
    names: &mut std::collections::HashSet<String>,
    key: Key,
    value: Tree,
    faults: &mut Vec<Fault>,
) {
    if names.insert(key.name.clone()) {
        parts.push((key, value));
    } else {
        faults.push(Fault {
            what: format!("{} is said twice; the first counts", shown(&key.name)),
            hint: "leave one of them out".into(),
            range: key.range,
        });
    }
}

/// A name or value for a message: short, and without what terminals act on.
pub(super) fn shown(text: &str) -> String {
    let mut out: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    if out.is_empty() { "\"\"".into() } else { out }
}
