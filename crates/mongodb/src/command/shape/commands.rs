//! The text of each command: mongosh's own where it has a method for it.

use bson::{Bson, Document};

use super::write::{Mode, Writer};
use super::{of_the_session, truthy};

/// Writes the command and gives the server's name for it.
pub(super) fn write(
    out: &mut Writer,
    collection: &str,
    operation: &str,
    command: &Document,
) -> String {
    if let Some(name) = statement(out, collection, operation, command) {
        return name.to_owned();
    }
    let Some((name, target)) = command.iter().next() else {
        out.collection(collection);
        out.push(&format!(".{operation}()"));
        return operation.to_owned();
    };
    // What is done to a view is logged under the view's name; the command's own is the surer one.
    let collection = match target {
        Bson::String(target) if !target.is_empty() => target.as_str(),
        _ => collection,
    };
    let known = match name.to_ascii_lowercase().as_str() {
        "find" => {
            out.collection(collection);
            find(out, command);
            "find"
        }
        "aggregate" => {
            out.collection(collection);
            out.push(".aggregate(");
            out.value(command.get("pipeline").unwrap_or(&Bson::Null), Mode::Pipeline);
            out.option("collation", command.get("collation"), Mode::Keep, false);
            out.push(")");
            "aggregate"
        }
        "count" => {
            out.collection(collection);
            out.push(".count(");
            filter(out, command.get("query"));
            out.push(")");
            limits(out, command);
            "count"
        }
        "distinct" => {
            out.collection(collection);
            out.push(".distinct(");
            out.value(command.get("key").unwrap_or(&Bson::Null), Mode::Keep);
            if let Some(query) = given(command.get("query")) {
                out.push(", ");
                out.value(query, Mode::Filter);
            }
            out.push(")");
            "distinct"
        }
        "findandmodify" => {
            out.collection(collection);
            find_and_modify(out, command);
            "findAndModify"
        }
        "insert" => {
            out.collection(collection);
            out.push(".insert(?)");
            "insert"
        }
        "update" => batch(out, collection, "update", command.get("updates")),
        "delete" => batch(out, collection, "delete", command.get("deletes")),
        "bulkwrite" => {
            out.push("db.bulkWrite(?)");
            "bulkWrite"
        }
        "createindexes" | "dropindexes" | "collmod" | "create" => {
            definition(out, command);
            name
        }
        _ => {
            // Other commands are known by their name, and by the collection they are on.
            out.push("db.runCommand({");
            out.key(name);
            out.push(": ");
            out.value(
                target,
                if matches!(target, Bson::String(_)) { Mode::Keep } else { Mode::Expression },
            );
            out.push("})");
            name
        }
    };
    known.to_owned()
}

/// One statement of a batched write.
fn statement(
    out: &mut Writer,
    collection: &str,
    operation: &str,
    command: &Document,
) -> Option<&'static str> {
    let query = command.get("q").or_else(|| match operation {
        // A statement of the bulkWrite command: `{update: 0, filter, updateMods}`.
        "bulkWrite" => command.get("filter"),
        _ => None,
    });
    let updates = command.contains_key("u") || command.contains_key("updateMods");
    if query.is_none() && !updates {
        return None;
    }
    let deletes = !updates
        && (matches!(operation, "remove" | "delete")
            || command.contains_key("limit")
            || command.contains_key("delete"));
    out.collection(collection);
    let many = yes(command.get("multi"));
    if deletes {
        // `limit: 0` is all of them; the bulkWrite command says `multi`.
        let many = many || command.get("limit").is_some_and(|limit| !truthy(limit));
        out.push(if many { ".deleteMany(" } else { ".deleteOne(" });
        filter(out, query);
        out.option("collation", command.get("collation"), Mode::Keep, false);
        out.push(")");
        return Some("delete");
    }
    let update = command.get("u").or_else(|| command.get("updateMods"));
    out.push(match update {
        _ if many => ".updateMany(",
        Some(update) if replaces(update) => ".replaceOne(",
        _ => ".updateOne(",
    });
    filter(out, query);
    out.push(", ");
    out.value(update.unwrap_or(&Bson::Null), Mode::Update);
    let options =
        out.option("upsert", command.get("upsert").filter(|on| truthy(on)), Mode::Keep, false);
    out.option("collation", command.get("collation"), Mode::Keep, options);
    out.push(")");
    Some("update")
}

