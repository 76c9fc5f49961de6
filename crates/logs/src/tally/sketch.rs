/// How often each duration was seen, to within 1 %: bins whose width is 1/64 of their power of
/// two. Sparse, exactly mergeable in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch {
    /// Bin and count, by bin.
    bins: Vec<(u16, u32)>,
}

/// Values below this have a bin of their own.
const LINEAR: u64 = 128;

fn bin(value: u64) -> u16 {
    if value < LINEAR {
        return value as u16;
    }
    let power = value.ilog2();
    (LINEAR as u32 + (power - 7) * 64 + ((value >> (power - 6)) & 63) as u32) as u16
}

/// The middle of a bin.
fn value(bin: u16) -> u64 {
    let bin = u64::from(bin);
    if bin < LINEAR {
        return bin;
    }
    let (power, step) = ((bin - LINEAR) / 64 + 7, (bin - LINEAR) % 64);
    let width = 1u64 << (power - 6);
    (64 + step) * width + (width - 1) / 2
}

impl Sketch {
    /// Counts one value.
    pub fn add(&mut self, value: u64) {
        let bin = bin(value);
        let at = self.bins.partition_point(|(known, _)| *known < bin);
        match self.bins.get_mut(at) {
            Some((known, count)) if *known == bin => *count = count.saturating_add(1),
            _ => self.bins.insert(at, (bin, 1)),
        }
    }

    /// Gives back memory that it does not use.
    pub fn shrink(&mut self) {
        self.bins.shrink_to_fit();
    }

    /// Counts all that another has counted.
    pub fn merge(&mut self, other: &Sketch) {
        if other.bins.is_empty() {
            return;
        }
        let all_known = other.bins.iter().all(|(bin, count)| {
            let at = self.bins.partition_point(|(known, _)| known < bin);
            match self.bins.get_mut(at) {
                Some((known, sum)) if known == bin => {
                    *sum = sum.saturating_add(*count);
                    true
                }
                _ => false,
            }
        });
        if !all_known {
            self.merge_new(other);
        }
    }

    /// The slow way: the first bin that is not known, and all after it.
    fn merge_new(&mut self, other: &Sketch) {
        let first = other
            .bins
            .iter()
            .position(|(bin, _)| self.bins.binary_search_by_key(bin, |b| b.0).is_err())
            .unwrap_or(other.bins.len());
        let mut merged = Vec::with_capacity(self.bins.len() + other.bins.len() - first);
        let (mut mine, mut theirs) =
            (self.bins.iter().peekable(), other.bins[first..].iter().peekable());
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.0 == b.0 => {
                    let both = (a.0, a.1.saturating_add(b.1));
                    mine.next();
                    theirs.next();
                    both
                }
                (Some(a), Some(b)) if a.0 < b.0 => {
                    let a = **a;
                    mine.next();
                    a
                }
                (_, Some(b)) => {
                    let b = **b;
                    theirs.next();
                    b
                }
                (Some(a), None) => {
                    let a = **a;
                    mine.next();
                    a
                }
                (None, None) => break,
            };
            merged.push(next);
        }
        self.bins = merged;
    }

    /// The value that `share` (0 to 1) of all values do not exceed, within 1 %; 0 when empty.
    pub fn quantile(&self, share: f64) -> u64 {
        let total: u64 = self.bins.iter().map(|(_, count)| u64::from(*count)).sum();
        let rank = ((share * total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (bin, count) in &self.bins {
            seen += u64::from(*count);
            if seen >= rank {
                return value(*bin);
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_value_is_within_one_percent_of_its_bin() {
        let mut value_seen = 1u64;
        while value_seen < 1 << 62 {
            for near in [value_seen - 1, value_seen, value_seen + 1] {
                let told = value(bin(near));
                assert!(told.abs_diff(near) as f64 <= near as f64 * 0.01, "{near} → {told}");
            }
            value_seen += value_seen / 43 + 1;
        }
    }

    proptest! {
        #[test]
        fn merging_is_counting_and_quantiles_are_near(
            mut values in proptest::collection::vec(0u64..3_000_000_000, 1..400),
            split in 0usize..400,
        ) {
            let split = split.min(values.len());
            let mut all = Sketch::default();
            values.iter().for_each(|v| all.add(*v));
            let (mut left, mut right) = (Sketch::default(), Sketch::default());
            values[..split].iter().for_each(|v| left.add(*v));
            values[split..].iter().for_each(|v| right.add(*v));
            left.merge(&right);
            prop_assert_eq!(&left, &all);
            values.sort_unstable();
            for share in [0.5, 0.95, 0.99, 1.0] {
                let rank = ((share * values.len() as f64).ceil() as usize).max(1);
                let exact = values[rank - 1];
                prop_assert!(all.quantile(share).abs_diff(exact) as f64 <= exact as f64 * 0.01);
            }
        }
    }
}
