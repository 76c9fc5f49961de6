use std::collections::{HashMap, HashSet};

use marula_core::model::{Fanout, Relationship};

use super::draw::Dice;

const NOBODY: u32 = u32::MAX;

/// Which of the many belong to which one.
#[derive(Debug, Clone, Default)]
pub struct Belonging {
    /// The one of each of the many.
    parent: Vec<u32>,
    /// Where the many of each one begin in `children`; one more than there are ones.
    first: Vec<u32>,
    children: Vec<u32>,
}

impl Belonging {
    /// Deals `many` members out to `ones`, as the relationship's fan-out says.
    pub(super) fn deal(
        relation: &Relationship,
        many: u64,
        ones: u64,
        nobody: f64,
        seed: u64,
    ) -> Self {
        let mut dice = Dice::of(&[seed, 0x6265_6c6f]);
        let (many, ones) = (many.min(u64::from(NOBODY - 1)), ones.min(u64::from(NOBODY - 1)));
        if ones == 0 {
            return Belonging::from_parents(vec![NOBODY; many as usize], 0);
        }
        let fanout = relation.fanout.unwrap_or(Fanout {
            average: many as f64 / ones as f64,
            p99: None,
            max: None,
        });
        let weights = weights(&fanout, ones, &mut dice);
        let with_one = many - (many as f64 * nobody) as u64;
        let mut counts = shares(&weights, with_one, relation.at_least_one, fanout.max);
        let mut parent: Vec<u32> = Vec::with_capacity(many as usize);
        for (one, count) in counts.drain(..).enumerate() {
            parent.extend(std::iter::repeat_n(one as u32, count as usize));
        }
        parent.resize(many as usize, NOBODY);
        // Who lives within another comes with it; who only refers comes at any time.
        if !relation.owned {
            for at in (1..parent.len()).rev() {
                parent.swap(at, dice.below(at as u64 + 1) as usize);
            }
        }
        if relation.from == relation.to {
            let most = fanout.max.unwrap_or(u64::MAX);
            parent = of_its_kind(&parent, most, nobody == 0.0, &mut dice);
        }
        Belonging::from_parents(parent, ones)
    }

    fn from_parents(parent: Vec<u32>, ones: u64) -> Self {
        let mut first = vec![0u32; ones as usize + 1];
        for &one in parent.iter().filter(|&&one| one != NOBODY) {
            first[one as usize + 1] += 1;
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        let mut next = first.clone();
        let mut children = vec![0u32; first.last().copied().unwrap_or_default() as usize];
        for (child, &one) in parent.iter().enumerate().filter(|(_, one)| **one != NOBODY) {
            children[next[one as usize] as usize] = child as u32;
            next[one as usize] += 1;
        }
        Belonging { parent, first, children }
    }

    /// The belonging of members each of whose ones is known.
    pub(super) fn of(parents: &[Option<u64>], ones: u64) -> Self {
        let number = |one: &Option<u64>| one.map_or(NOBODY, |one| one as u32);
        Belonging::from_parents(parents.iter().map(number).collect(), ones)
    }

    /// Lets one of the many belong to another, or to nobody; the ones do not know yet.
    pub(super) fn give(&mut self, row: u64, one: Option<u64>) {
        if let Some(parent) = self.parent.get_mut(row as usize) {
            *parent = one.map_or(NOBODY, |one| one as u32);
        }
    }

    /// How many of the many there are.
    pub(super) fn rows(&self) -> u64 {
        self.parent.len() as u64
    }

    /// How many ones there are.
    pub fn ones(&self) -> u64 {
        self.first.len().saturating_sub(1) as u64
    }

    /// The one that a member belongs to.
    pub fn parent(&self, row: u64) -> Option<u64> {
        self.parent.get(row as usize).filter(|one| **one != NOBODY).map(|&one| u64::from(one))
    }

    /// The many that belong to one.
    pub fn children(&self, one: u64) -> impl Iterator<Item = u64> + '_ {
        let at = |at: u64| self.first.get(at as usize).copied().unwrap_or_default() as usize;
        let range = if one < self.ones() { at(one)..at(one + 1) } else { 0..0 };
        self.children.get(range).unwrap_or_default().iter().map(|&row| u64::from(row))
    }

    /// The number of a member among those of its one, from 0.
    pub fn ordinal(&self, row: u64) -> u64 {
        let Some(one) = self.parent(row) else { return 0 };
        self.children(one).position(|child| child == row).unwrap_or_default() as u64
    }

    /// The most that belong to one.
    pub fn most(&self) -> u64 {
        (0..self.ones()).map(|one| self.children(one).count() as u64).max().unwrap_or_default()
    }
}

