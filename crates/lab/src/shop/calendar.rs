//! The shop's time: three years that end on a fixed day, with growth, seasons and busy hours.

use marula_core::Timestamp;

use super::rng::Rng;

/// A second, in milliseconds.
pub(super) const SECOND: i64 = 1000;
/// An hour, in milliseconds.
pub(super) const HOUR: i64 = 3600 * SECOND;
/// A day, in milliseconds.
pub(super) const DAY: i64 = 24 * HOUR;
/// 2023-10-01 00:00:00 UTC, in milliseconds since 1970: the first order is after it.
pub(super) const START: i64 = 1_696_118_400_000;
/// The three years' length.
const DAYS: i64 = 1096;
/// 2026-10-01 00:00:00 UTC: everything that happened was before it. No clock is read, so that
/// the data are the same on every day.
pub(super) const END: i64 = START + DAYS * DAY;

/// How busy the months are, January first: a peak before Christmas and a small one in summer.
const MONTHS: [u64; 12] = [82, 78, 88, 92, 96, 104, 108, 90, 94, 102, 136, 158];
/// How busy the days of the week are, Monday first.
const WEEKDAYS: [u64; 7] = [96, 94, 95, 98, 104, 116, 122];
/// How busy the hours are, midnight first.
const HOURS: [u64; 24] =
    [8, 5, 3, 2, 2, 4, 10, 22, 36, 48, 54, 56, 60, 56, 52, 50, 52, 58, 68, 80, 88, 76, 46, 20];

/// Spreads things over the three years in proportion to how busy the shop is.
#[derive(Debug)]
pub(super) struct Calendar {
    /// The weight of all days before the day.
    before: Vec<u64>,
    /// The weight of all days.
    total: u64,
    /// The weight of all hours before the hour.
    hours: [u64; 25],
}

impl Calendar {
    pub(super) fn new() -> Self {
        let mut before = Vec::with_capacity(DAYS as usize);
        let mut total = 0u64;
        for day in 0..DAYS {
            before.push(total);
            let date = START / DAY + day;
            // 1970-01-01 was a Thursday, the fourth day from Monday.
            let weekday = (date + 3).rem_euclid(7) as usize;
            let growth = 1000 + day as u64;
            total += growth * MONTHS[month(date)] * WEEKDAYS[weekday];
        }
        let mut hours = [0u64; 25];
        for (hour, weight) in HOURS.iter().enumerate() {
            hours[hour + 1] = hours[hour] + weight;
        }
        Calendar { before, total, hours }
    }

    /// When the `index`-th of `count` things happens, in milliseconds since 1970. Times never
    /// fall while the index grows.
    pub(super) fn time_of(&self, index: u64, count: u64, rng: &mut Rng) -> i64 {
        const FINE: u32 = 20;
        let jitter = rng.below(1 << FINE);
        let place = ((u128::from(index) << FINE) + u128::from(jitter)) * u128::from(self.total)
            / (u128::from(count.max(1)) << FINE);
        let place = (place as u64).min(self.total - 1);
        let day = self.before.partition_point(|before| *before <= place) - 1;
        let end = self.before.get(day + 1).copied().unwrap_or(self.total);
        let (within, length) = (place - self.before[day], end - self.before[day]);
        START + day as i64 * DAY + self.time_of_day(within, length)
    }

    /// The time of day before which `within / length` of the day's things happen.
    fn time_of_day(&self, within: u64, length: u64) -> i64 {
        let all = u128::from(self.hours[24]);
        let scaled = u128::from(within) * all * HOUR as u128 / u128::from(length.max(1));
        let busy = (scaled / HOUR as u128) as u64;
        let hour = self.hours.partition_point(|before| *before <= busy).clamp(1, 24) - 1;
        let into = scaled - u128::from(self.hours[hour]) * HOUR as u128;
        hour as i64 * HOUR + (into / u128::from(HOURS[hour])) as i64
    }
}

/// The month (January is 0) of a day counted from 1970-01-01.
fn month(date: i64) -> usize {
    let (_, month, _, _) = Timestamp(date * DAY).to_civil();
    month as usize - 1
}

#[cfg(test)]
mod tests {
    use super::super::rng::Stream;
    use super::*;

    #[test]
    fn the_years_begin_and_end_on_the_first_of_october() {
        assert_eq!(Timestamp(START).to_civil(), (2023, 10, 1, 0));
        assert_eq!(Timestamp(END).to_civil(), (2026, 10, 1, 0));
    }

    #[test]
    fn times_grow_with_the_index_and_fill_the_years() {
        let calendar = Calendar::new();
        let times: Vec<i64> = (0..20_000)
            .map(|index| calendar.time_of(index, 20_000, &mut Rng::of(1, Stream::Order, index)))
            .collect();
        assert!(times.is_sorted());
        assert!(times[0] >= START && times[0] < START + DAY);
        assert!(times[19_999] < END && times[19_999] > END - DAY);
        let in_month =
            |wanted| times.iter().filter(|time| month(*time / DAY) == wanted).count() as f64;
        assert!(in_month(11) > 1.5 * in_month(1), "December is busier than February");
        let at_hour = |wanted| times.iter().filter(|time| *time % DAY / HOUR == wanted).count();
        assert!(at_hour(20) > 10 * at_hour(3), "evenings are busier than nights");
    }
}
