use super::super::super::shape::{Operator, Predicate};
use super::super::{Candidate, CandidateKey, Purpose, selectivity};
use super::indexable::indexable;
use super::{Asked, plain_key, range_key};

impl Asked<'_> {
    /// An index for each side of an OR: the server finds the rows of each and puts the bitmaps
    /// together. Without all of them it reads the whole table, so they are one proposal.
    pub(super) fn either(&self, found: &mut Vec<Candidate>) {
        for sides in &self.used.either {
            let shares: f64 = sides.iter().map(|side| self.side_share(side)).sum();
            let keys: Option<Vec<_>> = sides.iter().map(|side| self.side_keys(side)).collect();
            let Some(keys) = keys.filter(|_| shares < 0.5) else { continue };
            self.together(found, keys.clone(), shares);
            let leading = self.equalities();
            if !leading.is_empty() {
                let led = keys.into_iter().map(|own| [leading.clone(), own].concat()).collect();
                self.together(found, led, shares);
            }
        }
    }

    fn together(&self, found: &mut Vec<Candidate>, keys: Vec<Vec<CandidateKey>>, kept: f64) {
        let mut unique: Vec<Vec<CandidateKey>> = Vec::new();
        for keys in keys {
            if !unique.contains(&keys) {
                unique.push(keys);
            }
        }
        if unique.is_empty() {
            return;
        }
        let first = unique.remove(0);
        self.push(found, vec![Purpose::Filter], first, None);
        if let Some(last) = found.last_mut() {
            last.also = unique;
            last.kept = Some(kept);
        }
    }

    /// The share of the rows one side keeps.
    fn side_share(&self, side: &[Predicate]) -> f64 {
        side.iter().map(|predicate| selectivity::share(self.relation, predicate)).product()
    }

    /// The keys by which the rows of one side are found; `None` when no B-tree finds them.
    fn side_keys(&self, side: &[Predicate]) -> Option<Vec<CandidateKey>> {
        let of = |wanted: &[Operator]| {
            let fits = |p: &&Predicate| {
                p.is_filter() && wanted.contains(&p.operator) && indexable(&p.key, self.relation)
            };
            side.iter().filter(fits).collect::<Vec<_>>()
        };
        let equal = of(&[Operator::Equal, Operator::IsNull]);
        let mut keys: Vec<CandidateKey> = equal.iter().map(|p| plain_key(&p.key)).collect();
        keys.extend(of(&[Operator::In]).first().map(|p| plain_key(&p.key)));
        let range = of(&[Operator::Prefix, Operator::Range]);
        keys.extend(range.first().map(|p| range_key(self.relation, p)));
        (!keys.is_empty()).then_some(keys)
    }
}
