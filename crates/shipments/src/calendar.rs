use shared_kernel::{OrderId, Timestamp};
use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// A day in UTC, written `2026-12-01`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day(String);

impl Day {
    /// Source: RFC 3339, section 5.6, `full-date`.
    const CHARS: usize = 10;

    /// The day of that moment.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        Self(moment.to_string().chars().take(Self::CHARS).collect())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many parcels a day takes, and how far ahead days can be booked.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    /// Parcels a day. A counter gets its share with its first booking, and keeps it when this changes.
    pub parcels_per_day: u64,
    /// Number of days that can be booked, from tomorrow.
    pub horizon_days: u32,
}

impl Calendar {
    /// Of a day. Each serves about a hundred orders a second. Source: `docs/choosing.md`, "How far it scales".
    const MAX_COUNTERS: u64 = 8;

    /// Fewest parcels of each of several counters. Orders spread at random, so one counter is full before the others:
    /// earlier by about 3 % of its parcels, the inverse of the square root.
    const MIN_PARCELS_OF_COUNTER: u64 = 1000;

    /// The number of counters that share a day's parcels: 1 to 8.
    #[must_use]
    pub fn counters(self) -> u64 {
        (self.parcels_per_day / Self::MIN_PARCELS_OF_COUNTER).clamp(1, Self::MAX_COUNTERS)
    }

    /// The order's counter on every day, below [`Calendar::counters`]. Another Rust release may choose a different one:
    /// a hold stores its counter.
    #[must_use]
    pub fn counter_of(self, id: OrderId) -> u64 {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        hasher.finish() % self.counters()
    }

    /// A counter's share of a day's parcels.
    #[must_use]
    pub fn parcels_of(self, counter: u64) -> u64 {
        let (share, rest) = (self.parcels_per_day / self.counters(), self.parcels_per_day % self.counters());
        share + u64::from(counter < rest)
    }

    /// The days that can be booked at `now`.
    pub fn days(self, now: Timestamp) -> impl Iterator<Item = Day> {
        (1..=self.horizon_days).map(move |days| day_after(now, days))
    }

    /// The last day that can be booked at `now`.
    #[must_use]
    pub fn last_day(self, now: Timestamp) -> Day {
        day_after(now, self.horizon_days)
    }
}

fn day_after(now: Timestamp, days: u32) -> Day {
    Day::at(now.plus(Duration::from_hours(24 * u64::from(days))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_counters_of_a_day_share_its_parcels_exactly(parcels_per_day in 0..=1_000_000_000_u64) {
            let calendar = Calendar { parcels_per_day, horizon_days: 1 };

            let shares: Vec<_> = (0..calendar.counters()).map(|counter| calendar.parcels_of(counter)).collect();

            prop_assert_eq!(shares.iter().sum::<u64>(), parcels_per_day);
            prop_assert!(shares.iter().max() <= shares.iter().min().map(|least| least + 1).as_ref());
        }
    }

    #[test]
    fn orders_spread_over_all_counters() {
        let calendar = Calendar { parcels_per_day: 100_000, horizon_days: 1 };
        let mut orders = vec![0_u32; usize::try_from(calendar.counters()).expect("a few")];

        for number in 0..8000 {
            let id = OrderId::parse(&format!("5f0c1b0e-6a54-4a2e-9d0b-{number:012}")).expect("a UUID");
            orders[usize::try_from(calendar.counter_of(id)).expect("a few")] += 1;
        }

        assert_eq!(orders.len(), 8);
        assert!(orders.iter().all(|orders| (850..1150).contains(orders)), "{orders:?}");
    }

    #[test]
    fn starts_tomorrow_and_ends_with_the_horizon() {
        let calendar = Calendar { parcels_per_day: 1, horizon_days: 3 };
        let evening = Timestamp::parse("2026-12-30T23:59:59Z").expect("RFC 3339");

        let days: Vec<_> = calendar.days(evening).map(|day| day.to_string()).collect();

        assert_eq!(days, ["2026-12-31", "2027-01-01", "2027-01-02"]);
        assert_eq!(calendar.last_day(evening).to_string(), "2027-01-02");
    }
}
