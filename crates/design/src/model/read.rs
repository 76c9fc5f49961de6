use std::path::Path;

use marula_core::model::Model;
use marula_core::{Error, ErrorKind, Evidence, Finding, Marked, Place, Result, Severity};
use serde_json::Value;

use super::check::check;
use super::fill::{self, Unsaid};
use super::include::{self, Load};
use super::mistake::{Cure, Mistake, Part, Way};
use super::tree::{Key, Kind, Parsed, Tree};
use super::{json, shape, yaml};

/// The most mistakes that are told.
const MOST_TOLD: usize = 1000;
/// The most entities, relations, queries, writes, transactions, and attributes of one entity.
const MOST_ITEMS: usize = 5000;
/// How often what is left is checked again.
const ROUNDS: usize = 8;

/// A model read from a file, and what was wrong with the file.
#[derive(Debug, Clone)]
pub struct Read {
    /// What can be used. Where there are mistakes it is less than what the file says.
    pub model: Model,
    /// What is wrong, in the file's order.
    pub mistakes: Vec<Mistake>,
    /// The file's name.
    pub name: String,
}

impl Read {
    /// Whether something cannot be used as it stands.
    pub fn is_faulty(&self) -> bool {
        self.mistakes.iter().any(|mistake| mistake.severity == Severity::High)
    }

    /// The mistakes as findings of a report, what matters most first.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .mistakes
            .iter()
            .map(|mistake| {
                let way = mistake.way.to_string();
                let column = mistake.column.map(|column| column as f64);
                Finding {
                    rule: "model".into(),
                    severity: mistake.severity,
                    title: mistake.what.clone(),
                    place: Place {
                        file: Some(self.name.clone()),
                        line: mistake.line,
                        expression: Some(way).filter(|way| !way.is_empty()),
                        ..Place::default()
                    },
                    evidence: column
                        .map(|column| Evidence::number("column", column, None))
                        .into_iter()
                        .collect(),
                    explanation: mistake.hint.clone().unwrap_or_default(),
                    changes: Vec::new(),
                    hazard: None,
                }
            })
            .collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }
}

/// Reads a model: YAML, or JSON where the file's name says so or the text begins with a brace.
///
/// # Errors
/// `Syntax` with the place marked, where nothing of it is a model.
pub fn read(text: &str, name: &str) -> Result<Read> {
    read_with(text, name, None)
}

/// [`read`], with the file that the model's `from:` names: it stands in that folder.
///
/// # Errors
/// Those of [`read`]; what is wrong with the other file is among the mistakes.
pub fn read_beside(text: &str, name: &str, folder: &Path) -> Result<Read> {
    read_with(text, name, Some(&|file: &str| include::beside(folder, file)))
}

pub(super) fn read_with(text: &str, name: &str, load: Option<Load<'_>>) -> Result<Read> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Parsed { tree, faults } = parse(text, name);
    let mut mistakes: Vec<Mistake> = Vec::new();
    for fault in faults.iter().take(MOST_TOLD) {
        let mut mistake = Mistake::new(Way::root(), fault.what.clone()).hint(fault.hint.clone());
        mistake.offset = Some(fault.range.start);
        mistakes.push(mistake);
    }
    let Some(mut tree) = tree.filter(|tree| matches!(tree.value, Kind::Map(_))) else {
        let (what, range) = match faults.first() {
            Some(fault) => (fault.what.clone(), fault.range.clone()),
            None => ("this is no model".into(), 0..text.len().min(1)),
        };
        return Err(Error::new(ErrorKind::Syntax, what)
            .mark(Marked {
                name: name.into(),
                text: text.into(),
                start: range.start,
                end: range.end,
            })
            .hint("a model has a name, entities, relations and queries; see marula schema model"));
    };
    tree.number();
    include::include(&mut tree, load, &mut mistakes);
    limit(&mut tree, &mut mistakes);
    shape::fit(&mut tree, &mut mistakes);
    let model = usable(&mut tree, &mut mistakes, text, name)?;
    place(&mut mistakes, text);
    Ok(Read { model, mistakes, name: name.into() })
}

fn parse(text: &str, name: &str) -> Parsed {
    let lower = name.to_lowercase();
    if lower.ends_with(".json") {
        return json::parse(text);
    }
    let named = lower.ends_with(".yaml") || lower.ends_with(".yml");
    if !named && text.trim_start().starts_with('{') {
        return json::parse(text);
    }
    yaml::parse(text)
}

