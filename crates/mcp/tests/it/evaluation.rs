//! Do the descriptions lead to the right tool? Requests in people's words, the call that should
//! follow, and a plain matcher in place of a model: BM25 over what a model reads of each tool. A
//! model knows more; what the matcher gets wrong is worth a look.

use std::collections::{BTreeMap, HashMap};

use marula_mcp::described;
use serde_json::Value;

use crate::json_schema;

const TABLE: &str = include_str!("../../../../docs/mcp-evaluation.md");

struct Row {
    request: String,
    tool: String,
    arguments: Value,
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| line.starts_with("| ") && line.contains('{'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').splitn(3, " | ").map(str::trim).collect();
            let arguments = cells[2].trim_matches(['`', ' ']);
            Row {
                request: cells[0].to_string(),
                tool: cells[1].trim_matches('`').to_string(),
                arguments: serde_json::from_str(arguments)
                    .unwrap_or_else(|e| panic!("{line}: {e}")),
            }
        })
        .collect()
}

/// Small words say nothing about a tool.
const SMALL: &str = "a an the is are of to in on for it its my our me we you i do does did and or with by \
    be this that what how why can could should would please from at as so not no all any which when \
    has have was were there than then if one give get make let us want need now up out about just \
    them they these those each into";

fn words(text: &str) -> Vec<String> {
    let small: Vec<&str> = SMALL.split_whitespace().collect();
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| word.len() > 1 && !small.contains(word))
        .map(stem)
        .collect()
}

/// Endings do not matter.
fn stem(word: &str) -> String {
    let mut word = word.to_string();
    for ending in ["ing", "ies", "ed", "es", "er", "s", "e"] {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.len() > 2
        {
            word = stem.to_string();
            break;
        }
    }
    word
}

struct Matcher {
    tools: Vec<(&'static str, HashMap<String, f64>, f64)>,
    common: HashMap<String, f64>,
    mean: f64,
}

impl Matcher {
    fn new() -> Self {
        let tools: Vec<_> = described()
            .into_iter()
            .map(|tool| {
                let schema = Value::Object(tool.input.as_ref().clone());
                let mut counts = HashMap::new();
                // The name counts as much as a sentence that repeats it.
                let name = tool.name.replace('_', " ");
                let text = format!("{name} {name} {} {}", tool.about, texts(&schema));
                for word in words(&text) {
                    *counts.entry(word).or_insert(0.0) += 1.0;
                }
                let length = counts.values().sum();
                (tool.name, counts, length)
            })
            .collect();
        let mut common = HashMap::new();
        for (_, counts, _) in &tools {
            for word in counts.keys() {
                *common.entry(word.clone()).or_insert(0.0) += 1.0;
            }
        }
        let mean = tools.iter().map(|(.., length)| length).sum::<f64>() / tools.len() as f64;
        Matcher { tools, common, mean }
    }

    fn best(&self, request: &str) -> Vec<&'static str> {
        let asked = words(request);
        let many = self.tools.len() as f64;
        let mut scored: Vec<(f64, &'static str)> = self
            .tools
            .iter()
            .map(|(name, counts, length)| {
                let score = asked.iter().map(|word| {
                    let Some(count) = counts.get(word) else { return 0.0 };
                    let seen = self.common[word];
                    let rare = ((many - seen + 0.5) / (seen + 0.5) + 1.0).ln();
                    rare * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / self.mean))
                });
                (score.sum(), *name)
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.into_iter().map(|(_, name)| name).collect()
    }
}

/// The descriptions in a schema.
fn texts(schema: &Value) -> String {
    match schema {
        Value::Object(words) => words
            .iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("description", Value::String(text)) => text.clone(),
                (_, value) => texts(value),
            })
            .collect::<Vec<_>>()
            .join(" "),
        Value::Array(items) => items.iter().map(texts).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

#[test]
fn requests_in_peoples_words_lead_to_the_right_tool() {
    let (rows, matcher) = (rows(), Matcher::new());
    assert!(rows.len() >= 60, "{}", rows.len());
    let (mut first, mut second) = (0, 0);
    let mut wrong = Vec::new();
    let mut each: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for row in &rows {
        let best = matcher.best(&row.request);
        let count = each.entry(&row.tool).or_default();
        count.1 += 1;
        if best[0] == row.tool {
            first += 1;
            count.0 += 1;
        } else {
            wrong.push(format!("{} → {} rather than {}", row.request, best[0], row.tool));
        }
        second += usize::from(best[..2].contains(&row.tool.as_str()));
    }
    println!(
        "{first} of {} first, {second} among the first two\n{each:?}\n{}",
        rows.len(),
        wrong.join("\n")
    );
    assert!(first * 100 >= rows.len() * 80, "{first} of {}:\n{}", rows.len(), wrong.join("\n"));
    assert!(second * 100 >= rows.len() * 93, "{second} of {}", rows.len());
    for tool in marula_mcp::tool_names() {
        assert!(each.get(tool).is_some_and(|(_, all)| *all >= 3), "{tool} is asked for too rarely");
    }
}

#[test]
fn the_arguments_of_every_row_are_ones_the_tool_takes() {
    let tools = described();
    for row in rows() {
        let tool = tools.iter().find(|tool| tool.name == row.tool);
        let tool = tool.unwrap_or_else(|| panic!("no tool is called {}", row.tool));
        let schema = Value::Object(tool.input.as_ref().clone());
        if let Err(why) = json_schema::check(&schema, &schema, &row.arguments, &row.tool) {
            panic!("{}: {why}", row.request);
        }
    }
}
