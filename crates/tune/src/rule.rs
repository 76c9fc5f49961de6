use marula_core::RuleInfo;

use crate::Draft;

/// A rule: what is known of it, and its check. `C` is what an engine's checks look at: the plan,
/// the statement's shape, the catalogue.
#[derive(Debug)]
pub struct Rule<C: 'static> {
    /// Its id, its page, its examples.
    pub info: RuleInfo,
    /// What it finds. A check never fails: what it cannot see, it does not report.
    pub check: fn(&C) -> Vec<Draft>,
}

/// What all `rules` that apply to the server's version find in `context`.
pub fn check_all<C>(
    rules: &[&'static Rule<C>],
    version: Option<marula_core::Version>,
    context: &C,
) -> Vec<Draft> {
    let applies = |rule: &&&Rule<C>| match (rule.info.since, version) {
        (Some(since), Some(version)) => version >= since,
        _ => true,
    };
    let mut drafts = Vec::new();
    for rule in rules.iter().filter(applies) {
        let mut found = (rule.check)(context);
        for draft in &mut found {
            draft.rule = rule.info.id;
            draft.severity = draft.severity.min(rule.info.severity);
        }
        drafts.append(&mut found);
    }
    drafts
}
