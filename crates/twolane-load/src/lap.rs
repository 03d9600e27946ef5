//! Progress of a lane under load.

use crate::measure::{Clocked, Tally};
use lanes::Lane;
use std::time::Duration;

/// Seconds over which the completion rate is averaged.
const RECENT: usize = 5;

/// A lane under load.
pub struct Lap {
    pub(crate) lane: Lane,
    pub(crate) clocked: Clocked,
    pub(crate) requests: usize,
    /// When the last one is due, since the start.
    pub(crate) last_due: Duration,
}

impl Lap {
    /// Its progress as one line.
    #[must_use]
    pub fn line(&self) -> String {
        let elapsed = self.clocked.elapsed();
        let tally = self.clocked.tally();
        // The second that has just ended.
        let last = usize::try_from(elapsed.as_secs()).ok().and_then(|second| tally.seconds.get(second.checked_sub(1)?));
        let (rate, accepted) = last.map_or((0, 0), |second| (second.sent, second.acknowledged));
        let not_sent: u64 = tally.seconds.iter().map(|second| second.not_sent).sum();
        let sent = tally.seconds.iter().map(|second| second.sent).sum::<u64>() - not_sent;
        let refused: u64 = tally.seconds.iter().map(|second| second.refused).sum();
        let acknowledged: u64 = tally.seconds.iter().map(|second| second.acknowledged).sum();
        let p99 = match tally.times.acknowledge.quantile_ms(0.99) {
            0.0 => "–".to_owned(),
            p99 => format!("{p99:.0} ms"),
        };
        let left = match self.last_due.checked_sub(elapsed) {
            Some(left) => format!("{:.0} s to send", left.as_secs_f64()),
            None => match drained_in(&tally, elapsed) {
                Some(left) => format!("waiting for {}, {left:.0} s at this rate", tally.open),
                None => format!("waiting for {}", tally.open),
            },
        };
        let not_sent = if not_sent > 0 { format!("  {not_sent} NOT SENT") } else { String::new() };
        format!(
            "{:<5} {:>4.0} s  {rate:>5}/s sent {accepted:>5}/s accepted  {sent}/{} sent{not_sent}  {acknowledged} accepted  \
             {refused} refused  {} done  {} in flight  p99 {p99}  {left}",
            self.lane.name,
            elapsed.as_secs_f64(),
            self.requests,
            tally.done,
            tally.in_flight + tally.open,
        )
    }
}

/// Seconds until the open orders are done, at the rate of the last [`RECENT`] seconds.
fn drained_in(tally: &Tally, elapsed: Duration) -> Option<f64> {
    let now = usize::try_from(elapsed.as_secs()).ok()?;
    let recent = tally.seconds.iter().take(now).skip(now.saturating_sub(RECENT));
    let closed = recent.map(|second| second.closed).sum::<u64>();
    #[expect(clippy::cast_precision_loss, reason = "orders and seconds of a run are far below 2^53")]
    let seconds = (closed > 0 && tally.open > 0).then(|| tally.open as f64 * RECENT.min(now) as f64 / closed as f64);
    seconds
}
