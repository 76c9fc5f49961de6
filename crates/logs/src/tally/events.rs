use rustc_hash::FxHashMap;

use super::printable;
use crate::Happening;

/// Different things an event kind may be about; beyond that they count as one.
const ABOUT: usize = 1000;

/// Everything of one kind.
#[derive(Debug, Clone, Default)]
pub struct EventTally {
    pub count: u64,
    /// In thousandths: whole numbers have one sum in any order.
    pub total: Option<u128>,
    pub max: Option<f64>,
    pub span: Option<(i64, i64)>,
    pub about: FxHashMap<String, u64>,
    pub sample: String,
}

/// The name things go under when there are too many names.
pub const OTHERS: &str = "…";

/// Counts under a name, or under [`OTHERS`] when there are `limit` names already.
pub fn count(names: &mut FxHashMap<String, u64>, name: &str, by: u64, limit: usize) {
    if let Some(sum) = names.get_mut(name) {
        *sum += by;
    } else if names.len() < limit {
        names.insert(name.to_owned(), by);
    } else {
        *names.entry(OTHERS.to_owned()).or_default() += by;
    }
}

impl EventTally {
    pub(super) fn add(&mut self, happening: &Happening<'_>) {
        let grew = happening.amount.is_some_and(|amount| self.max.is_none_or(|max| amount > max));
        if self.count == 0 || grew {
            self.sample = printable(happening.text, 2000);
        }
        self.count += 1;
        if let Some(amount) = happening.amount {
            let thousandths = (amount.max(0.0) * 1000.0).round() as u128;
            self.total = Some(self.total.unwrap_or(0).saturating_add(thousandths));
            self.max = Some(self.max.map_or(amount, |max| max.max(amount)));
        }
        if let Some(at) = happening.at.map(|at| at.0) {
            self.span = Some(self.span.map_or((at, at), |(from, to)| (from.min(at), to.max(at))));
        }
        if !happening.about.is_empty() {
            count(&mut self.about, &printable(happening.about, 200), 1, ABOUT);
        }
    }

    /// Adds what came later.
    pub fn merge(&mut self, later: EventTally) {
        let grew = match (later.max, self.max) {
            (Some(later), Some(mine)) => later > mine,
            (later, None) => later.is_some(),
            (None, Some(_)) => false,
        };
        if self.count == 0 || grew {
            self.sample = later.sample;
        }
        self.count += later.count;
        if let Some(total) = later.total {
            self.total = Some(self.total.unwrap_or(0).saturating_add(total));
        }
        self.max = match (self.max, later.max) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        self.span = join(self.span, later.span);
        // In order, so that the names that find room do not hang on the map's order.
        let mut about: Vec<_> = later.about.into_iter().collect();
        about.sort_unstable();
        for (name, by) in about {
            count(&mut self.about, &name, by, ABOUT);
        }
    }
}

/// The span over both.
pub fn join(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}
