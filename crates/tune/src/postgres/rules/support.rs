//! What most rules need to say what they found.

use marula_core::{ChangeKind, Evidence, Place, PlanNode, Relation, Severity};
use marula_postgres::sql::quote_ident;

use super::super::context::At;
use super::super::{Context, cost};
use crate::{Draft, Proposal};

/// A share below which a node is not worth a word.
pub(super) const SMALL: f64 = 0.05;

/// A draft about a plan's node; the rule's id is filled in later.
pub(super) fn draft(context: &Context, at: &At<'_>, share: f64, title: String) -> Draft {
    let expression = ["Filter", "Index Cond", "Join Filter", "Hash Cond", "Sort Key", "Group Key"]
        .iter()
        .find_map(|key| words(at.node, key));
    Draft {
        rule: "",
        severity: context.severity(share),
        title,
        place: Place {
            relation: at.node.relation.clone(),
            index: at.node.index.clone(),
            node: Some(at.path.clone()),
            op: Some(at.node.op.clone()),
            expression,
            ..Place::default()
        },
        evidence: evidence(context, at.node, share),
        explanation: String::new(),
        share,
        proposals: Vec::new(),
    }
}

/// A draft about a relation rather than about a node.
pub(super) fn draft_of_relation(relation: &Relation, severity: Severity, title: String) -> Draft {
    Draft {
        rule: "",
        severity,
        title,
        place: Place { relation: Some(relation.qualified()), ..Place::default() },
        evidence: Vec::new(),
        explanation: String::new(),
        share: 0.0,
        proposals: Vec::new(),
    }
}

/// The share of the time, or of the cost where nothing was run.
pub(super) fn evidence(context: &Context, node: &PlanNode, share: f64) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    match (cost::total_ms(&context.plan), node.total_ms) {
        (Some(_), Some(_)) => {
            evidence.push(Evidence::number("share of the time", percent(share), Some("%")));
        }
        _ => evidence.push(Evidence::number(
            "share of the estimated cost",
            percent(share),
            Some("%"),
        )),
    }
    evidence
}

/// A share as a percentage with one decimal; with more where it would else seem to be nothing or
/// all.
pub(super) fn percent(share: f64) -> f64 {
    let percent = share * 100.0;
    for places in [10.0, 100.0, 1e3, 1e4, 1e5, 1e6] {
        let rounded = (percent * places).round() / places;
        if rounded != 0.0 && rounded != 100.0 {
            return rounded;
        }
    }
    percent
}

/// A condition, or a list of keys, of a node.
pub(super) fn words(node: &PlanNode, key: &str) -> Option<String> {
    let value = node.native.get(key)?;
    if let Some(text) = value.as_str() {
        return Some(text.into());
    }
    let parts: Vec<&str> = value.as_array()?.iter().filter_map(|part| part.as_str()).collect();
    Some(parts.join(", "))
}

/// What a scan is called in a sentence: its relation, without the schema.
pub(super) fn called(node: &PlanNode) -> &str {
    node.relation.as_deref().map_or("the input", |name| name.rsplit('.').next().unwrap_or(name))
}

/// A number as people write it: `12,345`.
pub(super) fn grouped(number: f64) -> String {
    marula_core::grouped(number.max(0.0).round() as u64)
}

/// `schema.table`, quoted.
pub(super) fn quoted(relation: &Relation) -> String {
    format!("{}.{}", quote_ident(&relation.schema), quote_ident(&relation.name))
}

/// Whether a relation's statistics are missing, or older than a good part of its rows: what
/// makes the server's own housekeeping gather them anew.
pub(super) fn is_stale(relation: &Relation) -> bool {
    let live = (relation.activity.live_rows as f64).max(relation.rows.unwrap_or(0.0));
    let missing = relation.columns.iter().all(|column| column.statistics.is_none());
    missing || relation.activity.modified_since_analyze as f64 > live * 0.1
}

/// Gathers a relation's statistics anew.
pub(super) fn analyze(relation: &Relation, gain: f64) -> Proposal {
    Proposal {
        kind: ChangeKind::Statistics,
        title: format!("analyze {}", relation.name),
        relation: Some(relation.qualified()),
        up: vec![format!("ANALYZE {}", quoted(relation))],
        down: Vec::new(),
        hazards: vec![format!(
            "SHARE UPDATE EXCLUSIVE lock on {}: reads and writes go on; reads a sample of its pages",
            relation.name
        )],
        conditions: Vec::new(),
        gain,
    }
}

/// More memory for one session, in megabytes.
pub(super) fn work_mem(kilobytes: f64, gain: f64) -> Proposal {
    let megabytes = ((kilobytes / 1024.0).ceil().max(8.0) as u64).next_power_of_two().min(2048);
    Proposal {
        kind: ChangeKind::Setting,
        title: format!("work_mem = {megabytes}MB for this statement"),
        relation: None,
        up: vec![format!("SET work_mem = '{megabytes}MB'")],
        down: vec!["RESET work_mem".into()],
        hazards: vec![
            "every sort and hash of every session that has the setting may take this much: set it \
             for the statement or the role, not for the server"
                .into(),
        ],
        conditions: Vec::new(),
        gain,
    }
}

/// A share of evidence.
pub(super) fn part(name: &str, share: f64) -> Evidence {
    Evidence::number(name, percent(share), Some("%"))
}

/// A number of evidence.
pub(super) fn number(name: &str, value: f64) -> Evidence {
    Evidence::number(name, value, None)
}

/// The first scan of a relation found below `node` by going down first inputs.
pub(super) fn scan_below(node: &PlanNode) -> Option<&PlanNode> {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if node.relation.is_some() {
            return Some(node);
        }
        open.extend(node.children.iter().rev());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_that_is_not_all_is_not_called_all() {
        assert_eq!(percent(0.9998), 99.98);
        assert_eq!(percent(0.000_000_2), 0.000_02);
        assert_eq!([percent(1.0), percent(0.0), percent(0.1234)], [100.0, 0.0, 12.3]);
    }
}