/// One that refers to its own kind refers to one that was there before: those that `parent` deals
/// out go to whoever comes later. Where none is left there is nobody; if there `must` be somebody,
/// then one of those before that has fewer than `most`.
fn of_its_kind(parent: &[u32], most: u64, must: bool, dice: &mut Dice) -> Vec<u32> {
    let mut slots: Vec<u32> = parent.iter().copied().filter(|one| *one != NOBODY).collect();
    slots.sort_unstable_by(|a, b| b.cmp(a));
    let mut before: Vec<u32> = Vec::new();
    let mut had: HashMap<u32, u64> = HashMap::new();
    let mut last = 0;
    let dealt = parent.iter().enumerate().map(|(at, one)| {
        while let Some(slot) = slots.pop_if(|slot| (*slot as usize) < at) {
            before.push(slot);
        }
        if *one == NOBODY {
            return NOBODY;
        }
        if !before.is_empty() {
            let one = before.swap_remove(dice.below(before.len() as u64) as usize);
            *had.entry(one).or_default() += 1;
            return one;
        }
        if !must {
            return NOBODY;
        }
        // The first has nobody before it.
        while last < at && had.get(&(last as u32)).is_some_and(|had| *had >= most) {
            last += 1;
        }
        if last == at {
            return NOBODY;
        }
        *had.entry(last as u32).or_default() += 1;
        last as u32
    });
    dealt.collect()
}

/// How much each one weighs: even for a fan-out without a tail, else log-normal with the tail the
/// 99th percentile asks for.
fn weights(fanout: &Fanout, ones: u64, dice: &mut Dice) -> Vec<f64> {
    let tail = fanout.p99.or(fanout.max.map(|max| max.div_ceil(2)));
    let ratio = tail.map_or(2.0, |p99| p99 as f64 / fanout.average.max(0.01)).max(1.0);
    // For a log-normal law of mean 1 the 99th percentile is exp(2.326 s - s²/2).
    let sigma = 2.326 - (2.326f64.powi(2) - 2.0 * ratio.ln()).max(0.0).sqrt();
    (0..ones).map(|_| (sigma * dice.normal()).exp()).collect()
}

/// Deals `many` by weight; nobody gets more than `most`, and everybody one where that must be.
fn shares(weights: &[f64], many: u64, at_least_one: bool, most: Option<u64>) -> Vec<u64> {
    let ones = weights.len() as u64;
    let least = u64::from(at_least_one && many >= ones);
    // A bound that leaves no room for all is no bound.
    let most = most.filter(|most| most.saturating_mul(ones) >= many).unwrap_or(u64::MAX);
    let sum: f64 = weights.iter().sum();
    let rest = (many - least * ones) as f64;
    let mut carried = 0.0;
    let mut counts: Vec<u64> = weights
        .iter()
        .map(|weight| {
            let wanted = weight / sum * rest + carried;
            let got = wanted.floor().max(0.0);
            carried = wanted - got;
            (got as u64 + least).min(most)
        })
        .collect();
    let mut missing = many.saturating_sub(counts.iter().sum());
    while missing > 0 {
        for count in counts.iter_mut().filter(|count| **count < most) {
            if missing > 0 {
                *count += 1;
                missing -= 1;
            }
        }
    }
    counts
}

/// Who of one relationship goes with whom of another: all with all, or those who agree in what both
/// relationships share.
#[derive(Debug)]
pub(super) struct Partners {
    /// The group of each of the first.
    group: Vec<u32>,
    /// The others of each group.
    others: Vec<Vec<u32>>,
}

impl Partners {
    /// Everybody goes with everybody.
    pub(super) fn all(firsts: u64, lasts: u64) -> Self {
        Partners { group: vec![0; firsts as usize], others: vec![(0..lasts as u32).collect()] }
    }

    /// Who goes with those that have the same.
    pub(super) fn of(firsts: &[Vec<u32>], lasts: &[Vec<u32>]) -> Self {
        let mut numbers: HashMap<&Vec<u32>, u32> = HashMap::new();
        let mut others: Vec<Vec<u32>> = Vec::new();
        let mut group = Vec::with_capacity(firsts.len());
        for values in firsts {
            let number = *numbers.entry(values).or_insert(others.len() as u32);
            if number as usize == others.len() {
                others.push(Vec::new());
            }
            group.push(number);
        }
        for (last, values) in lasts.iter().enumerate() {
            if let Some(number) = numbers.get(values) {
                others[*number as usize].push(last as u32);
            }
        }
        Partners { group, others }
    }

    /// The others that go with one of the first.
    pub(super) fn with(&self, one: u64) -> &[u32] {
        let group = self.group.get(one as usize);
        group.and_then(|group| self.others.get(*group as usize)).map_or(&[], Vec::as_slice)
    }
}

