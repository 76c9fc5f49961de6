//! The commands that lead from one database to another.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use marula_core::Version;

use super::super::definition::{differing, same, same_options};
use super::model::{Model, Namespace};

/// What is found on the way.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What becomes of what.
    pub outline: Vec<(char, String)>,
    /// What is lost.
    pub destroys: Vec<String>,
    /// What cannot be changed in place.
    pub stuck: Vec<String>,
}

/// What a collection that goes leaves nothing of.
pub(super) const WITH_DOCUMENTS: &str = " is dropped with its documents";

/// From which version on the size of a capped collection can be changed.
const CAPPED_SIZES: Version = Version::new(6, 0, 0);

/// The commands for a server of that version, in order: what is made, changed, and at last dropped.
pub(super) fn commands(from: &Model, to: &Model, version: Version) -> (Vec<Document>, Found) {
    let mut found = Found::default();
    let (mut made, mut changed, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
    let mut views: Vec<&str> = Vec::new();
    for (name, new) in to {
        match from.get(name) {
            Some(old) if old.is_view() == new.is_view() => {
                change(name, old, new, version, &mut changed, &mut found);
            }
            Some(old) => {
                // A view and a collection cannot have one name.
                if !old.is_view() {
                    found.destroys.push(format!("collection {name}{WITH_DOCUMENTS}"));
                }
                changed.push(doc! { "drop": name });
                found.outline.push(('~', format!("{name} (made anew)")));
                create(name, new, &mut changed);
            }
            None if new.is_view() => views.push(name),
            None => {
                found.outline.push(('+', format!("collection {name}")));
                create(name, new, &mut made);
            }
        }
    }
    for name in views {
        found.outline.push(('+', format!("view {name}")));
        create(name, &to[name], &mut made);
    }
    for (name, old) in from.iter().filter(|(name, _)| !to.contains_key(*name)) {
        dropped.push(doc! { "drop": name });
        if old.is_view() {
            found.outline.push(('-', format!("view {name}")));
        } else {
            found.outline.push(('-', format!("collection {name}")));
            found.destroys.push(format!("collection {name}{WITH_DOCUMENTS}"));
        }
    }
    made.append(&mut changed);
    made.append(&mut dropped);
    (made, found)
}

fn create(name: &str, new: &Namespace, commands: &mut Vec<Document>) {
    let mut command = doc! { "create": name };
    command.extend(new.options.clone());
    commands.push(command);
    for spec in new.indexes.values() {
        commands.push(build(name, spec));
    }
}

fn change(
    name: &str,
    old: &Namespace,
    new: &Namespace,
    version: Version,
    commands: &mut Vec<Document>,
    found: &mut Found,
) {
    let keys = differing(&old.options, &new.options);
    if old.is_view() {
        if keys.is_empty() {
            return;
        }
        found.outline.push(('~', format!("view {name}")));
        if keys.contains(&"collation") {
            commands.push(doc! { "drop": name });
            create(name, new, commands);
        } else {
            let mut command = doc! { "collMod": name };
            for key in ["viewOn", "pipeline"] {
                command.insert(key, new.options.get(key).cloned().unwrap_or(Bson::Array(vec![])));
            }
            commands.push(command);
        }
        return;
    }
    let mut modify = Document::new();
    for key in &keys {
        let wanted = new.options.get(key);
        let value = match (*key, wanted) {
            ("validator", None) => Some(Bson::Document(Document::new())),
            ("validationLevel", None) => Some("strict".into()),
            ("validationAction", None) => Some("error".into()),
            ("changeStreamPreAndPostImages", None) => Some(doc! { "enabled": false }.into()),
            ("expireAfterSeconds", None) => Some("off".into()),
            (
                "validator"
                | "validationLevel"
                | "validationAction"
                | "changeStreamPreAndPostImages"
                | "expireAfterSeconds",
                Some(value),
            ) => Some(value.clone()),
            ("timeseries", Some(Bson::Document(wanted))) => {
                let had = old.options.get_document("timeseries").cloned().unwrap_or_default();
                let only = wanted.iter().all(|(key, value)| {
                    same(had.get(key), Some(value))
                        || ["granularity", "bucketMaxSpanSeconds", "bucketRoundingSeconds"]
                            .contains(&key.as_str())
                });
                only.then(|| doc! { "granularity": wanted.get("granularity").cloned().unwrap_or(Bson::Null) })
                    .map(Bson::from)
            }
            ("capped", None | Some(Bson::Boolean(false))) => None,
            ("capped" | "size" | "max", _) => {
                capped(name, old, new, key, version, commands, found);
                continue;
            }
            _ => None,
        };
        match value {
            Some(value) => {
                modify.insert(*key, value);
            }
            None => found.stuck.push(format!(
                "the {key} of collection {name} cannot be changed: make a new collection and copy \
                 the documents"
            )),
        }
    }
    if !keys.is_empty() {
        found.outline.push(('~', format!("collection {name}: {}", keys.join(", "))));
    }
    if !modify.is_empty() {
        // A level or action without a validator is refused when it goes first.
        let mut command = doc! { "collMod": name };
        command.extend(modify);
        commands.push(command);
    }
    if is_capped(new) && !is_capped(old) {
        anew(name, old, new, commands, found);
    } else {
        indexes(name, &old.indexes, new, commands, found);
    }
}

fn is_capped(of: &Namespace) -> bool {
    of.options.get_bool("capped").unwrap_or(false)
}

fn capped(
    name: &str,
    old: &Namespace,
    new: &Namespace,
    key: &str,
    version: Version,
    commands: &mut Vec<Document>,
    found: &mut Found,
) {
    let wanted = |key: &str| new.options.get(key).cloned().unwrap_or(Bson::Int64(0));
    let mut change = |option: &str, key: &str| {
        if version >= CAPPED_SIZES {
            commands.push(doc! { "collMod": name, option: wanted(key) });
        } else {
            found.stuck.push(format!(
                "the {key} of collection {name} cannot be changed before 6.0: make a new \
                 collection and copy the documents"
            ));
        }
    };
    match (is_capped(old), is_capped(new), key) {
        (false, true, "capped") => {
            found.destroys.push(format!(
                "documents of collection {name} go where they do not fit its size: the newest stay"
            ));
            commands.push(doc! { "convertToCapped": name, "size": wanted("size") });
        }
        (true, true, "size") => change("cappedSize", key),
        (_, true, "max") => change("cappedMax", key),
        _ => {}
    }
}

/// All indexes after a conversion to a capped collection, which leaves them out.
fn anew(
    name: &str,
    old: &Namespace,
    new: &Namespace,
    commands: &mut Vec<Document>,
    found: &mut Found,
) {
    for (index, spec) in &new.indexes {
        let said = match old.indexes.contains_key(index) {
            true => ('~', format!("index {index} of {name} (built anew)")),
            false => ('+', format!("index {index} of {name}")),
        };
        found.outline.push(said);
        commands.push(build(name, spec));
    }
    let gone = old.indexes.keys().filter(|index| !new.indexes.contains_key(*index));
    found.outline.extend(gone.map(|index| ('-', format!("index {index} of {name}"))));
}

fn build(name: &str, spec: &Document) -> Document {
    doc! { "createIndexes": name, "indexes": [spec.clone()] }
}

fn indexes(
    name: &str,
    old: &BTreeMap<String, Document>,
    new: &Namespace,
    commands: &mut Vec<Document>,
    found: &mut Found,
) {
    let mut drops = Vec::new();
    let mut builds = Vec::new();
    for (index, spec) in &new.indexes {
        match old.get(index) {
            None => {
                found.outline.push(('+', format!("index {index} of {name}")));
                builds.push(spec);
            }
            Some(own) if same_options(own, spec) => {}
            Some(own) => {
                found.outline.push(('~', format!("index {index} of {name}")));
                match in_place(name, index, own, spec) {
                    Some(mut steps) => commands.append(&mut steps),
                    None => {
                        drops.push(index);
                        builds.push(spec);
                    }
                }
            }
        }
    }
    // One that goes anyway stays till the last, unless the server takes no other beside it.
    let mut last = Vec::new();
    for (index, own) in old.iter().filter(|(index, _)| !new.indexes.contains_key(*index)) {
        found.outline.push(('-', format!("index {index} of {name}")));
        let blocks = builds.iter().any(|spec| excludes(own, spec));
        if blocks { drops.push(index) } else { last.push(index) }
    }
    let drop = |index: &String| doc! { "dropIndexes": name, "index": index };
    commands.extend(drops.into_iter().map(drop));
    commands.extend(builds.into_iter().map(|spec| build(name, spec)));
    commands.extend(last.into_iter().map(drop));
}

/// Whether no server takes both for one collection: the same keys under one collation, two texts.
fn excludes(a: &Document, b: &Document) -> bool {
    let is_text = |of: &Document| of.get_document("key").is_ok_and(|key| key.contains_key("_fts"));
    same(a.get("key"), b.get("key")) && same(a.get("collation"), b.get("collation"))
        || is_text(a) && is_text(b)
}

/// What collMod can change of an index without building it anew.
fn in_place(name: &str, index: &str, old: &Document, new: &Document) -> Option<Vec<Document>> {
    let mut all = Vec::new();
    for key in differing(old, new) {
        match key {
            "hidden" => {
                let hidden = new.get_bool("hidden").unwrap_or(false);
                all.push(doc! { "collMod": name, "index": { "name": index, "hidden": hidden } });
            }
            "expireAfterSeconds" if old.contains_key(key) && new.contains_key(key) => {
                let seconds = new.get(key)?.clone();
                all.push(doc! { "collMod": name, "index": { "name": index, "expireAfterSeconds": seconds } });
            }
            _ => return None,
        }
    }
    Some(all)
}
