use marula_core::RelationalCatalog;

use super::{Candidate, existing, same_index};

/// The most columns such an index carries along.
const CARRIED: usize = 6;
/// The most that are added.
const MOST: usize = 24;

/// Indexes that do the work of two: of those with equal keys, or of which one begins with the
/// other's, the longer keys with what either carries along.
pub(in crate::postgres) fn unions(
    found: &[Candidate],
    catalog: &RelationalCatalog,
) -> Vec<Candidate> {
    let mut added: Vec<Candidate> = Vec::new();
    for (at, one) in found.iter().enumerate() {
        for other in &found[at + 1..] {
            let Some(both) = union(one, other).or_else(|| union(other, one)) else { continue };
            let known = found.iter().chain(&added).any(|known| same_index(known, &both));
            let covered = || {
                let relation = catalog.find(&both.relation)?;
                existing::without_existing(relation, both.clone())
            };
            if !known && covered().is_some() {
                added.push(both);
                if added.len() == MOST {
                    return added;
                }
            }
        }
    }
    added
}

/// `long` with what it and `short` carry along, where its keys begin with those of `short`.
fn union(long: &Candidate, short: &Candidate) -> Option<Candidate> {
    let alike = long.relation == short.relation
        && long.method == "btree"
        && short.method == "btree"
        && long.predicate == short.predicate
        && long.also.is_empty()
        && short.also.is_empty()
        && long.keys.starts_with(&short.keys)
        && !short.include.is_empty();
    let key = |column: &String| long.keys.iter().any(|key| key.column.as_ref() == Some(column));
    let mut include: Vec<String> = long.include.clone();
    let new = short.include.iter().filter(|column| !key(column) && !long.include.contains(column));
    include.extend(new.cloned());
    (alike && include.len() > long.include.len() && include.len() <= CARRIED).then(|| Candidate {
        include,
        gain: long.gain + short.gain,
        ..long.clone()
    })
}
