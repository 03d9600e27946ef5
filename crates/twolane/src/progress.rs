//! Standard error: what goes on meanwhile, and what went wrong.

use crate::style::takes_escapes;
use std::io::{self, Write};
use std::sync::Mutex;

/// Says something on standard error. Where nobody listens, nothing is lost.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// How much of some work is done: one line, rewritten in place, only on a terminal that can.
pub(crate) struct Progress {
    rewrites: bool,
    total: usize,
    what: &'static str,
    done: Mutex<usize>,
}

/// To the first column, then clears the line. Source: ECMA-48, EL.
const REWRITE: &str = "\r\x1b[K";

impl Progress {
    /// None of so many is done yet; `what` is done to them, such as `orders done`.
    pub(crate) fn new(total: usize, what: &'static str) -> Self {
        Self { rewrites: takes_escapes(&io::stderr()), total, what, done: Mutex::new(0) }
    }

    /// One more is done.
    pub(crate) fn advance(&self) {
        self.advance_by(1);
    }

    /// So many more are done.
    pub(crate) fn advance_by(&self, more: usize) {
        let mut done = self.done.lock().expect("no holder of this lock panics");
        *done += more;
        self.show(*done);
    }

    /// So many are done by now.
    pub(crate) fn set(&self, now: usize) {
        let mut done = self.done.lock().expect("no holder of this lock panics");
        *done = now;
        self.show(now);
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
