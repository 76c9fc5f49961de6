//! What is known of each statement under each set of changes: what was measured comes before what
//! is expected, and what was measured corrects what is expected.

use std::collections::{BTreeMap, HashMap};

use super::arena::{Estimate, Set};

/// A statement may take so much longer than before, and not more.
pub const SLOWER: f64 = 1.1;

/// So many sets with a change must have made a statement too slow before others with it are held
/// to do so, too.
const BELIEVED: usize = 2;

/// One statement as it stands.
#[derive(Debug, Clone)]
pub struct Base {
    /// The time of one run in milliseconds; the limit when it was cancelled.
    pub ms: f64,
    /// Whether it was cancelled.
    pub timed_out: bool,
    /// What it is expected to cost.
    pub cost: f64,
}

/// A statement under some set of changes, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Timed {
    /// The time of one run, in milliseconds, brought to the pace of the base's run; infinite when
    /// it was cancelled or its result differs.
    pub ms: f64,
    /// The changes its plan used.
    pub uses: Set,
}

/// Everything that is known.
#[derive(Debug, Default)]
pub struct Book {
    /// The statements as they stand.
    pub base: Vec<Base>,
    estimates: Vec<Vec<(Set, Estimate)>>,
    measured: HashMap<(usize, Set), Timed>,
    by_uses: HashMap<(usize, Set), f64>,
    /// How many times dearer than expected a statement was with a change, and how often it was too
    /// slow with it.
    factors: BTreeMap<(usize, usize), (f64, usize)>,
}

impl Book {
    /// A book of these statements.
    pub fn new(base: Vec<Base>) -> Self {
        let estimates = base.iter().map(|_| Vec::new()).collect();
        Book { base, estimates, ..Book::default() }
    }

    /// The known estimate of a statement under `set`. What the planner chose among more holds
    /// among less, as long as what it chose is there.
    pub fn estimate(&self, statement: usize, set: &Set) -> Option<&Estimate> {
        let known = self.estimates.get(statement)?;
        let found = known.iter().find(|(of, _)| of == set);
        let found = found.or_else(|| {
            known.iter().find(|(of, known)| of.is_superset(set) && known.uses.is_subset(set))
        });
        found.map(|(_, estimate)| estimate)
    }

    /// Notes an estimate.
    pub fn estimated(&mut self, statement: usize, set: Set, estimate: Estimate) {
        if let Some(known) = self.estimates.get_mut(statement) {
            known.push((set, estimate));
        }
    }

    /// What was measured under exactly `set`, which holds nothing but what concerns the statement.
    pub fn measured(&self, statement: usize, set: &Set) -> Option<&Timed> {
        self.measured.get(&(statement, set.clone()))
    }

    /// What was measured with a plan that used just `uses`.
    pub fn measured_using(&self, statement: usize, uses: &Set) -> Option<f64> {
        self.by_uses.get(&(statement, uses.clone())).copied()
    }

    /// Whether some statement was measured with a plan that used a change.
    pub fn uses(&self, number: usize) -> bool {
        self.measured.values().any(|timed| timed.uses.contains(&number))
    }

    /// Notes what was measured, and how it compares with the `cost` that was expected.
    pub fn note(&mut self, statement: usize, set: Set, timed: Timed, cost: Option<f64>) {
        if let (Some(base), Some(cost), false) =
            (self.base.get(statement), cost, timed.uses.is_empty())
        {
            let expected = base.ms * cost / base.cost.max(1e-9);
            let factor = (timed.ms / expected.max(1e-9)).clamp(0.0, 1e6);
            let slow = usize::from(self.too_slow(statement, timed.ms));
            for used in &timed.uses {
                let known = self.factors.entry((statement, *used)).or_insert((factor, 0));
                *known = (known.0.max(factor), known.1 + slow);
            }
        }
        self.by_uses.insert((statement, timed.uses.clone()), timed.ms);
        self.measured.insert((statement, set), timed);
    }

    /// The time to reckon with, in milliseconds; infinite where it must not be. `known` is the
    /// estimate under `set`.
    pub fn time(&self, statement: usize, set: &Set, known: &Estimate) -> f64 {
        let Some(base) = self.base.get(statement) else { return 0.0 };
        let bounded = |ms: f64| if self.too_slow(statement, ms) { f64::INFINITY } else { ms };
        if set.is_empty() || known.uses.is_empty() {
            return base.ms;
        }
        if let Some(timed) = self.measured(statement, set) {
            return bounded(timed.ms);
        }
        if let Some(ms) = self.measured_using(statement, &known.uses) {
            return bounded(ms);
        }
        let expected = base.ms * known.cost / base.cost.max(1e-9);
        let factors = known.uses.iter().filter_map(|used| self.factors.get(&(statement, *used)));
        let fold =
            |(a, b): (f64, usize), (factor, slow): &(f64, usize)| (a.max(*factor), b.max(*slow));
        let (factor, slow) = factors.fold((0.0, 0), fold);
        match factor {
            0.0 => expected,
            // It was dearer than expected with one of these before, and would be too dear again:
            // seen often enough that is believed; before that the next trial shall tell, and
            // nothing is hoped for.
            factor if factor > 1.0 && slow >= BELIEVED => bounded(expected * factor),
            factor => (expected * factor).min(base.ms),
        }
    }

    /// Whether a statement must not take so long.
    pub fn too_slow(&self, statement: usize, ms: f64) -> bool {
        let Some(base) = self.base.get(statement) else { return false };
        !base.timed_out && ms > base.ms * SLOWER && ms - base.ms > 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(cost: f64, uses: &[usize]) -> Estimate {
        Estimate { cost, uses: uses.iter().copied().collect() }
    }

    #[test]
    fn what_was_measured_corrects_what_is_expected() {
        let mut book = Book::new(vec![Base { ms: 4000.0, timed_out: false, cost: 100.0 }]);
        let (one, two) = (Set::from([1]), Set::from([1, 2]));
        book.estimated(0, one.clone(), estimate(50.0, &[1]));
        book.estimated(0, two.clone(), estimate(10.0, &[1, 2]));
        assert_eq!(book.time(0, &one, &estimate(50.0, &[1])), 2000.0);
        book.note(0, one.clone(), Timed { ms: 120_000.0, uses: one.clone() }, Some(50.0));
        assert_eq!(book.time(0, &one, &estimate(50.0, &[1])), f64::INFINITY);
        // Thirty times and more what was expected: with the other beside it nothing is hoped for,
        assert_eq!(book.time(0, &two, &estimate(10.0, &[1, 2])), 4000.0);
        let three = Set::from([1, 3]);
        book.note(0, three.clone(), Timed { ms: 90_000.0, uses: three }, Some(40.0));
        // and seen twice it is held for certain.
        assert_eq!(book.time(0, &two, &estimate(10.0, &[1, 2])), f64::INFINITY);
        assert_eq!(book.time(0, &Set::from([2]), &estimate(60.0, &[2])), 2400.0);
    }

    #[test]
    fn an_estimate_holds_among_less_as_long_as_what_it_uses_is_there() {
        let mut book = Book::new(vec![Base { ms: 1.0, timed_out: false, cost: 1.0 }]);
        book.estimated(0, Set::from([1, 2, 3]), estimate(0.5, &[2]));
        assert_eq!(book.estimate(0, &Set::from([2, 3])), Some(&estimate(0.5, &[2])));
        assert_eq!(book.estimate(0, &Set::from([1, 3])), None);
        assert_eq!(book.estimate(0, &Set::from([2, 4])), None);
    }
}