/// Deals two relationships anew wherever two of the many have the same two ones: the second of
/// them, and where a one of the first has all of the second already, both. Whether there were any.
pub(super) fn tell_apart(
    all: &mut [Belonging],
    (first, last): (usize, usize),
    partners: &Partners,
    rows: u64,
    seed: u64,
) -> bool {
    let (firsts, lasts) = (all[first].ones(), all[last].ones());
    if firsts == 0 || lasts == 0 {
        return false;
    }
    let mut dice = Dice::of(&[seed, 0x7061_6972]);
    let mut seen = HashSet::new();
    let mut had: HashMap<u32, u64> = HashMap::new();
    let mut any = false;
    let mut pairs: (Vec<u32>, Vec<u32>) = (all[first].parent.clone(), all[last].parent.clone());
    for (one, other) in pairs.0.iter_mut().zip(&mut pairs.1).take(rows as usize) {
        for tries in 0..1_000u32 {
            let with = partners.with(u64::from(*one)).len() as u64;
            let full = had.get(one).is_some_and(|had| *had >= with);
            if !full && seen.insert((*one, *other)) {
                *had.entry(*one).or_default() += 1;
                break;
            }
            any = true;
            // Late tries are for those that have nearly all.
            if full || tries > 500 {
                *one = dice.below(firsts) as u32;
            }
            let with = partners.with(u64::from(*one));
            let drawn = dice.below(with.len() as u64) as usize;
            *other = with.get(drawn).copied().unwrap_or(*other);
        }
    }
    all[first] = Belonging::from_parents(pairs.0, firsts);
    all[last] = Belonging::from_parents(pairs.1, lasts);
    any
}

/// The ones of the first relationship that can be given a further one of the second, and another
/// after that for long.
pub(super) fn with_room(first: &Belonging, partners: &Partners) -> Vec<u64> {
    let all = |one: &u64| partners.with(*one).len() as u64;
    let room = |one: &u64| all(one).saturating_sub(first.children(*one).count() as u64);
    let much = |one: &u64| room(one) * 2 >= all(one) && all(one) > 0;
    let much: Vec<u64> = (0..first.ones()).filter(much).collect();
    if much.is_empty() { (0..first.ones()).filter(|one| room(one) > 0).collect() } else { much }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(average: f64, p99: u64, max: u64) -> Relationship {
        let fanout = Some(Fanout { average, p99: Some(p99), max: Some(max) });
        Relationship {
            from: "lines".into(),
            to: "orders".into(),
            fanout,
            ..Relationship::default()
        }
    }

    #[test]
    fn everybody_is_dealt_out_and_nobody_gets_more_than_the_most() {
        let dealt = Belonging::deal(&relation(5.0, 20, 50), 50_000, 10_000, 0.0, 7);
        assert_eq!(dealt.parent.iter().filter(|&&one| one == NOBODY).count(), 0);
        assert_eq!((0..10_000).map(|one| dealt.children(one).count()).sum::<usize>(), 50_000);
        assert!(dealt.most() <= 50);
        let mut counts: Vec<usize> = (0..10_000).map(|one| dealt.children(one).count()).collect();
        counts.sort_unstable();
        assert!((15..=25).contains(&counts[9_900]), "p99 is {}", counts[9_900]);
    }

    #[test]
    fn a_member_is_among_the_children_of_its_parent() {
        let dealt = Belonging::deal(&relation(3.0, 9, 20), 900, 300, 0.1, 1);
        for row in 0..900 {
            match dealt.parent(row) {
                Some(one) => assert!(dealt.children(one).any(|child| child == row)),
                None => assert_eq!(dealt.ordinal(row), 0),
            }
        }
        assert_eq!((0..900).filter(|&row| dealt.parent(row).is_none()).count(), 90);
    }

    #[test]
    fn pairs_are_told_apart() {
        let of = |seed| Belonging::deal(&relation(10.0, 30, 60), 1_000, 100, 0.0, seed);
        let mut all = [of(1), of(2)];
        tell_apart(&mut all, (0, 1), &Partners::all(100, 100), 1_000, 3);
        let pairs: HashSet<_> =
            (0..1_000).map(|row| (all[0].parent(row), all[1].parent(row))).collect();
        assert_eq!(pairs.len(), 1_000);
    }

    #[test]
    fn one_that_would_have_more_than_there_are_leaves_some_to_others() {
        // Without a bound one in a hundred has most of them.
        let skewed = Belonging::deal(&relation(6.0, 800, 100_000), 900, 150, 0.0, 1);
        assert!(skewed.most() > 40, "{}", skewed.most());
        let few = Belonging::deal(&relation(22.0, 40, 60), 900, 40, 0.0, 2);
        let mut all = [skewed, few];
        let partners = Partners::all(150, 40);
        tell_apart(&mut all, (0, 1), &partners, 900, 3);
        let pairs: HashSet<_> =
            (0..900).map(|row| (all[0].parent(row), all[1].parent(row))).collect();
        assert_eq!(pairs.len(), 900);
        let room = with_room(&all[0], &partners);
        assert!(room.iter().all(|&one| all[0].children(one).count() <= 20));
    }
}
