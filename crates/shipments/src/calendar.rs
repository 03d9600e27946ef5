//! The days on which parcels leave.

use shared_kernel::Timestamp;
use std::{fmt, time::Duration};

/// A day in UTC, written `2026-12-01`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day(String);

impl Day {
    /// Characters of a date. Source: RFC 3339, section 5.6, `full-date`.
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

/// How many parcels leave on a day, and how far ahead a day can be booked.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    /// Parcels a day. It applies to a day from its first booking: a later change leaves such days as they are.
    pub parcels_per_day: u64,
    /// Days that can be booked, tomorrow the first.
    pub horizon_days: u32,
}

impl Calendar {
    /// The days that can be booked at that moment: tomorrow first.
    pub fn days(self, now: Timestamp) -> impl Iterator<Item = Day> {
        (1..=self.horizon_days).map(move |days| day_after(now, days))
    }

    /// The last day that can be booked at that moment.
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

    #[test]
    fn starts_tomorrow_and_ends_with_the_horizon() {
        let calendar = Calendar { parcels_per_day: 1, horizon_days: 3 };
        let evening = Timestamp::parse("2026-12-30T23:59:59Z").expect("RFC 3339");

        let days: Vec<_> = calendar.days(evening).map(|day| day.to_string()).collect();

        assert_eq!(days, ["2026-12-31", "2027-01-01", "2027-01-02"]);
        assert_eq!(calendar.last_day(evening).to_string(), "2027-01-02");
    }
}
