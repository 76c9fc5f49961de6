//! The same question with nothing left open: ties are broken, sets are sorted, so that two right
//! answers are the same answer.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};
use marula_core::{DocumentCatalog, Version};
use marula_lab::compare::Comparison;
use marula_lab::prove::Decided;
use marula_mongodb::{Operation, shell};

use super::depends::{in_order, tied_outputs};
use super::state::{MAX_DEPTH, State};
use super::{comparison, is_single};
use crate::mongodb::pipeline::{stage, stages};

/// The field that holds a document's copy while documents are sorted by all they hold.
const WHOLE: &str = "__marula_whole";

/// The field that holds a sort's one key together with the `_id`.
const ORDER: &str = "__marula_order";

/// What decides between stored documents.
const BY_ID: &str = "ties broken by _id";

/// `text`, a command, with nothing left open; `None` where that cannot be said.
pub(in crate::mongodb) fn decided(
    text: &str,
    catalog: Option<&DocumentCatalog>,
    version: Version,
) -> Option<Decided> {
    let mut command = shell::parse(text).ok()?;
    if !matches!(comparison(&command.to_command(), catalog), Comparison::Incomparable(_)) {
        return None;
    }
    let start = State::of(&command.collection, catalog);
    let mut decider = Decider { version, by: BTreeSet::new() };
    match &mut command.operation {
        Operation::Find(find) => {
            let mut sort = find.sort.take().unwrap_or_default();
            if !start.is_stored() || sort.contains_key("$natural") {
                return None;
            }
            if !start.is_total(&sort) {
                decider.ties(&mut sort);
            }
            find.sort = Some(sort);
            if std::mem::take(&mut find.one) {
                find.limit = Some(1);
            }
        }
        Operation::Aggregate(aggregate) => {
            aggregate.pipeline = decider.pipeline(&aggregate.pipeline, start, false, 0);
        }
        _ => return None,
    }
    let by = decider.by.into_iter().collect::<Vec<_>>().join(" and ");
    let comparison = comparison(&command.to_command(), catalog);
    let open = matches!(comparison, Comparison::Incomparable(_));
    (!open && !by.is_empty()).then(|| Decided { text: command.to_shell(), comparison, by })
}

struct Decider {
    version: Version,
    /// What decides, as words.
    by: BTreeSet<&'static str>,
}

impl Decider {
    /// Breaks the ties of a sort over stored documents.
    fn ties(&mut self, sort: &mut Document) {
        self.by.insert(BY_ID);
        sort.insert("_id", 1);
    }

    /// The stages, over documents of which `state` tells; `array` where what comes out is put
    /// into an array, whose order counts.
    fn pipeline(
        &mut self,
        pipeline: &[Document],
        mut state: State,
        array: bool,
        depth: usize,
    ) -> Vec<Document> {
        let mut made: Vec<Document> = Vec::new();
        for (number, document) in pipeline.iter().enumerate() {
            let mut document = self.inner(document, &state, depth);
            let rest = pipeline.get(number + 1..).unwrap_or_default();
            match stage(&document) {
                // An order nobody cuts or counts on is compared as it comes.
                Some(("$sort", Bson::Document(keys))) if !state.is_total(keys) && matters(rest) => {
                    self.sort(keys.clone(), &mut state, &mut made);
                    continue;
                }
                Some(("$limit" | "$skip", _)) if !state.total && !state.at_most_one() => {
                    self.sort(Document::new(), &mut state, &mut made);
                }
                Some(("$group" | "$bucket" | "$bucketAuto", Bson::Document(group)))
                    if !state.total && takes_in_order(group) =>
                {
                    self.sort(Document::new(), &mut state, &mut made);
                }
                Some(("$setWindowFields", Bson::Document(window)))
                    if state.is_stored() && !tied_outputs(window, &state).is_empty() =>
                {
                    let mut window = window.clone();
                    if let Ok(sort) = window.get_document_mut("sortBy") {
                        if let Some(order) = one_key(sort) {
                            // $documentNumber takes no more than one key.
                            let set = doc! {"$set": {ORDER: order}};
                            let _ = state.step(&set, depth);
                            made.push(set);
                        }
                        if !sort.contains_key(ORDER) {
                            self.ties(sort);
                        }
                        self.by.insert(BY_ID);
                        document = doc! {"$setWindowFields": window};
                    }
                }
                _ => {}
            }
            // What cannot be followed further is left as it stands; the comparison will say so.
            let _ = state.step(&document, depth);
            let sets = sets(&document);
            let ordered = document
                .get_document("$setWindowFields")
                .and_then(|window| window.get_document("sortBy"))
                .is_ok_and(|sort| sort.contains_key(ORDER));
            made.push(document);
            if ordered {
                made.push(doc! {"$unset": ORDER});
            }
            if !sets.is_empty() && self.version >= Version::new(5, 2, 0) {
                self.by.insert("sets in order");
                let sorted = |field: &String| {
                    let input = format!("${field}");
                    (field.clone(), Bson::from(doc! {"$sortArray": {"input": input, "sortBy": 1}}))
                };
                made.push(doc! {"$set": sets.iter().map(sorted).collect::<Document>()});
            }
        }
        if array && !state.total && !is_single(pipeline) && !state.at_most_one() {
            self.sort(Document::new(), &mut state, &mut made);
        }
        made
    }