/// A batch: its one statement, or all shapes in it; a log leaves the statements out.
fn batch(
    out: &mut Writer,
    collection: &str,
    operation: &'static str,
    statements: Option<&Bson>,
) -> &'static str {
    let statements = statements.and_then(Bson::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut shapes: Vec<String> = Vec::new();
    for one in statements.iter().filter_map(Bson::as_document) {
        let mut inner = Writer::default();
        statement(&mut inner, collection, operation, one);
        if !shapes.contains(&inner.out) {
            shapes.push(inner.out);
        }
    }
    if shapes.is_empty() {
        out.push("db.runCommand({");
        out.push(operation);
        out.push(": ");
        out.quoted(collection);
        out.push(if operation == "update" { ", updates: [?]})" } else { ", deletes: [?]})" });
    }
    out.push(&shapes.join("; "));
    operation
}

fn find(out: &mut Writer, command: &Document) {
    out.push(".find(");
    filter(out, command.get("filter"));
    if let Some(projection) = given(command.get("projection")) {
        out.push(", ");
        out.value(projection, Mode::Project);
    }
    out.push(")");
    if let Some(sort) = given(command.get("sort")) {
        out.push(".sort(");
        out.value(sort, Mode::Keep);
        out.push(")");
    }
    limits(out, command);
    if let Some(collation) = given(command.get("collation")) {
        out.push(".collation(");
        out.value(collation, Mode::Keep);
        out.push(")");
    }
}

fn limits(out: &mut Writer, command: &Document) {
    for name in ["skip", "limit"] {
        if command.get(name).is_some_and(truthy) {
            out.push(&format!(".{name}(?)"));
        }
    }
}

fn find_and_modify(out: &mut Writer, command: &Document) {
    let update = command.get("update");
    let removes = yes(command.get("remove"));
    out.push(match update {
        _ if removes => ".findOneAndDelete(",
        Some(update) if replaces(update) => ".findOneAndReplace(",
        _ => ".findOneAndUpdate(",
    });
    filter(out, command.get("query"));
    if let Some(update) = update.filter(|_| !removes) {
        out.push(", ");
        out.value(update, Mode::Update);
    }
    let mut open = out.option("sort", given(command.get("sort")), Mode::Keep, false);
    open |= out.option("projection", given(command.get("fields")), Mode::Project, open);
    open |= out.option("upsert", command.get("upsert").filter(|on| truthy(on)), Mode::Keep, open);
    out.option("collation", command.get("collation"), Mode::Keep, open);
    out.push(")");
}

/// Definitions have no literals to abstract from.
fn definition(out: &mut Writer, command: &Document) {
    out.push("db.runCommand({");
    let fields = command.iter().filter(|(name, _)| !of_the_session(name));
    for (place, (name, value)) in fields.enumerate() {
        out.push(if place == 0 { "" } else { ", " });
        out.key(name);
        out.push(": ");
        out.value(value, Mode::Keep);
    }
    out.push("})");
}

fn filter(out: &mut Writer, filter: Option<&Bson>) {
    match filter {
        Some(filter) => out.value(filter, Mode::Filter),
        None => out.push("{}"),
    }
}

/// What is there and not an empty document.
fn given(value: Option<&Bson>) -> Option<&Bson> {
    value.filter(|value| match value {
        Bson::Document(inner) => !inner.is_empty(),
        Bson::Null => false,
        _ => true,
    })
}

/// A whole new document, rather than operators or a pipeline.
fn replaces(update: &Bson) -> bool {
    match update {
        Bson::Document(update) => update.keys().next().is_none_or(|key| !key.starts_with('$')),
        _ => false,
    }
}

fn yes(value: Option<&Bson>) -> bool {
    value.is_some_and(truthy)
}
