use marula_core::{Index, Relation};

use super::{Candidate, CandidateKey, Purpose};

/// What of the candidate the relation has no index for yet; `None` when it has all.
pub(super) fn without_existing(relation: &Relation, mut candidate: Candidate) -> Option<Candidate> {
    let also = std::mem::take(&mut candidate.also);
    let mut members = vec![candidate.clone()];
    members.extend(also.into_iter().map(|keys| Candidate { keys, ..candidate.clone() }));
    members.retain(|member| !covers(relation, member));
    let first = members.first()?.clone();
    let also = members.into_iter().skip(1).map(|member| member.keys).collect();
    Some(Candidate { also, ..first })
}

/// Whether an index the relation has does the candidate's work already.
fn covers(relation: &Relation, candidate: &Candidate) -> bool {
    relation.indexes.iter().any(|index| {
        let usable = index.valid && index.method == candidate.method;
        usable && (begins_with(index, candidate) || finds_one_row(index, candidate))
    })
}

/// The candidate's keys are the index's first keys, read forwards or backwards.
fn begins_with(index: &Index, candidate: &Candidate) -> bool {
    let predicate = index.predicate.as_deref().map(plain);
    if predicate.is_some() && predicate != candidate.predicate.as_deref().map(plain) {
        return false;
    }
    let carried = candidate.include.iter().all(|column| {
        index.include.contains(column)
            || index.keys.iter().any(|key| key.column.as_deref() == Some(column))
    });
    if !carried || index.keys.len() < candidate.keys.len() {
        return false;
    }
    let pairs = || index.keys.iter().zip(&candidate.keys);
    let same = pairs().all(|(has, wants)| match (&has.column, &wants.column) {
        (Some(has), Some(wants)) => has == wants,
        (None, None) => plain(&has.expression) == plain(&wants.text),
        _ => false,
    });
    let ordered = candidate.purposes.contains(&Purpose::Order);
    let forwards = |(has, wants): (&marula_core::IndexKey, &CandidateKey)| {
        has.descending == wants.descending && has.nulls_first == wants.nulls_first
    };
    let backwards = |(has, wants): (&marula_core::IndexKey, &CandidateKey)| {
        has.descending != wants.descending && has.nulls_first != wants.nulls_first
    };
    let opclass =
        |key: &CandidateKey| key.opclass.is_none_or(|opclass| index.definition.contains(opclass));
    same && candidate.keys.iter().all(opclass)
        && (!ordered || pairs().all(forwards) || pairs().all(backwards))
}

/// All keys of a unique index are among the candidate's: one row is found already.
fn finds_one_row(index: &Index, candidate: &Candidate) -> bool {
    index.unique
        && index.predicate.is_none()
        && index.keys.iter().all(|key| {
            let leading = candidate.keys.iter().take(index.keys.len());
            key.column.is_some() && leading.into_iter().any(|wants| wants.column == key.column)
        })
}

/// An expression without what two printers may write differently.
fn plain(text: &str) -> String {
    let text = text.replace("::text", "").to_lowercase();
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"')).collect()
}