    /// Adds a sort by `keys` that has no ties.
    fn sort(&mut self, mut keys: Document, state: &mut State, made: &mut Vec<Document>) {
        if state.is_stored() {
            self.ties(&mut keys);
            made.push(doc! {"$sort": keys});
        } else {
            // Documents that are equal in all they hold may stand either way round.
            self.by.insert("ties broken by the whole documents");
            keys.insert(WHOLE, 1);
            made.push(doc! {"$set": {WHOLE: "$$ROOT"}});
            made.push(doc! {"$sort": keys});
            made.push(doc! {"$unset": WHOLE});
        }
        state.total = true;
    }

    /// A stage with the pipelines inside it decided.
    fn inner(&mut self, document: &Document, state: &State, depth: usize) -> Document {
        let (Some((name, Bson::Document(given))), true) = (stage(document), depth < MAX_DEPTH)
        else {
            return document.clone();
        };
        let mut given = given.clone();
        match name {
            "$lookup" | "$unionWith" => {
                let inner = given.get("pipeline").map(stages);
                let array = name == "$lookup";
                let joined = array && given.contains_key("localField");
                // Both at once from 5.0 on; before, nothing orders what several keys find.
                if let Some(inner) = inner.or((joined && self.version.major >= 5).then(Vec::new)) {
                    let decided = self.pipeline(&inner, State::new(None), array, depth + 1);
                    given.insert("pipeline", decided);
                }
            }
            "$facet" => {
                for (_, branch) in given.iter_mut() {
                    let decided = self.pipeline(&stages(branch), state.clone(), true, depth + 1);
                    *branch = Bson::from(decided);
                }
            }
            _ => return document.clone(),
        }
        doc! {name: given}
    }
}

/// Puts [`ORDER`] in place of a sort's only key; gives what that field is to hold.
fn one_key(sort: &mut Document) -> Option<Document> {
    let (path, direction) = sort.iter().next().filter(|_| sort.len() == 1)?;
    let key = doc! {"$ifNull": [format!("${path}"), Bson::Null]};
    let direction = direction.clone();
    *sort = doc! {ORDER: direction};
    Some(doc! {"key": key, "id": "$_id"})
}

/// Whether a later stage makes something of the order.
fn matters(rest: &[Document]) -> bool {
    rest.iter().any(|document| match stage(document) {
        Some(("$limit" | "$skip" | "$facet", _)) => true,
        Some(("$group" | "$bucket" | "$bucketAuto", Bson::Document(group))) => {
            takes_in_order(group)
        }
        _ => false,
    })
}

fn takes_in_order(group: &Document) -> bool {
    accumulators(group).any(|(_, operator)| in_order(operator))
}

/// The fields that `$addToSet` makes.
fn sets(document: &Document) -> Vec<String> {
    match stage(document) {
        Some(("$group" | "$bucket" | "$bucketAuto", Bson::Document(group))) => accumulators(group)
            .filter(|(_, operator)| *operator == "$addToSet")
            .map(|(field, _)| field.to_string())
            .collect(),
        _ => Vec::new(),
    }
}

fn accumulators(group: &Document) -> impl Iterator<Item = (&str, &str)> {
    let fields = group.get_document("output").unwrap_or(group);
    fields.iter().filter_map(|(field, value)| {
        Some((field.as_str(), value.as_document()?.keys().next()?.as_str()))
    })
}
