//! The run as it goes on, on standard error: lines that are rewritten on a terminal, plain ones elsewhere.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use twolane_load::lap::Lap;

/// Between two looks on a terminal, and elsewhere.
const EVERY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Shows the lanes until dropped.
pub(crate) async fn show(laps: &[Lap]) {
    let terminal = io::stderr().is_terminal();
    let mut tick = interval(EVERY[usize::from(!terminal)]);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick.tick().await;
    let mut shown = Shown { terminal, lines: 0 };
    loop {
        tick.tick().await;
        shown.show(&laps.iter().map(Lap::line).collect::<Vec<_>>());
    }
}

/// What is on the terminal.
struct Shown {
    terminal: bool,
    lines: usize,
}

impl Shown {
    fn show(&mut self, lines: &[String]) {
        let mut text = String::new();
        if self.terminal && self.lines > 0 {
            // Up, and clear what is below. Source: ECMA-48, CPL and ED.
            let _ = write!(text, "\x1b[{}F\x1b[J", self.lines);
        }
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
        self.lines = lines.len();
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if self.terminal && self.lines > 0 {
            let _ = write!(io::stderr().lock(), "\x1b[{}F\x1b[J", self.lines);
        }
    }
}
