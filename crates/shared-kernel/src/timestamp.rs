use std::{fmt, time::Duration};
use thiserror::Error;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment in UTC, to the millisecond, from year 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    unix_ms: i64,
}

/// The moment is out of range, or the text is not an RFC 3339 date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an RFC 3339 date and time from year 0 to 9999")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The moment `unix_ms` milliseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`InvalidTimestamp`] before year 0 or after year 9999.
    pub fn from_unix_ms(unix_ms: i64) -> Result<Self, InvalidTimestamp> {
        let moment =
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000).map_err(|_| InvalidTimestamp)?;
        (0..=9999).contains(&moment.year()).then_some(Self { unix_ms }).ok_or(InvalidTimestamp)
    }

    /// Reads an RFC 3339 date and time, and truncates it to the millisecond.
    ///
    /// # Errors
    /// [`InvalidTimestamp`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidTimestamp)?;
        let unix_ms =
            i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000_000)).map_err(|_| InvalidTimestamp)?;
        Self::from_unix_ms(unix_ms)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn unix_ms(self) -> i64 {
        self.unix_ms
    }

    /// Whole seconds since 1970, for DynamoDB's time to live.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.unix_ms.div_euclid(1000)
    }

    /// The moment `duration` later, or the same if that is out of range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        i64::try_from(duration.as_millis())
            .ok()
            .and_then(|ms| self.unix_ms.checked_add(ms))
            .and_then(|unix_ms| Self::from_unix_ms(unix_ms).ok())
            .unwrap_or(self)
    }
}

/// RFC 3339 in UTC with exactly three digits of the second: `2026-11-22T09:30:00.042Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment =
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.unix_ms) * 1_000_000).map_err(|_| fmt::Error)?;
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            moment.year(),
            u8::from(moment.month()),
            moment.day(),
            moment.hour(),
            moment.minute(),
            moment.second(),
            moment.millisecond()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn always_writes_three_digits_of_the_second() {
        let moment = Timestamp::parse("2026-11-22T10:30:00+01:00").expect("the sample is RFC 3339");

        assert_eq!(moment.to_string(), "2026-11-22T09:30:00.000Z");
    }

    #[test]
    fn refuses_moments_out_of_range() {
        for unix_ms in [i64::MIN, i64::MAX, 253_402_300_800_000] {
            assert_eq!(Timestamp::from_unix_ms(unix_ms), Err(InvalidTimestamp), "{unix_ms}");
        }
    }

    proptest! {
        #[test]
        fn is_read_back_as_it_was_written(unix_ms in -62_167_219_200_000_i64..253_402_300_800_000) {
            let moment = Timestamp::from_unix_ms(unix_ms).expect("the range is the documented one");

            prop_assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = Timestamp::parse(&text);
        }
    }
}
