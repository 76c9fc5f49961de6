//! The same question asked another way. One file per rewrite: it either gives a new pipeline
//! with what was checked, or says why it does not.

mod command;
mod date_range;
mod early_sort;
mod elements_in_place;
mod facet_hoist;
mod group_before_lookup;
mod group_order;
mod least_first;
mod match_before_root;
mod match_before_unwind;
mod match_before_window;
mod plain_in;
mod sort_by_group;
mod unused_lookup;

use bson::{Bson, Document};
use marula_core::{InferredSchema, Version};

use super::index::profile;
use super::pipeline::expression_paths;

/// A pipeline written another way.
#[derive(Debug, Clone, PartialEq)]
pub struct Rewrite {
    /// Which rewrites it is made of.
    pub ids: Vec<&'static str>,
    /// What it does, in one line.
    pub title: String,
    /// The new stages.
    pub pipeline: Vec<Document>,
    /// What was checked so that the results are the same.
    pub conditions: Vec<String>,
}

/// What a rewrite may look at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What the collection's documents look like, when they were sampled.
    pub schema: Option<&'a InferredSchema>,
    /// Sets of paths that tell every document from all others: `_id`, and unique indexes over all
    /// documents.
    pub unique: &'a [Vec<String>],
    /// The server's version: what it already does itself is not done again.
    pub version: Version,
}

/// A rewrite's answer: nothing to rewrite (`None`), or why it is not safe.
pub type Answer = Result<Rewrite, Option<String>>;

type Rule = fn(&[Document], Facts) -> Answer;

/// Every rewrite, in the order in which they are best made.
const ALL: [(&str, Rule); 14] = [
    (unused_lookup::ID, unused_lookup::rewrite),
    (group_before_lookup::ID, group_before_lookup::rewrite),
    (match_before_unwind::ID, match_before_unwind::rewrite),
    (match_before_window::ID, match_before_window::rewrite),
    (facet_hoist::ID, facet_hoist::rewrite),
    (sort_by_group::ID, sort_by_group::rewrite),
    (match_before_root::ID, match_before_root::rewrite),
    (plain_in::ID, plain_in::rewrite),
    (date_range::ID, date_range::rewrite),
    (early_sort::ID, early_sort::rewrite),
    (group_order::LAST, group_order::last_as_first),
    (group_order::UNSORTED, group_order::unsorted),
    (least_first::ID, least_first::rewrite),
    (elements_in_place::ID, elements_in_place::rewrite),
];

/// The rewrites that no rule of its own proposes, with what each does about.
pub const ORDER_OF_STAGES: [(&str, &str); 9] = [
    (
        match_before_root::ID,
        "the $match stands behind the $replaceRoot: asked before it, by the paths as they are \
         called there, an index can be used",
    ),
    (
        group_before_lookup::ID,
        "each document is looked up for, and all of a group find the same: grouped first, there is \
         one $lookup for each group",
    ),
    (plain_in::ID, "$expr with $in reads every document: asked plainly, an index can be used"),
    (
        date_range::ID,
        "a part of the date is computed for every document: the interval it stands for can be \
         looked for in an index",
    ),
    (
        early_sort::ID,
        "the $sort stands behind stages that only add or rename fields: before them it can be \
         read from an index, and a $limit stops the read",
    ),
    (
        group_order::LAST,
        "$last has to go through every document of its group: the first in the opposite order is \
         the same document, and can be jumped to",
    ),
    (
        group_order::UNSORTED,
        "the $group needs no order, so the $sort before it is work for nothing",
    ),
    (
        least_first::ID,
        "one least or greatest value is wanted, and every document is read for it: it is the first \
         in its order",
    ),
    (
        elements_in_place::ID,
        "the elements are taken apart and put together again: they can be summed where they stand",
    ),
];

pub use command::of_command;

/// What can be rewritten, and what was declined and why.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rewrites {
    /// Each rewrite alone.
    pub single: Vec<Rewrite>,
    /// All that apply, one after the other, when there are several.
    pub combined: Option<Rewrite>,
    /// The rewrites that were declined, and why.
    pub declined: Vec<(&'static str, String)>,
}

