//! Timestamps as text.

use time::{OffsetDateTime, UtcOffset};

/// RFC 3339 in UTC with milliseconds.
#[must_use]
pub fn timestamp(moment: OffsetDateTime) -> String {
    let (hour, minute, second, millisecond) = moment.to_offset(UtcOffset::UTC).to_hms_milli();
    format!("{}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z", moment.to_offset(UtcOffset::UTC).date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn writes_moments_in_utc_with_milliseconds() {
        let moment = OffsetDateTime::UNIX_EPOCH + Duration::from_millis(1_795_000_000_050);

        assert_eq!(timestamp(moment), "2026-11-18T11:06:40.050Z");
    }
}
