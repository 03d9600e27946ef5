//! The present moment.

use orders::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The present moment, by the system's clock.
///
/// # Panics
/// The clock is before 1970 or after 9999.
#[must_use]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since_epoch.as_millis())
        .ok()
        .and_then(|unix_ms| Timestamp::from_unix_ms(unix_ms).ok())
        .expect("the clock is before the year 10000")
}
