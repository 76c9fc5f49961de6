use super::super::super::shape::{Key, Predicate, Value};
use super::super::{Candidate, CandidateKey, Purpose};
use super::{Asked, plain_key};

/// A partial index pays when it holds at most this share of the rows.
pub(super) const PARTIAL_SHARE: f64 = 0.25;

impl Asked<'_> {
    /// Indexes over the few rows a constant condition keeps.
    pub(super) fn partial(&self, found: &mut Vec<Candidate>, sort: &[CandidateKey]) {
        let constant = |predicate: &Predicate| matches!(&predicate.value, Value::Constant(text) if !text.contains('$'));
        let pool = self.equal.iter().filter(|(predicate, share)| {
            constant(predicate) && *share > 0.0 && *share <= PARTIAL_SHARE
        });
        for (predicate, share) in pool.filter(|(predicate, _)| self.has_few(predicate)).take(1) {
            let Some(bare) = &predicate.bare else { continue };
            let mut keys: Vec<CandidateKey> = self
                .equal
                .iter()
                .filter(|(other, _)| other.key != predicate.key)
                .map(|(other, _)| plain_key(&other.key))
                .collect();
            let mut purposes = vec![Purpose::Filter];
            match (self.range_key(), sort) {
                (_, sort) if !sort.is_empty() => {
                    keys.extend(sort.iter().cloned());
                    purposes.push(Purpose::Order);
                }
                (Some(range), _) => keys.push(range),
                _ => {}
            }
            if keys.is_empty() {
                keys.extend(self.joins.first().map(|key| plain_key(key)));
                purposes.extend((!keys.is_empty()).then_some(Purpose::Join));
            }
            if keys.is_empty() {
                let key = self.relation.primary_key().first().cloned();
                keys.extend(key.map(|column| plain_key(&Key::column(&column))));
            }
            if keys.is_empty() {
                continue;
            }
            self.push(found, purposes, keys, Some(bare.clone()));
            if let Some(last) = found.last_mut() {
                last.share = *share;
            }
        }
    }
}