/// Leaves out what is too much.
fn limit(tree: &mut Tree, mistakes: &mut Vec<Mistake>) {
    let Kind::Map(parts) = &mut tree.value else { return };
    let mut cut = |list: &mut Tree, name: &str| {
        if let Kind::List(items) = &mut list.value
            && let Some(first) = items.get(MOST_ITEMS)
        {
            let more = items.len() - MOST_ITEMS;
            let what = format!("{name} has more than {MOST_ITEMS} items; {more} are left out");
            let mut mistake = Mistake::new(Way::root().to(name), what);
            mistake.offset = Some(first.range.start);
            mistakes.push(mistake);
            items.truncate(MOST_ITEMS);
        }
    };
    for (key, value) in parts {
        cut(value, &key.name);
        if let Kind::List(items) = &mut value.value {
            for item in items {
                if let Kind::Map(parts) = &mut item.value {
                    parts.iter_mut().for_each(|(key, value)| cut(value, &key.name));
                }
            }
        }
    }
}

/// The model that is left when what is wrong is left out.
fn usable(tree: &mut Tree, mistakes: &mut Vec<Mistake>, text: &str, name: &str) -> Result<Model> {
    let mut round = 0;
    loop {
        let mut model = model(tree, text, name)?;
        let filled = fill::fill_unsaid(&mut model, &unsaid(tree));
        let mut found: Vec<Mistake> = if round == 0 { filled } else { Vec::new() };
        found.extend(check(&model));
        // What was told before is not told again from what is left.
        found.retain(|mistake| round == 0 || !mistake.cures.is_empty());
        let cures: Vec<(Way, Cure)> =
            found.iter().flat_map(|mistake| mistake.cures.iter().cloned()).collect();
        for mut mistake in found {
            mistake.offset = Some(offset(tree, &mistake, text));
            mistake.way = in_the_file(tree, &mistake.way);
            mistakes.push(mistake);
        }
        round += 1;
        if cures.is_empty() || round == ROUNDS {
            return Ok(model);
        }
        cure(tree, cures);
    }
}

fn model(tree: &Tree, text: &str, name: &str) -> Result<Model> {
    let mut model: Model = serde_json::from_value(tree.json()).map_err(|error| {
        Error::new(ErrorKind::Syntax, format!("this is no model: {error}"))
            .mark(Marked { name: name.into(), text: text.into(), start: 0, end: 1.min(text.len()) })
            .hint("see marula schema model")
    })?;
    if model.name.trim().is_empty() {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let stem = file.split('.').next().unwrap_or(file);
        model.name = if stem.is_empty() { "model".into() } else { stem.into() };
    }
    Ok(model)
}

/// The attributes whose type the file does not say.
fn unsaid(tree: &Tree) -> Unsaid {
    let mut found = Unsaid::default();
    for (entity, item) in tree.get("entities").map_or(&[][..], Tree::items).iter().enumerate() {
        let attributes = item.get("attributes").map_or(&[][..], Tree::items);
        for (attribute, item) in attributes.iter().enumerate() {
            if item.get("type").is_none() {
                found.insert((entity, attribute));
            }
        }
    }
    found
}

/// Where a mistake stands: its part, or the nearest whole that the file has.
fn offset(tree: &Tree, mistake: &Mistake, text: &str) -> usize {
    let mut at = tree;
    let mut start = tree.range.start;
    for part in &mistake.way.0 {
        let next = match (part, &at.value) {
            (Part::Name(name), Kind::Map(parts)) => {
                parts.iter().find(|(key, _)| key.name == *name).map(|(_, value)| value)
            }
            (Part::Item(index), Kind::List(items)) => items.get(*index),
            _ => None,
        };
        let Some(next) = next else { return start };
        start = next.range.start;
        at = next;
    }
    let Some(word) = &mistake.word else { return start };
    let slice = text.get(at.range.clone()).unwrap_or_default();
    let mut places = slice.match_indices(word.text.as_str());
    places.nth(word.before).map_or(start, |(inside, _)| start + inside)
}

