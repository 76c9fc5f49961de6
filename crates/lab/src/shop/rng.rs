//! A small random generator of our own, so that the same seed gives the same bytes on every
//! platform and with every version of every library, for as long as this file stays as it is.

/// The tables random numbers are drawn for. Every row has a generator of its own, seeded by its
/// table and id: rows can be made in any order, in any number of tasks, and come out the same.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub(super) enum Stream {
    Customer = 1,
    Address,
    Product,
    Order,
    ItemCount,
    Item,
    Payment,
    Review,
    Session,
    Shuffle,
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// The generator of one row.
    pub(super) fn of(seed: u64, stream: Stream, id: u64) -> Self {
        let table = mix(seed ^ (stream as u64).wrapping_mul(0xd6e8_feb8_6659_fd93));
        Rng(mix(table.wrapping_add(id.wrapping_mul(0xa076_1d64_78bd_642f))))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number from 0 to `limit` - 1; 0 when `limit` is 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as u64) as i64
    }

    /// True in `share` of a thousand calls.
    pub(super) fn permille(&mut self, share: u64) -> bool {
        self.below(1000) < share
    }

    /// One of a list, all equally likely. The list must not be empty.
    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    /// One of a list in which the first are the likeliest: twice as likely as the middle ones,
    /// and the last ones rare.
    pub(super) fn pick_skewed<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let length = list.len() as u64;
        let place = self.below(length).min(self.below(length));
        &list[place as usize]
    }

    /// A word of a list that begins with the commonest ones, as [`Rng::pick_skewed`].
    pub(super) fn word(&mut self, list: &[&'static str]) -> &'static str {
        self.pick_skewed::<&str>(list)
    }

    /// One of a list of values with weights. The list must not be empty.
    pub(super) fn weighted<T: Copy>(&mut self, list: &[(T, u32)]) -> T {
        let total: u64 = list.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = self.below(total);
        for (value, weight) in list {
            let weight = u64::from(*weight);
            if left < weight {
                return *value;
            }
            left -= weight;
        }
        list[list.len() - 1].0
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_range_and_fill_it() {
        let mut rng = Rng::of(1, Stream::Order, 1);
        let mut seen = [false; 7];
        for _ in 0..1000 {
            let number = rng.between(-3, 3);
            seen[(number + 3) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(rng.below(0), 0);
    }

    #[test]
    fn neighbouring_rows_and_tables_have_unrelated_numbers() {
        let first = |stream, id| Rng::of(42, stream, id).next();
        let differing = (first(Stream::Order, 1) ^ first(Stream::Order, 2)).count_ones();
        assert!((16..48).contains(&differing), "{differing} bits differ");
        assert_ne!(first(Stream::Order, 1), first(Stream::Item, 1));
    }
}
