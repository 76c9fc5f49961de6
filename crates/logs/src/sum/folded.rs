use rustc_hash::FxHashMap;

use marula_core::Partial;

use super::statement::StatementSum;
use crate::tally::Cost;

/// Folded statements whose numbers are kept, so that one that comes again goes on where it was.
const KEPT: usize = 150_000;
/// Bits that say which statements may have been dropped even from there: 4 MB.
const BITS: usize = 1 << 25;
/// Bits a statement sets.
const PROBES: u64 = 4;

/// Statements that are no longer kept in full.
#[derive(Default)]
pub struct Folded {
    known: FxHashMap<u64, Numbers>,
    /// A Bloom filter of those of which nothing is kept; made when it is needed.
    dropped: Vec<u64>,
    dropped_count: u64,
}

/// What stays exact of a folded statement.
struct Numbers {
    cost: Cost,
    span: Option<(i64, i64)>,
    partial: Option<Partial>,
}

impl Folded {
    /// Puts a statement here, of which only the numbers stay.
    pub fn put(&mut self, name: u64, statement: StatementSum) {
        if self.known.len() < KEPT {
            let StatementSum { mut cost, span, partial, .. } = statement;
            cost.shrink();
            self.known.insert(name, Numbers { cost, span, partial });
            return;
        }
        if self.dropped.is_empty() {
            self.dropped = vec![0; BITS / 64];
        }
        let mut new = false;
        for (word, bit) in places(name) {
            new |= self.dropped[word] & bit == 0;
            self.dropped[word] |= bit;
        }
        self.dropped_count += u64::from(new);
    }

    /// Gives a statement that comes again what is known of it, and says what it misses.
    pub fn take(&mut self, name: u64, statement: &mut StatementSum) {
        if let Some(Numbers { cost, span, partial }) = self.known.remove(&name) {
            statement.cost = cost;
            statement.span = span;
            statement.partial = partial.or(Some(Partial::Details));
        } else if !self.dropped.is_empty()
            && places(name).all(|(word, bit)| self.dropped[word] & bit != 0)
        {
            statement.partial = Some(Partial::Load);
        }
    }

    /// How many there are, each once; those in `kept` are not among them.
    pub fn count<'a>(&self, kept: impl Iterator<Item = &'a StatementSum>) -> u64 {
        let back = kept.filter(|one| one.partial == Some(Partial::Load)).count() as u64;
        self.known.len() as u64 + self.dropped_count.saturating_sub(back)
    }
}

/// The bits of a statement.
fn places(name: u64) -> impl Iterator<Item = (usize, u64)> {
    let step = name.rotate_left(32).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..PROBES).map(move |probe| {
        let place = name.wrapping_add(step.wrapping_mul(probe + 1)) >> (64 - BITS.ilog2());
        (place as usize / 64, 1 << (place % 64))
    })
}

#[cfg(test)]
mod tests;
