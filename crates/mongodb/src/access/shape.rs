//! What a command asks of each collection it reads.

mod pushed;

pub use pushed::first_of_each;

use bson::{Bson, Document};
use marula_core::Version;

use super::pipeline::{needed, stage, stages};
pub use super::predicate::Kind;
use super::predicate::{Filter, Predicate};

/// Why a collection is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is the command's own collection.
    Main,
    /// `$lookup` from it, once per document that reaches the stage.
    Lookup,
    /// `$graphLookup` through it.
    GraphLookup,
    /// `$unionWith` it.
    Union,
    /// Its documents are updated or deleted.
    Write,
}

/// One way in which a command reads a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// The collection.
    pub collection: String,
    /// Why it is read.
    pub role: Role,
    /// What the server can look for in an index.
    pub filter: Filter,
    /// The order the documents are wanted in, where an index can give it.
    pub sort: Vec<(String, i32)>,
    /// `$limit` that stops the read early.
    pub limit: Option<i64>,
    /// Documents skipped.
    pub skip: Option<i64>,
    /// The fields that are used; `None` for whole documents.
    pub needed: Option<Vec<String>>,
    /// The paths documents are grouped by, or taken distinct values of, straight after the read.
    pub group: Vec<String>,
    /// Whether one document for each value of the one path in `group` is enough.
    pub distinct: bool,
}

impl Access {
    fn new(collection: &str, role: Role) -> Self {
        Access {
            collection: collection.to_string(),
            role,
            filter: Filter::default(),
            sort: Vec::new(),
            limit: None,
            skip: None,
            needed: None,
            group: Vec::new(),
            distinct: false,
        }
    }

    /// Predicates that must hold, of the kinds `wanted` takes.
    pub fn all(&self, wanted: impl Fn(&Kind) -> bool) -> impl Iterator<Item = &Predicate> {
        self.filter.all.iter().filter(move |predicate| wanted(&predicate.kind))
    }

    /// The paths of those predicates, each once, in the order written.
    pub fn paths(&self, wanted: impl Fn(&Kind) -> bool) -> Vec<String> {
        let mut paths: Vec<String> = Vec::new();
        for predicate in self.all(wanted) {
            if !paths.contains(&predicate.path) && !predicate.path.is_empty() {
                paths.push(predicate.path.clone());
            }
        }
        paths
    }
}

/// What a command asks of the collections it reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    /// One per way a collection is read; the command's own first.
    pub accesses: Vec<Access>,
    /// The collation of the command.
    pub collation: Option<Document>,
}

impl Shape {
    /// Reads a server command: `{aggregate: …, pipeline: […]}`, `{find: …}` and so on.
    pub fn of(command: &Document, version: Version) -> Self {
        let mut shape = Shape {
            accesses: Vec::new(),
            collation: command.get_document("collation").ok().cloned(),
        };
        let Some((operation, target)) = command.iter().next() else { return shape };
        let collection = target.as_str().unwrap_or_default();
        let read = |key: &str| command.get_document(key).ok().cloned().unwrap_or_default();
        let mut access = Access::new(collection, Role::Main);
        match operation.as_str() {
            "find" => {
                access.filter = usable(&read("filter"), version);
                access.sort = directions(&read("sort"));
                access.limit = number(command.get("limit")).filter(|limit| *limit > 0);
                access.skip = number(command.get("skip")).filter(|skip| *skip > 0);
                let projection = read("projection");
                if !projection.is_empty() {
                    let paths = needed(&[bson::doc! {"$project": projection}]);
                    access.needed = (!paths.all).then(|| paths.named.into_iter().collect());
                }
            }
            "count" => {
                access.filter = usable(&read("query"), version);
                access.needed = Some(Vec::new());
            }
            "distinct" => {
                access.filter = usable(&read("query"), version);
                access.group.extend(command.get_str("key").ok().map(Into::into));
                access.distinct = !access.group.is_empty();
                access.needed = Some(access.group.clone());
            }
            "findAndModify" | "findandmodify" => {
                access.role = Role::Write;
                access.filter = usable(&read("query"), version);
                access.sort = directions(&read("sort"));
                access.limit = Some(1);
            }
            "update" | "delete" => {
                let list = if operation == "update" { "updates" } else { "deletes" };
                for write in command.get_array(list).into_iter().flatten() {
                    let Some(write) = write.as_document() else { continue };
                    let mut access = Access::new(collection, Role::Write);
                    if let Ok(filter) = write.get_document("q") {
                        access.filter = usable(filter, version);
                    }
                    shape.accesses.push(access);
                }
                return shape;
            }
            "aggregate" => {
                let pipeline = command.get("pipeline").map(stages).unwrap_or_default();
                shape.pipeline(collection, &pipeline, Role::Main, Filter::default(), version, 0);
                return shape;
            }
            _ => return shape,
        }
        shape.accesses.push(access);
        shape
    }

