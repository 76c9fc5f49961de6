use marula_core::model::Skew;

/// Numbers by chance, the same for the same seed on every machine (SplitMix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same way whenever `parts` are the same.
    pub fn of(parts: &[u64]) -> Self {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for &part in parts {
            dice.0 ^= part.wrapping_mul(0xff51_afd7_ed55_8ccd);
            dice.0 = dice.next();
        }
        dice
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, not with, 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number below `end`; 0 when that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// One of `count` things by how often each is wanted.
    pub fn pick(&mut self, count: u64, skew: Skew) -> u64 {
        match skew {
            Skew::Uniform => self.below(count),
            // Which ones are popular must have nothing to do with their age.
            Skew::Zipf => scatter(self.rank(count), count),
            Skew::Latest => count.saturating_sub(1 + self.rank(count)),
        }
    }

    /// A rank below `count`, the k-th with a share of about 1/k.
    pub fn rank(&mut self, count: u64) -> u64 {
        let rank = ((count as f64 + 1.0).ln() * self.share()).exp() - 1.0;
        (rank as u64).min(count.saturating_sub(1))
    }

    /// A number around 0, seldom far from it (normal, to four digits).
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.share(), self.share());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

/// Spreads ranks over all numbers below `count`, each rank to a number of its own.
fn scatter(rank: u64, count: u64) -> u64 {
    if count < 2 {
        return 0;
    }
    // A step without a common divisor visits every number.
    let mut step = (count as f64 * 0.618_034) as u64 | 1;
    while divisor(step, count) != 1 {
        step += 2;
    }
    ((u128::from(rank) * u128::from(step)) % u128::from(count)) as u64
}

fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_has_a_number_of_its_own() {
        for count in [1, 2, 3, 10, 97, 1000] {
            let mut seen: Vec<u64> = (0..count).map(|rank| scatter(rank, count)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_same_parts_fall_the_same_way() {
        assert_eq!(Dice::of(&[1, 2]).next(), Dice::of(&[1, 2]).next());
        assert_ne!(Dice::of(&[1, 2]).next(), Dice::of(&[2, 1]).next());
    }
}
