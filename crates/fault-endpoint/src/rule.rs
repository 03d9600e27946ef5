use super::{call::Call, fault::Fault};
use std::fmt;
use std::time::{Duration, Instant};

/// Which of the requests that a rule matches get its fault.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// All.
    Always,
    /// The first N.
    First(usize),
    /// Each with this probability, 0 to 1.
    Sometimes(f64),
    /// Those above the allowance of their second.
    Over(Allowance),
}

/// A number of requests per second.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    per_second: u32,
    left: u32,
    second: Option<Instant>,
}

impl Allowance {
    /// A new allowance, not used yet.
    #[must_use]
    pub fn per_second(per_second: u32) -> Self {
        Self { per_second, left: 0, second: None }
    }

    /// Returns whether this second's allowance had a request left.
    fn take(&mut self) -> bool {
        if self.second.is_none_or(|second| second.elapsed() >= Duration::from_secs(1)) {
            (self.second, self.left) = (Some(Instant::now()), self.per_second);
        }
        let taken = self.left > 0;
        self.left = self.left.saturating_sub(1);
        taken
    }
}

/// A fault for some requests. If several rules apply, the last one injected decides.
pub struct Rule {
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
    /// A fault for the calls that `is_about` selects.
    pub fn new(is_about: impl Fn(&Call) -> bool + Send + 'static, when: When, fault: Fault) -> Self {
        Self { is_about: Box::new(is_about), when, fault }
    }

    /// The fault for this request, if the rule applies to it.
    pub fn strikes(&mut self, call: &Call) -> Option<Fault> {
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
            When::Over(allowance) => !allowance.take(),
        };
        strikes.then(|| self.fault.clone())
    }
}
