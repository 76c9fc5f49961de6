use std::cmp::Reverse;
use std::collections::HashMap;

use marula_core::{
    Change, ChangeId, ChangeKind, Engine, Evidence, Finding, Place, Proof, Severity,
};

/// A finding before it is numbered, with the proposals that would mend it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The rule's id; filled by the machinery.
    pub rule: &'static str,
    /// How much it matters here; cut down to the rule's own severity by the machinery.
    pub severity: Severity,
    /// What was found, in one line.
    pub title: String,
    /// Where it was found.
    pub place: Place,
    /// The numbers behind it.
    pub evidence: Vec<Evidence>,
    /// Why this is slow, and what the way out is.
    pub explanation: String,
    /// The share of the statement's time it explains, from 0 to 1: what matters most is told
    /// first.
    pub share: f64,
    /// What would mend it.
    pub proposals: Vec<Proposal>,
}

/// A change before it is numbered and proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// What sort of change it is.
    pub kind: ChangeKind,
    /// What it does, in one line.
    pub title: String,
    /// The relation or collection it touches.
    pub relation: Option<String>,
    /// What to run; for a rewrite the new statement.
    pub up: Vec<String>,
    /// What takes it back; for a rewrite the old statement.
    pub down: Vec<String>,
    /// What to mind on a live server.
    pub hazards: Vec<String>,
    /// What was checked so that it is safe.
    pub conditions: Vec<String>,
    /// What it is expected to save, as a share of the statement's time from 0 to 1. Only orders
    /// the proposals: what a change really gains is measured.
    pub gain: f64,
}

/// Findings and changes that refer to each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collected {
    /// What was found, what matters most first.
    pub findings: Vec<Finding>,
    /// What to do, what promises most first; every proof is `not tried` yet.
    pub changes: Vec<Change>,
}

/// Numbers the changes, the same one only once, and orders both lists. The same drafts always
/// give the same lists.
pub fn collect(engine: Engine, mut drafts: Vec<Draft>) -> Collected {
    drafts.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.share.total_cmp(&a.share)));
    let mut proposals: Vec<Proposal> = Vec::new();
    let mut seen: HashMap<Vec<String>, usize> = HashMap::new();
    for proposal in drafts.iter().flat_map(|draft| &draft.proposals) {
        match seen.get(&proposal.up) {
            Some(&at) => proposals[at].gain = proposals[at].gain.max(proposal.gain),
            None => {
                seen.insert(proposal.up.clone(), proposals.len());
                proposals.push(proposal.clone());
            }
        }
    }
    proposals.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    let ids: HashMap<Vec<String>, ChangeId> = proposals
        .iter()
        .enumerate()
        .map(|(number, proposal)| (proposal.up.clone(), ChangeId(format!("c{}", number + 1))))
        .collect();
    let findings = drafts.into_iter().map(|draft| finding(draft, &ids)).collect();
    let changes = proposals
        .into_iter()
        .filter_map(|proposal| Some((ids.get(&proposal.up)?.clone(), proposal)))
        .map(|(id, proposal)| change(engine, id, proposal))
        .collect();
    Collected { findings, changes }
}

fn finding(draft: Draft, ids: &HashMap<Vec<String>, ChangeId>) -> Finding {
    let mut offered: Vec<&Proposal> = draft.proposals.iter().collect();
    offered.sort_by_key(|proposal| Reverse((proposal.gain * 1e6) as u64));
    let mut changes: Vec<ChangeId> = Vec::new();
    for id in offered.iter().filter_map(|proposal| ids.get(&proposal.up)) {
        if !changes.contains(id) {
            changes.push(id.clone());
        }
    }
    Finding {
        rule: draft.rule.into(),
        severity: draft.severity,
        title: draft.title,
        place: draft.place,
        evidence: draft.evidence,
        explanation: draft.explanation,
        changes,
        hazard: None,
    }
}

fn change(engine: Engine, id: ChangeId, proposal: Proposal) -> Change {
    Change {
        id,
        kind: proposal.kind,
        engine,
        title: proposal.title,
        relation: proposal.relation,
        up: proposal.up,
        down: proposal.down,
        hazards: proposal.hazards,
        conditions: proposal.conditions,
        proof: Proof::not_tried("not tried yet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposal(up: &str, gain: f64) -> Proposal {
        Proposal {
            kind: ChangeKind::Index,
            title: up.into(),
            relation: None,
            up: vec![up.into()],
            down: vec![],
            hazards: vec![],
            conditions: vec![],
            gain,
        }
    }

    fn draft(rule: &'static str, severity: Severity, proposals: Vec<Proposal>) -> Draft {
        Draft {
            rule,
            severity,
            title: rule.into(),
            place: Place::default(),
            evidence: vec![],
            explanation: String::new(),
            share: 0.5,
            proposals,
        }
    }

    #[test]
    fn findings_share_a_change_and_the_most_promising_is_c1() {
        let collected = collect(
            Engine::Postgres,
            vec![
                draft("a", Severity::Low, vec![proposal("x", 0.1), proposal("y", 0.9)]),
                draft("b", Severity::High, vec![proposal("x", 0.2)]),
            ],
        );
        let rules: Vec<_> = collected.findings.iter().map(|f| f.rule.as_str()).collect();
        assert_eq!(rules, ["b", "a"]);
        let changes: Vec<_> =
            collected.changes.iter().map(|c| (c.id.0.as_str(), c.title.as_str())).collect();
        assert_eq!(changes, [("c1", "y"), ("c2", "x")]);
        assert_eq!(collected.findings[0].changes, [ChangeId("c2".into())]);
        assert_eq!(collected.findings[1].changes, [ChangeId("c1".into()), ChangeId("c2".into())]);
    }
}
