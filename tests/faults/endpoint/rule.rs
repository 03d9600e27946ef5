//! Which requests go wrong, and how.

use super::{call::Call, fault::Fault};
use std::fmt;

/// How many of the requests that a rule is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Always,
    First(usize),
    /// Each with that probability, 0 to 1.
    Sometimes(f64),
}

/// A fault for some requests. The first rule that applies decides.
pub(crate) struct Rule {
    is_about: Box<dyn Fn(&Call) -> bool + Send>,
    when: When,
    fault: Fault,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.when, self.fault)
    }
}

impl Rule {
    pub(crate) fn new(is_about: impl Fn(&Call) -> bool + Send + 'static, when: When, fault: Fault) -> Self {
        Self { is_about: Box::new(is_about), when, fault }
    }

    /// The fault for this request, if it is one that goes wrong.
    pub(crate) fn strikes(&mut self, call: &Call) -> Option<Fault> {
        if !(self.is_about)(call) {
            return None;
        }
        let strikes = match &mut self.when {
            When::Always => true,
            When::First(left) => {
                let strikes = *left > 0;
                *left = left.saturating_sub(1);
                strikes
            }
            When::Sometimes(probability) => fastrand::f64() < *probability,
        };
        strikes.then(|| self.fault.clone())
    }
}
