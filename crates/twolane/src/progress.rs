//! Progress and errors on standard error.

use crate::style::takes_escapes;
use std::io::{self, Write};
use std::sync::Mutex;

/// Writes a line; ignores a closed standard error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A count of work done, rewritten in place. Shown only on a terminal that takes escape sequences.
pub(crate) struct Progress {
    rewrites: bool,
    total: usize,
    what: &'static str,
    done: Mutex<usize>,
}

/// Moves to the first column and clears the line. Source: ECMA-48, EL.
const REWRITE: &str = "\r\x1b[K";

impl Progress {
    /// `what` names the unit, such as `orders done`.
    pub(crate) fn new(total: usize, what: &'static str) -> Self {
        Self { rewrites: takes_escapes(&io::stderr()), total, what, done: Mutex::new(0) }
    }

    pub(crate) fn advance(&self) {
        self.advance_by(1);
    }

    pub(crate) fn advance_by(&self, more: usize) {
        let mut done = self.done.lock().expect("no holder of this lock panics");
        *done += more;
        self.show(*done);
    }

    pub(crate) fn set(&self, now: usize) {
        let mut done = self.done.lock().expect("no holder of this lock panics");
        *done = now;
        self.show(now);
    }

    /// Writes a line above the count.
    pub(crate) fn say(&self, text: &str) {
        let done = self.done.lock().expect("no holder of this lock panics");
        self.clear();
        say(text);
        self.show(*done);
    }

    pub(crate) fn clear(&self) {
        if self.rewrites {
            let _ = write!(io::stderr().lock(), "{REWRITE}");
        }
    }

    fn show(&self, done: usize) {
        if self.rewrites {
            let _ = write!(io::stderr().lock(), "{REWRITE}{done} of {} {}", self.total, self.what);
        }
    }
}
