//! Progress of a run on standard error: rewritten on a terminal, plain lines elsewhere.

use crate::style::takes_escapes;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use twolane_load::lap::Lap;

/// Between updates: on a terminal, and elsewhere.
const EVERY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Shows the lanes until dropped.
pub(crate) async fn show(laps: &[Lap]) {
    let rewrites = takes_escapes(&io::stderr());
    let mut tick = interval(EVERY[usize::from(!rewrites)]);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick.tick().await;
    let mut shown = Shown { rewrites, rows: 0 };
    loop {
        tick.tick().await;
        shown.show(&laps.iter().map(Lap::line).collect::<Vec<_>>(), columns());
    }
}

/// 80 if the terminal reports none.
fn columns() -> usize {
    const USUAL: usize = 80;
    let reported = terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
    reported.filter(|columns| *columns > 0).unwrap_or(USUAL)
}

/// Rows that the lines fill: a terminal wraps long ones.
fn rows(lines: &[String], columns: usize) -> usize {
    lines.iter().map(|line| line.chars().count().div_ceil(columns).max(1)).sum()
}

struct Shown {
    rewrites: bool,
    rows: usize,
}

impl Shown {
    fn show(&mut self, lines: &[String], columns: usize) {
        let mut text = String::new();
        if self.rewrites && self.rows > 0 {
            // Moves up and clears below. Source: ECMA-48, CPL and ED.
            let _ = write!(text, "\x1b[{}F\x1b[J", self.rows);
        }
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
        self.rows = rows(lines, columns);
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if self.rewrites && self.rows > 0 {
            let _ = write!(io::stderr().lock(), "\x1b[{}F\x1b[J", self.rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_rows_of_wrapped_lines() {
        let lines = ["", "a–b", "a–b c", "a–b c–d"].map(str::to_owned);

        assert_eq!(rows(&lines, 80), 4);
        assert_eq!(rows(&lines, 5), 1 + 1 + 1 + 2);
        assert_eq!(rows(&lines, 3), 1 + 1 + 2 + 3);
    }
}
