use std::collections::{BTreeSet, HashMap};

use marula_core::{Plan, PlanNode};
use pg_query::Node;

use super::super::ast;
use super::Block;
use super::read::Reader;
use super::scope::Entry;

impl Reader<'_> {
    /// Reads a plan's scans with their conditions into one block.
    pub fn plan(&mut self, plan: &Plan) {
        self.from_plan = true;
        self.shape.blocks.push(Block::default());
        let nodes = plan.tree.walk();
        let mut entries = Vec::new();
        for (_, node) in &nodes {
            let Some(relation) = &node.relation else { continue };
            let bare = relation.rsplit('.').next().unwrap_or(relation);
            let alias = node.alias.clone().unwrap_or_else(|| bare.into());
            if entries.iter().any(|entry: &Entry| entry.alias == alias) {
                continue;
            }
            entries.push(self.entry(0, relation, alias));
        }
        let parsed = parse_all(nodes.iter().flat_map(|(_, node)| conditions(node)));
        self.scope.levels = vec![(0, entries.clone())];
        for (_, node) in &nodes {
            self.scope.levels.truncate(1);
            let alias = node.alias.as_deref().or(node.relation.as_deref());
            if let Some(own) = entries.iter().find(|entry| Some(entry.alias.as_str()) == alias) {
                self.scope.levels.push((0, vec![own.clone()]));
            }
            for condition in conditions(node).filter_map(|text| parsed.get(text)) {
                for part in ast::conjuncts(condition) {
                    self.condition(part, None);
                }
            }
        }
    }
}

/// The conditions of a plan's node, as EXPLAIN prints them.
fn conditions(node: &PlanNode) -> impl Iterator<Item = &str> {
    ["Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter"]
        .into_iter()
        .filter_map(|key| node.native.get(key)?.as_str())
        // What names a subplan is not SQL.
        .filter(|text| !text.contains("SubPlan") && !text.contains("InitPlan"))
}

/// Parses many conditions in few calls: a parse has a price of its own.
fn parse_all<'a>(texts: impl Iterator<Item = &'a str>) -> HashMap<&'a str, Node> {
    let unique: Vec<&str> = texts.collect::<BTreeSet<&str>>().into_iter().collect();
    let mut parsed = HashMap::new();
    for batch in unique.chunks(200) {
        match ast::parse_conditions(batch) {
            Some(nodes) => parsed.extend(batch.iter().copied().zip(nodes)),
            // One of them is no SQL: one by one, as long as that is quick.
            None => {
                let single = |text: &&'a str| Some((*text, ast::parse_conditions(&[text])?.pop()?));
                parsed.extend(batch.iter().take(50).filter_map(single));
            }
        }
    }
    parsed
}