impl Rewrites {
    /// Tries every rewrite on `pipeline`.
    pub fn of(pipeline: &[Document], facts: Facts) -> Self {
        let mut found = Rewrites::default();
        let mut all = Rewrite {
            ids: Vec::new(),
            title: String::new(),
            pipeline: pipeline.to_vec(),
            conditions: Vec::new(),
        };
        for (id, rewrite) in ALL {
            match rewrite(pipeline, facts) {
                Ok(one) => found.single.push(one),
                Err(Some(reason)) => found.declined.push((id, reason)),
                Err(None) => {}
            }
            if let Ok(one) = rewrite(&all.pipeline, facts) {
                all.ids.extend(one.ids);
                all.pipeline = one.pipeline;
                for condition in one.conditions {
                    if !all.conditions.contains(&condition) {
                        all.conditions.push(condition);
                    }
                }
                let separator = if all.title.is_empty() { "" } else { "; " };
                all.title = format!("{}{separator}{}", all.title, one.title);
            }
        }
        if all.ids.len() > 1 {
            found.combined = Some(all);
        }
        found
    }

    /// The rewrites of which `id` is a part, the combined one last.
    pub fn with<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Rewrite> {
        self.single.iter().chain(&self.combined).filter(move |rewrite| rewrite.ids.contains(&id))
    }

    /// Why `id` was declined, if it was.
    pub fn reason(&self, id: &str) -> Option<&str> {
        self.declined.iter().find(|(declined, _)| *declined == id).map(|(_, why)| why.as_str())
    }
}

/// More conditions than this are not compared with each other.
const MAX_CONDITIONS: usize = 1000;

/// The conditions of a filter that must all hold, each as a document of its own.
fn conjuncts(filter: &Document) -> Vec<Document> {
    let mut found = Vec::new();
    for (key, value) in filter {
        match (key.as_str(), value) {
            ("$and", Bson::Array(parts)) => {
                found.extend(parts.iter().filter_map(Bson::as_document).flat_map(conjuncts));
            }
            ("$comment", _) => {}
            _ => found.push(bson::doc! {key.to_string(): value.clone()}),
        }
    }
    found
}

/// One filter from many conditions.
fn conjunction(parts: Vec<Document>) -> Document {
    let mut all = Document::new();
    let mut seen = std::collections::HashSet::new();
    let distinct =
        parts.iter().flat_map(Document::keys).all(|key| !key.starts_with('$') && seen.insert(key));
    if distinct {
        for part in parts {
            all.extend(part);
        }
        return all;
    }
    match parts.len() {
        1 => parts.into_iter().next().unwrap_or_default(),
        _ => bson::doc! {"$and": parts},
    }
}

/// Whether what an expression reads holds numbers of one kind only: of 1 and 1.0, which are equal,
/// a group gives the one it saw first. Why not, if it does not.
fn one_kind(expression: Option<&Bson>, schema: Option<&InferredSchema>) -> Result<(), String> {
    let Some(expression) = expression else { return Ok(()) };
    let paths = expression_paths(expression);
    if paths.all {
        return Err("the whole document is taken".into());
    }
    for path in &paths.named {
        if path == "_id" {
            continue;
        }
        let Some(field) = profile(path, schema) else {
            return Err(format!("what '{path}' holds could not be sampled"));
        };
        let numbers = ["int", "long", "double", "decimal"];
        let kinds = field.types.keys().filter(|kind| numbers.contains(&kind.as_str())).count();
        // Elements and fields inside may be of any kind.
        if kinds > 1 || field.types.keys().any(|kind| matches!(kind.as_str(), "array" | "object")) {
            return Err(format!("'{path}' holds values of several kinds that may be equal"));
        }
    }
    Ok(())
}

/// Whether a value holds an operator whose answer changes from run to run.
pub(super) fn is_random(value: &Bson) -> bool {
    let mut open = vec![value];
    while let Some(part) = open.pop() {
        match part {
            Bson::Document(document) => {
                if document
                    .keys()
                    .any(|key| matches!(key.as_str(), "$rand" | "$sampleRate" | "$where"))
                {
                    return true;
                }
                open.extend(document.values());
            }
            Bson::Array(parts) => open.extend(parts),
            _ => {}
        }
    }
    false
}
