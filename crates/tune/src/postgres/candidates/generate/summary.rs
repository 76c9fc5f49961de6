use super::super::super::shape::Operator;
use super::super::{Candidate, Purpose};
use super::{Asked, plain_key};

/// How far the rows must lie in the column's order.
const ORDERED: f64 = 0.9;
/// Fewer rows than this are on few ranges of pages.
const MANY: f64 = 50_000.0;

impl Asked<'_> {
    /// BRIN over a column in whose order the rows lie: the least and the greatest value of every
    /// range of pages, in next to no room.
    pub(super) fn summary(&self, found: &mut Vec<Candidate>) {
        let ranges = self.used.predicates.iter();
        for predicate in ranges.filter(|p| p.is_filter() && p.operator == Operator::Range) {
            let name = predicate.key.column.as_deref();
            let column = name.and_then(|name| self.relation.column(name));
            let correlation = column
                .and_then(|column| column.statistics.as_ref())
                .and_then(|statistics| statistics.correlation);
            let ordered = correlation.is_some_and(|correlation| correlation.abs() >= ORDERED);
            if !ordered || self.relation.rows.unwrap_or(0.0) < MANY {
                continue;
            }
            self.push(found, vec![Purpose::Filter], vec![plain_key(&predicate.key)], None);
            if let Some(last) = found.last_mut() {
                last.method = "brin";
            }
        }
    }
}
