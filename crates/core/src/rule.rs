use schemars::JsonSchema;
use serde::Serialize;

use crate::{Engine, Severity, Version};

/// What is known of a rule besides its check: the source of its page and of its tests.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct RuleInfo {
    /// Its id: `selective-seq-scan`.
    pub id: &'static str,
    /// The engine it reads plans of.
    pub engine: Engine,
    /// What it finds, in one line.
    pub title: &'static str,
    /// The most a finding of it can matter.
    pub severity: Severity,
    /// The first server version it applies to; `None` for all.
    pub since: Option<Version>,
    /// What it means, why it is slow, what to do: Markdown paragraphs.
    pub page: &'static str,
    /// Where the knowledge comes from, or what was measured.
    pub source: &'static str,
    /// At least one that fires and one that stays quiet; the tests run them on a real server.
    pub examples: &'static [Example],
}

/// A statement on some data, on which a rule fires or stays quiet.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Example {
    /// What it shows, in a few words.
    pub name: &'static str,
    /// Statements that make the data: SQL, or mongosh syntax, one a line.
    pub setup: &'static str,
    /// The statement that is explained.
    pub statement: &'static str,
    /// Whether the rule finds something in it.
    pub fires: bool,
}

/// A collection of numbered documents, as lines of mongosh: `_id` from 0, and fields computed
/// from `$i`. For the set-up of examples.
#[macro_export]
macro_rules! numbered {
    ($collection:literal, $documents:literal, $fields:literal) => {
        concat!(
            "db.seed_",
            $collection,
            ".insertOne({_id: 0})\n",
            "db.seed_",
            $collection,
            ".aggregate([{$project: {i: {$range: [0, ",
            $documents,
            "]}}}, {$unwind: \"$i\"}, {$project: {_id: \"$i\", ",
            $fields,
            "}}, {$out: \"",
            $collection,
            "\"}])\n"
        )
    };
}
