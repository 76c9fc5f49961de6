//! YAML with places, read as far as it goes.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use super::tree::{DEEPEST, Fault, Key, Kind, Parsed, Tree, add};

/// The most values that aliases may bring in.
const MOST_COPIED: usize = 100_000;

/// A list or map that is still open.
struct Open {
    kind: Container,
    start: usize,
    anchor: usize,
}

enum Container {
    List(Vec<Tree>),
    Map { parts: Vec<(Key, Tree)>, names: HashSet<String>, key: Option<Key> },
}

struct Builder<'a> {
    text: &'a str,
    open: Vec<Open>,
    done: Option<Tree>,
    faults: Vec<Fault>,
    anchors: HashMap<usize, Tree>,
    copied: usize,
    /// How many levels below the deepest we are.
    below: usize,
}

/// Reads the first document of a YAML text. Where it is broken, what stands before that is kept.
pub(super) fn parse(text: &str) -> Parsed {
    let mut builder = Builder {
        text,
        open: Vec::new(),
        done: None,
        faults: Vec::new(),
        anchors: HashMap::new(),
        copied: 0,
        below: 0,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::DocumentStart(..), span)) => {
                documents += 1;
                if documents > 1 {
                    builder.fault(
                        builder.range(&span),
                        "a second document begins here; only the first is read".into(),
                        "keep one model to a file",
                    );
                    break;
                }
            }
            Ok((event, span)) => builder.event(event, &span),
            Err(error) => {
                let at = floor(text, error.marker().byte_offset().unwrap_or(text.len()));
                let what = error.info();
                let what = what.lines().next().unwrap_or_default().trim_end_matches('.');
                let what = match text[at..].trim().is_empty() {
                    true => format!("the file is cut off here: {what}"),
                    false => format!("this is not YAML: {what}"),
                };
                builder.fault(
                    at..at,
                    what,
                    "mind the indentation, and put texts with : or # in them in quotes",
                );
                break;
            }
        }
    }
    while let Some(open) = builder.open.pop() {
        let end = text.len();
        builder.close(open, end);
    }
    Parsed { tree: builder.done, faults: builder.faults }
}

impl Builder<'_> {
    fn fault(&mut self, range: Range<usize>, what: String, hint: &str) {
        self.faults.push(Fault { range, what, hint: hint.into() });
    }

    fn range(&self, span: &Span) -> Range<usize> {
        let start = floor(self.text, span.start.byte_offset().unwrap_or(0));
        let end = floor(self.text, span.end.byte_offset().unwrap_or(start)).max(start);
        start..end
    }

    fn event(&mut self, event: Event<'_>, span: &Span) {
        let range = self.range(span);
        match event {
            Event::Scalar(value, style, anchor, _) if self.below == 0 => {
                let tree = scalar(&value, style, range);
                self.anchored(anchor, &tree);
                self.put(tree);
            }
            Event::SequenceStart(_, anchor, _) => {
                self.start(Container::List(Vec::new()), range.start, anchor);
            }
            Event::MappingStart(_, anchor, _) => {
                let map = Container::Map { parts: Vec::new(), names: HashSet::new(), key: None };
                self.start(map, range.start, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd if self.below > 0 => {
                self.below -= 1;
                if self.below == 0 {
                    self.put(Tree::new(Kind::Null, range));
                }
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.close(open, range.end);
                }
            }
            Event::Alias(anchor) if self.below == 0 => {
                let copy = self.anchors.get(&anchor).cloned();
                let size = copy.as_ref().map_or(0, size);
                self.copied = self.copied.saturating_add(size);
                let copy = copy.filter(|_| self.copied <= MOST_COPIED);
                if copy.is_none() {
                    let what = "this alias brings in too much, or itself; left out";
                    self.fault(range.clone(), what.into(), "write out what is meant");
                }
                let mut tree = copy.unwrap_or_else(|| Tree::new(Kind::Null, range.clone()));
                tree.range = range;
                self.put(tree);
            }
            _ => {}
        }
    }

    fn start(&mut self, kind: Container, start: usize, anchor: usize) {
        if self.below > 0 || self.open.len() >= DEEPEST {
            if self.below == 0 {
                let what = format!("nested more than {DEEPEST} levels deep; left out");
                let hint = "a model is flat: lists of entities, relations and queries";
                self.fault(start..start, what, hint);
            }
            self.below += 1;
            return;
        }
        self.open.push(Open { kind, start, anchor });
    }

    fn close(&mut self, open: Open, end: usize) {
        let value = match open.kind {
            Container::List(items) => Kind::List(items),
            Container::Map { parts, .. } => Kind::Map(parts),
        };
        let tree = Tree::new(value, open.start..end.max(open.start));
        self.anchored(open.anchor, &tree);
        self.put(tree);
    }

    fn anchored(&mut self, anchor: usize, tree: &Tree) {
        if anchor > 0 {
            self.anchors.insert(anchor, tree.clone());
        }
    }

    /// Puts a finished value where it belongs.
    fn put(&mut self, tree: Tree) {
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.done = self.done.take().or(Some(tree)),
            Some(Container::List(items)) => items.push(tree),
            Some(Container::Map { parts, names, key }) => match key.take() {
                Some(key) => add(parts, names, key, tree, &mut self.faults),
                None => {
                    let written = tree.written.as_deref().map(str::to_string);
                    let name = match (written, &tree.value) {
                        (Some(name), _) => name,
                        (None, Kind::Text(name)) => name.clone(),
                        (None, _) => {
                            self.faults.push(Fault {
                                range: tree.range.clone(),
                                what: "a name is expected, not a list or group".into(),
                                hint: "write name: value".into(),
                            });
                            String::new()
                        }
                    };
                    *key = Some(Key { name, range: tree.range });
                }
            },
        }
    }
}

/// What a scalar is, by YAML 1.2's core schema; numbers too large for JSON stay texts.
fn scalar(text: &str, style: ScalarStyle, range: Range<usize>) -> Tree {
    if style != ScalarStyle::Plain {
        return Tree::new(Kind::Text(text.into()), range);
    }
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ => match number(text) {
            Some(number) => Kind::Number(number),
            None => Kind::Text(text.into()),
        },
    };
    Tree { written: Some(text.into()), ..Tree::new(value, range) }
}

fn number(text: &str) -> Option<serde_json::Number> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.')) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let plain =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+');
    match text.bytes().all(plain) {
        true => text.parse::<f64>().ok().and_then(serde_json::Number::from_f64),
        false => None,
    }
}

fn size(tree: &Tree) -> usize {
    1 + match &tree.value {
        Kind::List(items) => items.iter().map(size).sum(),
        Kind::Map(parts) => parts.iter().map(|(_, value)| size(value)).sum(),
        _ => 0,
    }
}

/// The nearest character boundary at or below `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
