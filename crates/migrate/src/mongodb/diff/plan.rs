//! The commands that lead from one database to another.

use bson::{Bson, Document, doc};

use super::model::{Model, Namespace, plain, same};

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

/// The commands, in order: what is made, changed, and at last dropped.
pub(super) fn commands(from: &Model, to: &Model) -> (Vec<Document>, Found) {
    let mut found = Found::default();
    let (mut made, mut changed, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
    let mut views: Vec<&str> = Vec::new();
    for (name, new) in to {
        match from.get(name) {
            Some(old) if old.is_view() == new.is_view() => {
                change(name, old, new, &mut changed, &mut found);
            }
            Some(_) => {
                // A view and a collection cannot have one name.
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
            found.destroys.push(format!("collection {name} is dropped with its documents"));
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
        commands.push(doc! { "createIndexes": name, "indexes": [spec.clone()] });
    }
}

fn change(
    name: &str,
    old: &Namespace,
    new: &Namespace,
    commands: &mut Vec<Document>,
    found: &mut Found,
) {
    let differ = |key: &str| old.options.get(key).map(plain) != new.options.get(key).map(plain);
    let mut keys: Vec<&String> = old.options.keys().chain(new.options.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| differ(key));
    if old.is_view() {
        if keys.is_empty() {
            return;
        }
        found.outline.push(('~', format!("view {name}")));
        if keys.iter().any(|key| *key == "collation") {
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
        let wanted = new.options.get(key.as_str());
        let value = match (key.as_str(), wanted) {
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
                    had.get(key).map(plain) == Some(plain(value))
                        || ["granularity", "bucketMaxSpanSeconds", "bucketRoundingSeconds"]
                            .contains(&key.as_str())
                });
                only.then(|| doc! { "granularity": wanted.get("granularity").cloned().unwrap_or(Bson::Null) })
                    .map(Bson::from)
            }
            ("capped", None | Some(Bson::Boolean(false))) => None,
            ("capped" | "size" | "max", _) => {
                capped(name, old, new, key, commands);
                continue;
            }
            _ => None,
        };
        match value {
            Some(value) => {
                modify.insert(key.as_str(), value);
            }
            None => found.stuck.push(format!(
                "the {key} of collection {name} cannot be changed: make a new collection and copy \
                 the documents"
            )),
        }
    }
    if !keys.is_empty() {
        found.outline.push(('~', format!("collection {name}: {}", list(&keys))));
    }
    if !modify.is_empty() {
        // A level or action without a validator is refused when it goes first.
        let mut command = doc! { "collMod": name };
        command.extend(modify);
        commands.push(command);
    }
    indexes(name, old, new, commands, found);
}

fn list(keys: &[&String]) -> String {
    keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", ")
}

fn capped(name: &str, old: &Namespace, new: &Namespace, key: &str, commands: &mut Vec<Document>) {
    let is = |of: &Namespace| of.options.get_bool("capped").unwrap_or(false);
    match (is(old), is(new), key) {
        (false, true, "capped") => {
            let size = new.options.get("size").cloned().unwrap_or(Bson::Int64(0));
            commands.push(doc! { "convertToCapped": name, "size": size });
            if let Some(max) = new.options.get("max") {
                commands.push(doc! { "collMod": name, "cappedMax": max.clone() });
            }
        }
        (true, true, "size") => {
            let size = new.options.get("size").cloned().unwrap_or(Bson::Int64(0));
            commands.push(doc! { "collMod": name, "cappedSize": size });
        }
        (true, true, "max") => {
            let max = new.options.get("max").cloned().unwrap_or(Bson::Int64(0));
            commands.push(doc! { "collMod": name, "cappedMax": max });
        }
        _ => {}
    }
}

fn indexes(
    name: &str,
    old: &Namespace,
    new: &Namespace,
    commands: &mut Vec<Document>,
    found: &mut Found,
) {
    let mut drops = Vec::new();
    let mut builds = Vec::new();
    for (index, spec) in &new.indexes {
        let build = doc! { "createIndexes": name, "indexes": [spec.clone()] };
        match old.indexes.get(index) {
            None => {
                found.outline.push(('+', format!("index {index} of {name}")));
                // One on the same keys would be in its way.
                let twin = old.indexes.iter().find(|(other, own)| {
                    !new.indexes.contains_key(*other) && own.get("key") == spec.get("key")
                });
                if let Some((twin, _)) = twin {
                    drops.push(doc! { "dropIndexes": name, "index": twin });
                }
                builds.push(build);
            }
            Some(own) if same(own, spec) => {}
            Some(own) => {
                found.outline.push(('~', format!("index {index} of {name}")));
                match in_place(name, index, own, spec) {
                    Some(mut steps) => commands.append(&mut steps),
                    None => {
                        drops.push(doc! { "dropIndexes": name, "index": index });
                        builds.push(build);
                    }
                }
            }
        }
    }
    commands.append(&mut drops);
    let gone = commands.clone();
    commands.append(&mut builds);
    for index in old.indexes.keys().filter(|index| !new.indexes.contains_key(*index)) {
        found.outline.push(('-', format!("index {index} of {name}")));
        let drop = doc! { "dropIndexes": name, "index": index };
        if !gone.contains(&drop) {
            commands.push(drop);
        }
    }
}

/// What collMod can change of an index without building it anew.
fn in_place(name: &str, index: &str, old: &Document, new: &Document) -> Option<Vec<Document>> {
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| old.get(key.as_str()).map(plain) != new.get(key.as_str()).map(plain));
    let mut all = Vec::new();
    for key in keys {
        match key.as_str() {
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
