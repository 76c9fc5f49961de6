//! What is asked of a view, as a pipeline on the collection below it: the view's own stages
//! come first. Indexes can only be made there.

use bson::{Bson, Document, doc};
use marula_core::{Collection, CollectionKind, DocumentCatalog, Json};

use super::pipeline::stages;

/// Views of views are followed this far; the server's own limit is 20.
const MAX_VIEWS: usize = 20;

/// A command on a view, as the pipeline that runs below it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Below {
    /// The collection the view reads in the end.
    pub collection: String,
    /// The view's own stages.
    pub stages: Vec<Document>,
}

/// What is below the collection of that name; nothing when it is no view.
pub(super) fn below(name: &str, catalog: &DocumentCatalog) -> Option<Below> {
    let mut found = Below { collection: name.to_string(), stages: Vec::new() };
    for _ in 0..MAX_VIEWS {
        let Some(view) = view(catalog.find(&found.collection)) else { break };
        found.collection = view.get("viewOn")?.as_str()?.to_string();
        let own = view.get("pipeline").cloned().unwrap_or(Json::Array(Vec::new()));
        let mut stages = stages(&Bson::try_from(own).ok()?);
        stages.append(&mut found.stages);
        found.stages = stages;
    }
    (found.collection != name).then_some(found)
}

/// The collections that the catalogue's views read and that it does not hold yet.
pub(super) fn missing(catalog: &DocumentCatalog) -> Vec<String> {
    let mut wanted: Vec<String> = Vec::new();
    for view in catalog.collections.iter().filter_map(|collection| view(Some(collection))) {
        let Some(on) = view.get("viewOn").and_then(Json::as_str) else { continue };
        let own = view.get("pipeline").cloned().and_then(|own| Bson::try_from(own).ok());
        let pipeline = own.map(|own| stages(&own)).unwrap_or_default();
        let below = marula_mongodb::Aggregate { pipeline, ..Default::default() };
        let below = marula_mongodb::Command::new(on, marula_mongodb::Operation::Aggregate(below));
        wanted.extend(below.collections());
    }
    wanted.sort();
    wanted.dedup();
    wanted.retain(|name| catalog.find(name).is_none());
    wanted
}

fn view(collection: Option<&Collection>) -> Option<&Json> {
    collection
        .filter(|collection| collection.kind == CollectionKind::View)
        .map(|view| &view.options)
}

impl Below {
    /// `command` as a pipeline on the collection.
    pub fn command(&self, command: &Document) -> Document {
        let mut pipeline = self.stages.clone();
        pipeline.extend(asked(command));
        let mut below = doc! {"aggregate": self.collection.as_str(), "pipeline": pipeline};
        if let Some(collation) = command.get("collation") {
            below.insert("collation", collation.clone());
        }
        below
    }
}

/// The stages a command comes to.
fn asked(command: &Document) -> Vec<Document> {
    let mut found = Vec::new();
    let mut stage = |name: &str, key: &str| {
        let given = command.get(key).filter(|given| match given {
            Bson::Document(given) => !given.is_empty(),
            Bson::Int32(0) | Bson::Int64(0) => false,
            _ => true,
        });
        found.extend(given.map(|given| doc! {name: given.clone()}));
    };
    match command.keys().next().map(|key| key.as_str()) {
        Some("aggregate") => return command.get("pipeline").map(stages).unwrap_or_default(),
        Some("find") => {
            for (name, key) in [
                ("$match", "filter"),
                ("$sort", "sort"),
                ("$skip", "skip"),
                ("$limit", "limit"),
                ("$project", "projection"),
            ] {
                stage(name, key);
            }
        }
        Some("count") => {
            stage("$match", "query");
            found.push(doc! {"$count": "n"});
        }
        Some("distinct") => {
            stage("$match", "query");
            if let Ok(key) = command.get_str("key") {
                found.push(doc! {"$group": {"_id": format!("${key}")}});
            }
        }
        _ => {}
    }
    found
}
