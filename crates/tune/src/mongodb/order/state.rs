//! What is known of the documents between two stages of a pipeline.

use std::collections::BTreeSet;

use bson::{Bson, Document};
use marula_core::{Collection, CollectionKind, DocumentCatalog};
use marula_lab::compare::Comparison;

use super::depends::{kept_not, order_dependent, settle, tied_outputs, uses};
use super::{follow, follow_from, is_single};
use crate::mongodb::index::array_in;
use crate::mongodb::pipeline::{Effect, effect, is_constant, stage, stages, unwind_path};
use crate::mongodb::rewrites::is_random;
use crate::mongodb::view;

/// Pipelines within pipelines are followed this deep.
pub(super) const MAX_DEPTH: usize = 10;

/// What is known of the documents between two stages.
#[derive(Clone)]
pub(super) struct State<'a> {
    /// Whether their order is total.
    pub total: bool,
    /// Sets of paths that tell every document from all others.
    pub unique: Vec<BTreeSet<String>>,
    /// Fields whose value hangs on the order documents came in.
    pub unordered: BTreeSet<String>,
    /// Whether no stage has made other documents of them yet.
    stored: bool,
    collection: Option<&'a Collection>,
}

impl<'a> State<'a> {
    /// The documents of a collection, as they are read.
    pub fn new(collection: Option<&'a Collection>) -> Self {
        let unordered = BTreeSet::new();
        State { total: false, unique: unique(collection), unordered, stored: true, collection }
    }

    /// What is read of the collection or view of that name.
    pub fn of(name: &str, catalog: Option<&'a DocumentCatalog>) -> Self {
        let find = |name: &str| catalog.and_then(|catalog| catalog.find(name));
        let Some(below) = catalog.and_then(|catalog| view::below(name, catalog)) else {
            return State::new(find(name));
        };
        let mut state = State::new(find(&below.collection));
        for document in &below.stages {
            if state.step(document, 0).is_err() {
                state.unique.clear();
            }
        }
        state.total = false;
        state
    }

    /// Whether they are still the collection's documents, each with an `_id` of its own.
    pub fn is_stored(&self) -> bool {
        self.stored && self.unique.iter().any(|set| set.len() == 1 && set.contains("_id"))
    }

    /// Whether documents sorted by these keys can come in one order only.
    pub fn is_total(&self, sort: &Document) -> bool {
        self.unique.iter().any(|set| set.iter().all(|path| sort.contains_key(path)))
    }

    /// Whether there is no more than one document.
    pub fn at_most_one(&self) -> bool {
        self.unique.iter().any(BTreeSet::is_empty)
    }

    /// Goes through a stage; why what comes out cannot be compared, if it cannot.
    pub fn step(&mut self, document: &Document, depth: usize) -> Result<(), String> {
        let Some((name, value)) = stage(document) else { return Ok(()) };
        if name == "$sample" || is_random(value) {
            return Err(format!("{name} chooses at random"));
        }
        if !self.unordered.is_empty() {
            settle(document, self);
        }
        match (name, value) {
            ("$lookup", Bson::Document(lookup)) => {
                self.forget(&effect(document), document);
                if let (true, Ok(made)) =
                    (lookup_hangs_on_order(lookup, self.collection, depth), lookup.get_str("as"))
                {
                    self.unordered.insert(made.to_string());
                }
            }
            ("$sort", Bson::Document(keys)) => self.total = self.is_total(keys),
            ("$limit" | "$skip", _) if !self.total && !self.at_most_one() => {
                return Err(format!("{name} without a total order"));
            }
            ("$unwind" | "$unionWith" | "$densify", _) => self.spread(name, value, depth)?,
            ("$group" | "$bucket" | "$bucketAuto", Bson::Document(group)) => {
                self.group(name, group);
            }
            ("$setWindowFields", Bson::Document(window)) => {
                let tied = tied_outputs(window, self);
                self.forget(&effect(document), document);
                self.unordered.extend(tied);
                self.total = false;
            }
            ("$sortByCount", _) => {
                self.total = false;
                self.stored = false;
                self.unique = vec![BTreeSet::from(["_id".to_string()])];
            }
            ("$count", _) => {
                self.unique = vec![BTreeSet::new()];
                self.unordered.clear();
            }
            ("$unset", _) => {
                let effect = effect(document);
                self.unordered.retain(|field| !effect.writes.named.contains(field));
                self.forget(&effect, document);
            }
            ("$facet", Bson::Document(branches)) if depth < MAX_DEPTH => {
                for (name, branch) in branches {
                    self.branch(&stages(branch), depth + 1)
                        .map_err(|why| format!("branch '{name}' of $facet: {why}"))?;
                }
                self.unique = vec![BTreeSet::new()];
                self.total = false;
            }
            ("$addFields" | "$set", Bson::Document(fields)) => {
                self.forget(&effect(document), document);
                let stored = self.is_stored();
                // Documents that agree in all they hold cannot be told apart.
                let copies = fields.iter().filter(|(_, value)| match value {
                    Bson::String(text) => text == "$$ROOT",
                    Bson::Document(made) => {
                        let fields = made.keys().all(|key| !key.starts_with('$'));
                        stored && fields && made.values().any(|v| v.as_str() == Some("$_id"))
                    }
                    _ => false,
                });
                self.unique.extend(copies.map(|(path, _)| BTreeSet::from([path.to_string()])));
            }
            _ => self.forget(&effect(document), document),
        }
        Ok(())
    }

