use super::super::super::shape::{Operator, Predicate, Value};
use super::super::{Candidate, CandidateKey, Purpose};
use super::partial::PARTIAL_SHARE;
use super::{Asked, plain_key};

/// The share of rows that a comparison between two columns is taken to keep, as the planner does.
const COMPARED: f64 = 1.0 / 3.0;
/// The most values a column may have whose values are written into an index's condition.
const FEW_VALUES: f64 = 50.0;

/// Conditions without a value that differs from call to call, and what they keep.
#[derive(Clone, Default)]
struct Fixed {
    texts: Vec<String>,
    /// Columns that need not be in the index, since its condition says all that is asked of them.
    told: Vec<String>,
    /// Keys that need not lead to the rows.
    keys: Vec<String>,
    share: f64,
}

impl Asked<'_> {
    /// Partial indexes over the rows that fixed conditions keep together: comparisons between
    /// columns, and values of columns that have few.
    pub(super) fn fixed(&self, found: &mut Vec<Candidate>) {
        let between = self.between();
        let few = self.few();
        let both = Fixed {
            texts: [between.texts.clone(), few.texts.clone()].concat(),
            told: [between.told.clone(), few.told.clone()].concat(),
            keys: few.keys.clone(),
            share: between.share * few.share,
        };
        let enumerated = few.texts.len() > 1 || few.texts.iter().any(|text| text.contains(" IN "));
        let mut sets = Vec::new();
        sets.extend((!between.texts.is_empty()).then(|| between.clone()));
        sets.extend(enumerated.then(|| few.clone()));
        sets.extend((!between.texts.is_empty() && !few.texts.is_empty()).then_some(both));
        for set in sets.into_iter().filter(|set| set.share <= PARTIAL_SHARE) {
            self.over(&set, found);
        }
    }

    fn over(&self, set: &Fixed, found: &mut Vec<Candidate>) {
        let left = |predicate: &Predicate| !set.keys.contains(&predicate.key.text);
        let equal = self.equal.iter().map(|(predicate, _)| *predicate);
        let among = self.among.iter().map(|(predicate, _)| *predicate);
        let mut keys: Vec<CandidateKey> =
            equal.chain(among).filter(|p| left(p)).map(|p| plain_key(&p.key)).collect();
        keys.extend(self.range_key());
        let mut ways = vec![(Purpose::Filter, keys)];
        ways.extend(self.joins.iter().map(|key| (Purpose::Join, vec![plain_key(key)])));
        for (purpose, keys) in ways.into_iter().filter(|(_, keys)| !keys.is_empty()) {
            let mut push = |include: Vec<String>| {
                self.push(found, vec![purpose], keys.clone(), Some(set.texts.join(" AND ")));
                if let Some(last) = found.last_mut() {
                    last.share = set.share;
                    last.kept = Some(set.share);
                    last.include = include;
                }
            };
            push(Vec::new());
            let held = |column: &&String| {
                keys.iter().any(|key| key.column.as_ref() == Some(*column))
                    || set.told.contains(*column)
            };
            let needed = self.used.columns.iter().flatten();
            let rest: Vec<String> = needed.filter(|column| !held(column)).cloned().collect();
            if self.used.columns.is_some() && !rest.is_empty() && self.fits(&rest) {
                push(rest);
            }
        }
    }

    fn between(&self) -> Fixed {
        let mut fixed = Fixed { share: 1.0, ..Fixed::default() };
        for between in &self.used.between {
            fixed.texts.push(between.text.clone());
            fixed.told.extend(between.columns.iter().cloned());
            fixed.share *= COMPARED;
        }
        // What a key orders or a range asks for is not told by the condition alone.
        let range = self.range.and_then(|range| range.key.column.clone());
        fixed.told.retain(|column| Some(column) != range.as_ref());
        fixed
    }

    fn few(&self) -> Fixed {
        let mut fixed = Fixed { share: 1.0, ..Fixed::default() };
        for (predicate, share) in self.equal.iter().chain(&self.among) {
            let constant = matches!(&predicate.value, Value::Constant(text) if !text.contains('$'));
            let (Some(bare), true) = (&predicate.bare, constant && self.has_few(predicate)) else {
                continue;
            };
            fixed.texts.push(bare.clone());
            fixed.keys.push(predicate.key.text.clone());
            fixed.share *= share;
            if predicate.operator != Operator::In {
                fixed.told.extend(predicate.key.columns.iter().cloned());
            }
        }
        fixed
    }

    /// Whether the condition is on a column with few values: a status, a flag, a deletion mark. A
    /// condition on a customer's number would need an index per customer.
    pub(super) fn has_few(&self, predicate: &Predicate) -> bool {
        let column = predicate.key.column.as_deref().and_then(|name| self.relation.column(name));
        let stats = column.and_then(|column| column.statistics.as_ref());
        predicate.operator == Operator::IsNull
            || stats.is_some_and(|stats| stats.distinct > 0.0 && stats.distinct <= FEW_VALUES)
    }
}
