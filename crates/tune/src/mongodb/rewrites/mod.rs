//! The same question asked another way. One file per rewrite: it either gives a new pipeline
//! with what was checked, or says why it does not.

mod facet_hoist;
mod match_before_unwind;
mod match_before_window;
mod sort_by_group;
mod unused_lookup;

use bson::{Bson, Document};
use marula_core::{InferredSchema, Version};

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
    /// The server's version: what it already does itself is not done again.
    pub version: Version,
}

/// A rewrite's answer: nothing to rewrite (`None`), or why it is not safe.
pub type Answer = Result<Rewrite, Option<String>>;

type Rule = fn(&[Document], Facts) -> Answer;

/// Every rewrite, in the order in which they are best made.
const ALL: [(&str, Rule); 5] = [
    (unused_lookup::ID, unused_lookup::rewrite),
    (match_before_unwind::ID, match_before_unwind::rewrite),
    (match_before_window::ID, match_before_window::rewrite),
    (facet_hoist::ID, facet_hoist::rewrite),
    (sort_by_group::ID, sort_by_group::rewrite),
];

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
