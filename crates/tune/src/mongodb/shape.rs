//! What a command asks of each collection it reads.

use bson::{Bson, Document};
use marula_core::Version;

use super::pipeline::{
    Paths, effect, expression_paths, needed, overlap, stage, stages, unwind_path,
};
use super::predicate::{Filter, Kind, Predicate, field_path};

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
        pushed(pipeline, &mut access, version);
        self.accesses.push(access);
        for document in pipeline {
            self.inner(collection, document, version, depth + 1);
        }
    }

    /// The collections a stage reads besides its own.
    fn inner(&mut self, own: &str, document: &Document, version: Version, depth: usize) {
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
                        self.inner(own, &document, version, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Follows the pipeline as far as the server moves its stages into the read of the collection.
fn pushed(pipeline: &[Document], access: &mut Access, version: Version) {
    let mut written = Paths::default();
    // Whether a later $sort can still be read from an index, and a $limit still stops the read.
    let mut ordered = true;
    let mut limited = true;
    for document in pipeline {
        let Some((name, value)) = stage(document) else { return };
        match name {
            "$match" => {
                let filter = value.as_document().cloned().unwrap_or_default();
                limited &= access.limit.is_none();
                let mut moved = usable(&filter, version);
                moved.all.retain(|predicate| !written.touches(&predicate.path));
                moved.any.retain(|branches| {
                    branches.iter().flat_map(Filter::predicates).all(|p| !written.touches(&p.path))
                });
                access.filter.and(moved);
            }
            "$sort" => {
                let keys = value.as_document().map(directions).unwrap_or_default();
                if ordered
                    && access.sort.is_empty()
                    && !keys.iter().any(|(p, _)| written.touches(p))
                {
                    access.sort = keys;
                } else {
                    limited = false;
                }
                ordered = false;
            }
            "$skip" => {
                access.skip = number(Some(value)).filter(|_| limited);
                return;
            }
            "$limit" => {
                access.limit = number(Some(value)).filter(|_| limited);
                return;
            }
            "$group" => {
                let key = value.as_document().and_then(|group| group.get("_id"));
                access.group = group_paths(key, &written);
                return;
            }
            "$sortByCount" => {
                access.group = group_paths(Some(value), &written);
                return;
            }
            "$unwind" => {
                limited = false;
                ordered &= version >= Version::new(6, 0, 0);
                written.named.extend(unwind_path(value).map(Into::into));
            }
            "$lookup" | "$graphLookup" => {
                ordered &= version >= Version::new(5, 0, 0);
                written.extend(effect(document).writes);
            }
            "$addFields" | "$set" | "$unset" | "$project" => {
                let effect = effect(document);
                if effect.replaces {
                    // A match moves before the projection only on a path it lets through.
                    let kept = kept(value.as_document());
                    let outside = move |path: &str| !kept.iter().any(|kept| overlap(kept, path));
                    return after_projection(pipeline, document, access, version, &outside);
                }
                ordered = false;
                written.extend(effect.writes);
            }
            _ => return,
        }
    }
}

/// The matches that follow an inclusive `$project` directly.
fn after_projection(
    pipeline: &[Document],
    projection: &Document,
    access: &mut Access,
    version: Version,
    outside: &dyn Fn(&str) -> bool,
) {
    let rest = pipeline.iter().skip_while(|stage| *stage != projection).skip(1);
    for document in rest {
        let Some(("$match", Bson::Document(filter))) = stage(document) else { return };
        let mut moved = usable(filter, version);
        moved.all.retain(|predicate| !outside(&predicate.path));
        moved.any.clear();
        access.filter.and(moved);
    }
}

/// The paths a `$project` hands on as they are.
fn kept(fields: Option<&Document>) -> Vec<String> {
    let one = |value: &Bson| matches!(value, Bson::Boolean(true)) || number(Some(value)) == Some(1);
    let fields = fields.into_iter().flatten();
    fields.filter(|(_, value)| one(value)).map(|(path, _)| path.to_string()).collect()
}

/// What of a filter the planner can look for; `$expr` intervals only from 5.0 on.
fn usable(filter: &Document, version: Version) -> Filter {
    let mut parsed = Filter::parse(filter);
    if version < Version::new(5, 0, 0) {
        parsed.all.retain(|p| !(p.expression && p.kind == Kind::Range));
    }
    parsed
}

fn group_paths(key: Option<&Bson>, written: &Paths) -> Vec<String> {
    let Some(key) = key else { return Vec::new() };
    let direct: Vec<String> = match key {
        Bson::String(_) => field_path(key).map(Into::into).into_iter().collect(),
        Bson::Document(parts) => parts.values().filter_map(field_path).map(Into::into).collect(),
        _ => Vec::new(),
    };
    let paths = expression_paths(key);
    match direct.len() == paths.named.len() && !direct.iter().any(|path| written.touches(path)) {
        true => direct,
        false => Vec::new(),
    }
}

fn directions(keys: &Document) -> Vec<(String, i32)> {
    let direction = |value: &Bson| number(Some(value)).map(|n| if n < 0 { -1 } else { 1 });
    let read: Option<Vec<_>> =
        keys.iter().map(|(path, value)| Some((path.to_string(), direction(value)?))).collect();
    // {$meta: "textScore"} is an order no index of ours gives.
    read.unwrap_or_default()
}

/// A whole number in any of BSON's number types.
pub(super) fn number(value: Option<&Bson>) -> Option<i64> {
    match value? {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        Bson::Double(number) if number.abs() < 9e15 => Some(*number as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    const SIX: Version = Version::new(6, 0, 27);

    fn equality(kind: &Kind) -> bool {
        *kind == Kind::Equality
    }

    #[test]
    fn a_find_is_its_filter_order_limit_and_fields() {
        let shape = Shape::of(
            &doc! {"find": "orders", "filter": {"status": "paid", "at": {"$gt": 1}},
            "sort": {"total": -1}, "limit": 20, "projection": {"_id": 0, "total": 1}},
            SIX,
        );
        let main = &shape.accesses[0];
        assert_eq!(main.paths(equality), ["status"]);
        assert_eq!(main.paths(|kind| *kind == Kind::Range), ["at"]);
        assert_eq!(main.sort, [("total".to_string(), -1)]);
        assert_eq!(main.limit, Some(20));
        assert_eq!(main.needed.as_deref(), Some(&["total".to_string()][..]));
    }

    #[test]
    fn matches_behind_stages_that_do_not_write_the_path_are_part_of_the_read() {
        let command = doc! {"aggregate": "orders", "pipeline": [
            {"$match": {"status": "paid"}},
            {"$addFields": {"net": {"$subtract": ["$total", "$tax"]}}},
            {"$unwind": "$items"},
            {"$match": {"city": "Oslo", "net": {"$gt": 10}, "items.sku": "x"}},
            {"$lookup": {"from": "products", "localField": "items.sku", "foreignField": "sku",
                         "as": "product", "pipeline": [{"$match": {"active": true}}]}},
            {"$group": {"_id": "$city", "n": {"$sum": 1}}},
        ]};
        let shape = Shape::of(&command, SIX);
        assert_eq!(shape.accesses[0].paths(equality), ["status", "city"]);
        assert_eq!(shape.accesses[0].group, ["city"]);
        assert_eq!(shape.accesses[1].role, Role::Lookup);
        assert_eq!(shape.accesses[1].collection, "products");
        assert_eq!(shape.accesses[1].paths(equality), ["sku", "active"]);
    }

    #[test]
    fn a_sort_behind_a_computed_field_is_not_read_from_an_index() {
        let command = doc! {"aggregate": "orders", "pipeline": [
        {"$addFields": {"x": 1}}, {"$sort": {"at": -1}}, {"$limit": 5}]};
        let shape = Shape::of(&command, SIX);
        assert!(shape.accesses[0].sort.is_empty());
        assert_eq!(shape.accesses[0].limit, None);
    }

    #[test]
    fn a_write_is_read_by_its_filters() {
        let command = doc! {"update": "c", "updates": [{"q": {"a": 1}, "u": {"$set": {"b": 2}}}]};
        let shape = Shape::of(&command, SIX);
        assert_eq!(shape.accesses[0].role, Role::Write);
        assert_eq!(shape.accesses[0].paths(equality), ["a"]);
    }
}