/// The way in the file, where more stands before an item than in what is left.
fn in_the_file(tree: &Tree, way: &Way) -> Way {
    let mut at = Some(tree);
    let parts = way.0.iter().map(|part| {
        let here = at.take();
        match (part, here.map(|tree| &tree.value)) {
            (Part::Name(name), Some(Kind::Map(_))) => {
                at = here.and_then(|tree| tree.get(name));
                part.clone()
            }
            (Part::Item(index), Some(Kind::List(items))) => {
                at = items.get(*index);
                Part::Item(at.map_or(*index, |item| item.item))
            }
            _ => part.clone(),
        }
    });
    Way(parts.collect())
}

/// Leaves out and changes parts, the last first so that the ways of the others stay true.
fn cure(tree: &mut Tree, mut cures: Vec<(Way, Cure)>) {
    cures.sort_by(|a, b| b.0.cmp(&a.0));
    cures.dedup_by(|a, b| a.0 == b.0);
    for (way, cure) in cures {
        let Some((last, whole)) = way.0.split_last() else { continue };
        let found = whole.iter().try_fold(&mut *tree, |at, part| match (part, &mut at.value) {
            (Part::Name(name), Kind::Map(parts)) => {
                parts.iter_mut().find(|(key, _)| key.name == *name).map(|(_, value)| value)
            }
            (Part::Item(index), Kind::List(items)) => items.get_mut(*index),
            _ => None,
        });
        if let Some(found) = found {
            apply(found, last, cure);
        }
    }
}

fn apply(whole: &mut Tree, part: &Part, cure: Cure) {
    let range = whole.range.clone();
    match (part, &mut whole.value, cure) {
        (Part::Name(name), Kind::Map(parts), Cure::Leave) => {
            parts.retain(|(key, _)| key.name != *name);
        }
        (Part::Name(name), Kind::Map(parts), Cure::Set(value)) => {
            match parts.iter_mut().find(|(key, _)| key.name == *name) {
                Some((_, old)) => *old = tree_of(value, &old.range.clone()),
                None => {
                    let key = Key { name: name.clone(), range: range.clone() };
                    parts.push((key, tree_of(value, &range)));
                }
            }
        }
        (Part::Item(index), Kind::List(items), Cure::Leave) if *index < items.len() => {
            items.remove(*index);
        }
        (Part::Item(index), Kind::List(items), Cure::Set(value)) => {
            if let Some(old) = items.get_mut(*index) {
                *old = tree_of(value, &old.range.clone());
            }
        }
        _ => {}
    }
}

pub(super) fn tree_of(value: Value, range: &std::ops::Range<usize>) -> Tree {
    let kind = match value {
        Value::Null => Kind::Null,
        Value::Bool(is) => Kind::Bool(is),
        Value::Number(number) => Kind::Number(number),
        Value::String(text) => Kind::Text(text),
        Value::Array(items) => {
            Kind::List(items.into_iter().map(|item| tree_of(item, range)).collect())
        }
        Value::Object(parts) => {
            let key = |name| Key { name, range: range.clone() };
            let parts = parts.into_iter();
            Kind::Map(parts.map(|(name, value)| (key(name), tree_of(value, range))).collect())
        }
    };
    Tree::new(kind, range.clone())
}

/// Counts lines and columns, sorts by them, and tells no more than can be read.
fn place(mistakes: &mut Vec<Mistake>, text: &str) {
    mistakes.sort_by_key(|mistake| mistake.offset);
    mistakes.dedup_by(|a, b| a.offset == b.offset && a.what == b.what);
    let more = mistakes.len().saturating_sub(MOST_TOLD);
    if more > 0 {
        // What is about the whole is told in any case.
        mistakes.sort_by_key(|mistake| (mistake.way.0.len() > 1, mistake.offset));
        mistakes.truncate(MOST_TOLD);
        mistakes.sort_by_key(|mistake| mistake.offset);
    }
    let (mut line, mut begin, mut seen) = (1usize, 0usize, 0usize);
    for mistake in mistakes.iter_mut() {
        let Some(offset) = mistake.offset else { continue };
        let offset = offset.min(text.len());
        let Some(between) = text.get(seen..offset) else { continue };
        for (at, _) in between.match_indices('\n') {
            line += 1;
            begin = seen + at + 1;
        }
        seen = offset;
        let column = text.get(begin..offset).map_or(0, |part| part.chars().count());
        (mistake.line, mistake.column) = (Some(line), Some(column + 1));
    }
    if more > 0 {
        mistakes.push(Mistake::new(Way::root(), format!("and {more} more mistakes")));
    }
}