    /// What a stage overwrites tells no document from another any more.
    fn forget(&mut self, effect: &Effect, document: &Document) {
        self.unique.retain(|set| !set.iter().any(|path| kept_not(document, effect, path)));
    }

    /// A stage that makes several documents of one, or adds some.
    fn spread(&mut self, name: &str, value: &Bson, depth: usize) -> Result<(), String> {
        if let ("$unionWith", Bson::Document(union)) = (name, value)
            && let Some(Bson::Array(_)) = union.get("pipeline")
            && depth < MAX_DEPTH
            && let Comparison::Incomparable(why) = follow(&stages(&union["pipeline"]), depth + 1)
        {
            return Err(format!("in the pipeline of $unionWith: {why}"));
        }
        // Each element is a document now; only its number still tells the order.
        if name == "$unwind"
            && value.as_document().is_none_or(|d| !d.contains_key("includeArrayIndex"))
            && let Some(path) = unwind_path(value)
        {
            self.unordered.remove(path);
        }
        self.total = false;
        self.stored = false;
        self.unique.clear();
        Ok(())
    }

    fn group(&mut self, name: &str, group: &Document) {
        let fields = group.get_document("output").unwrap_or(group);
        let taken = fields
            .iter()
            .filter(|(_, value)| self.unordered.iter().any(|field| uses(value, field)));
        let taken: Vec<String> = taken.map(|(field, _)| field.to_string()).collect();
        self.unordered = order_dependent(group, self);
        self.unordered.extend(taken);
        self.total = false;
        self.stored = false;
        // A constant key makes one document, in any order.
        let constant = name == "$group" && group.get("_id").is_some_and(is_constant);
        self.unique = vec![match constant {
            true => BTreeSet::new(),
            false => BTreeSet::from(["_id".to_string()]),
        }];
    }

    /// The array of a branch compares only in order.
    fn branch(&self, branch: &[Document], depth: usize) -> Result<(), String> {
        match follow_from(self.clone(), branch, depth) {
            Comparison::Sequence => Ok(()),
            Comparison::Incomparable(why) => Err(why),
            Comparison::Multiset if is_single(branch) => Ok(()),
            Comparison::Multiset => Err("its documents have no total order".into()),
        }
    }
}

/// Whether the array a `$lookup` makes hangs on the order its collection is read in: it looks
/// for several values at once, or its pipeline has no total order.
fn lookup_hangs_on_order(lookup: &Document, collection: Option<&Collection>, depth: usize) -> bool {
    let schema = collection.and_then(|collection| collection.schema.as_ref());
    let several = lookup.get_str("localField").is_ok_and(|path| array_in(path, schema).is_some());
    let inner = lookup.get("pipeline").map(stages).unwrap_or_default();
    if depth >= MAX_DEPTH {
        return several;
    }
    match follow(&inner, depth + 1) {
        Comparison::Sequence => false,
        // Which index its pipeline reads decides the order of what it finds.
        Comparison::Multiset => several || !(inner.is_empty() || is_single(&inner)),
        Comparison::Incomparable(_) => true,
    }
}

/// The sets of paths no two documents share: `_id`, and unique indexes that leave none out.
fn unique(collection: Option<&Collection>) -> Vec<BTreeSet<String>> {
    // What a view makes, and measurements, may have any _id or none.
    let plain = collection.is_none_or(|collection| collection.kind == CollectionKind::Collection);
    if !plain {
        return Vec::new();
    }
    let mut found = vec![BTreeSet::from(["_id".to_string()])];
    let indexes = collection.into_iter().flat_map(|collection| &collection.indexes);
    for index in indexes.filter(|i| i.unique && !i.sparse && i.partial.is_none()) {
        found.push(index.keys.iter().map(|(path, _)| path.clone()).collect());
    }
    found
}