    /// The command's own access.
    pub fn main(&self) -> Option<&Access> {
        self.accesses.first()
    }

    fn pipeline(
        &mut self,
        collection: &str,
        pipeline: &[Document],
        role: Role,
        joined: Filter,
        version: Version,
        depth: usize,
    ) {
        if depth > 20 {
            return;
        }
        let mut access = Access::new(collection, role);
        access.filter = joined;
        let paths = needed(pipeline);
        access.needed = (!paths.all).then(|| paths.named.into_iter().collect());
        pushed::pushed(pipeline, &mut access, version);
        self.accesses.push(access);
        for document in pipeline {
            self.inner(document, version, depth + 1);
        }
    }

    /// The collections a stage reads besides its own.
    fn inner(&mut self, document: &Document, version: Version, depth: usize) {
        let Some((name, value)) = stage(document) else { return };
        match (name, value) {
            ("$lookup", Bson::Document(lookup)) => {
                let mut joined = Filter::default();
                if let Ok(path) = lookup.get_str("foreignField") {
                    joined.all.push(Predicate {
                        path: path.into(),
                        kind: Kind::Equality,
                        filter: bson::doc! {path: {"$eq": null}},
                        element: false,
                        expression: false,
                    });
                }
                let pipeline = lookup.get("pipeline").map(stages).unwrap_or_default();
                if let Ok(from) = lookup.get_str("from") {
                    self.pipeline(from, &pipeline, Role::Lookup, joined, version, depth);
                }
            }
            ("$graphLookup", Bson::Document(lookup)) => {
                let Ok(from) = lookup.get_str("from") else { return };
                let mut access = Access::new(from, Role::GraphLookup);
                if let Ok(path) = lookup.get_str("connectToField") {
                    access.filter = Filter::parse(&bson::doc! {path: 1});
                }
                if let Ok(filter) = lookup.get_document("restrictSearchWithMatch") {
                    access.filter.and(usable(filter, version));
                }
                self.accesses.push(access);
            }
            ("$unionWith", Bson::String(from)) => {
                self.accesses.push(Access::new(from, Role::Union));
            }
            ("$unionWith", Bson::Document(union)) => {
                let pipeline = union.get("pipeline").map(stages).unwrap_or_default();
                if let Ok(from) = union.get_str("coll") {
                    self.pipeline(from, &pipeline, Role::Union, Filter::default(), version, depth);
                }
            }
            ("$facet", Bson::Document(branches)) => {
                for (_, branch) in branches {
                    for document in stages(branch) {
                        self.inner(&document, version, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }
}

/// What of a filter the planner can look for; `$expr` intervals only from 5.0 on.
fn usable(filter: &Document, version: Version) -> Filter {
    let mut parsed = Filter::parse(filter);
    if version < Version::new(5, 0, 0) {
        parsed.all.retain(|p| !(p.expression && p.kind == Kind::Range));
    }
    parsed
}

fn directions(keys: &Document) -> Vec<(String, i32)> {
    let direction = |value: &Bson| number(Some(value)).map(|n| if n < 0 { -1 } else { 1 });
    let read: Option<Vec<_>> =
        keys.iter().map(|(path, value)| Some((path.to_string(), direction(value)?))).collect();
    // {$meta: "textScore"} is an order no index of ours gives.
    read.unwrap_or_default()
}

/// A whole number in any of BSON's number types.
pub fn number(value: Option<&Bson>) -> Option<i64> {
    match value? {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        Bson::Double(number) if number.abs() < 9e15 => Some(*number as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
