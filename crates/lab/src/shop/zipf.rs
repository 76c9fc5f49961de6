use super::rng::{Rng, Stream};

/// Draws ids from 0 to n - 1 with the frequencies of the Zipf–Mandelbrot law: the k-th most
/// popular one has a share proportional to 1 / (k + flatness).
///
/// Which id is popular is shuffled by the seed, so popularity tells nothing about age. Drawing
/// takes constant time (the alias method of Walker and Vose) and uses sums and quotients only,
/// which are the same on every platform, unlike powers and logarithms.
#[derive(Debug)]
pub(super) struct Zipf {
    slots: Vec<Slot>,
    /// The id of every rank.
    ids: Vec<u32>,
}

/// All slots are equally likely; a slot belongs to two ranks.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The part of it that belongs to the rank of its own number, in 2^-32.
    own: u32,
    /// The rank that has the rest.
    alias: u32,
}

impl Zipf {
    /// A law over `count` ids (at least one).
    pub(super) fn new(count: u32, flatness: f64, seed: u64) -> Self {
        let count = count.max(1);
        let mut ids: Vec<u32> = (0..count).collect();
        let mut rng = Rng::of(seed, Stream::Shuffle, u64::from(count));
        for place in (1..ids.len()).rev() {
            ids.swap(place, rng.below(place as u64 + 1) as usize);
        }
        Zipf { slots: slots(count, flatness), ids }
    }

    /// Draws an id.
    pub(super) fn draw(&self, rng: &mut Rng) -> u32 {
        let number = rng.next();
        let place = ((number >> 32) * self.slots.len() as u64) >> 32;
        let slot = self.slots[place as usize];
        let rank = if (number as u32) < slot.own { place as usize } else { slot.alias as usize };
        self.ids[rank]
    }
}

fn slots(count: u32, flatness: f64) -> Vec<Slot> {
    let weight = |rank: u32| 1.0 / (f64::from(rank) + 1.0 + flatness);
    let total: f64 = (0..count).map(weight).sum();
    let mut share: Vec<f64> =
        (0..count).map(|rank| weight(rank) * f64::from(count) / total).collect();
    // Slots that nothing fills up, because of rounding, keep all of themselves.
    let mut slots: Vec<Slot> = (0..count).map(|alias| Slot { own: u32::MAX, alias }).collect();
    let (mut rich, mut poor): (Vec<u32>, Vec<u32>) =
        (0..count).partition(|rank| share[*rank as usize] >= 1.0);
    while let (Some(from), Some(to)) = (rich.pop(), poor.pop()) {
        let own = share[to as usize];
        slots[to as usize] = Slot { own: (own * 4_294_967_296.0) as u32, alias: from };
        share[from as usize] -= 1.0 - own;
        if share[from as usize] >= 1.0 {
            rich.push(from);
        } else {
            poor.push(from);
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_the_law() {
        let zipf = Zipf::new(100, 2.0, 7);
        let mut rng = Rng::of(7, Stream::Order, 0);
        let mut drawn = vec![0u32; 100];
        const DRAWS: u32 = 200_000;
        for _ in 0..DRAWS {
            drawn[zipf.draw(&mut rng) as usize] += 1;
        }
        let total: f64 = (0..100).map(|rank| 1.0 / (f64::from(rank) + 3.0)).sum();
        for rank in [0u32, 1, 9, 99] {
            let expected = f64::from(DRAWS) / (f64::from(rank) + 3.0) / total;
            let got = f64::from(drawn[zipf.ids[rank as usize] as usize]);
            assert!((got - expected).abs() < 5.0 * expected.sqrt(), "{rank}: {got} {expected}");
        }
    }

    #[test]
    fn one_in_a_hundred_has_over_a_third() {
        let zipf = Zipf::new(20_000, 10.0, 7);
        let mut top = vec![false; 20_000];
        zipf.ids.iter().take(200).for_each(|id| top[*id as usize] = true);
        let mut rng = Rng::of(7, Stream::Item, 0);
        let hits = (0..100_000).filter(|_| top[zipf.draw(&mut rng) as usize]).count();
        assert!((37_000..42_000).contains(&hits), "{hits}");
    }

    #[test]
    fn one_id_is_enough() {
        let mut rng = Rng::of(1, Stream::Order, 0);
        assert_eq!(Zipf::new(0, 10.0, 1).draw(&mut rng), 0);
    }
}
