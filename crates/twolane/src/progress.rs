//! Standard error: what goes on meanwhile, and what went wrong.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;

/// Says something on standard error. Where nobody listens, nothing is lost.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// How many orders are done: one line, rewritten in place, on a terminal only.
pub(crate) struct Progress {
    terminal: bool,
    orders: usize,
    done: Mutex<usize>,
}

/// To the first column, then clears the line. Source: ECMA-48, EL.
const REWRITE: &str = "\r\x1b[K";

impl Progress {
    /// Nothing of so many orders is done yet.
    pub(crate) fn new(orders: usize) -> Self {
        Self { terminal: io::stderr().is_terminal(), orders, done: Mutex::new(0) }
    }

    /// One more order is done.
    pub(crate) fn advance(&self) {
        let mut done = self.done.lock().expect("no holder of this lock panics");
        *done += 1;
        self.show(*done);
    }

    /// Says something above the count.
    pub(crate) fn tell(&self, text: &str) {
        let done = self.done.lock().expect("no holder of this lock panics");
        self.clear();
        tell(text);
        self.show(*done);
    }

    /// Takes the count away.
    pub(crate) fn clear(&self) {
        if self.terminal {
            let _ = write!(io::stderr().lock(), "{REWRITE}");
        }
    }

    fn show(&self, done: usize) {
        if self.terminal {
            let _ = write!(io::stderr().lock(), "{REWRITE}{done} of {} orders done", self.orders);
        }
    }
}
