//! Resources that stages share: rates with a token bucket, concurrency, execution environments and tables.

use crate::settings::{Key, PlanSettings};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) steps_per_second: u32,
}

impl Clock {
    /// In seconds.
    pub(crate) fn step(self) -> f64 {
        1.0 / f64::from(self.steps_per_second)
    }

    /// In seconds.
    #[expect(clippy::cast_precision_loss, reason = "a week has far fewer steps than 2^53")]
    pub(crate) fn time(self, step: u64) -> f64 {
        step as f64 / f64::from(self.steps_per_second)
    }

    pub(crate) fn steps(self, seconds: u64) -> u64 {
        seconds * u64::from(self.steps_per_second)
    }
}

/// A shortage below this part of a claim is a rounding error.
const ROUNDING: f64 = 1e-9;

/// When a limit was reached.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch {
    pub(crate) first: Option<u64>,
    pub(crate) steps: u64,
}

impl Watch {
    pub(crate) fn note(&mut self, step: u64) {
        self.first.get_or_insert(step);
        self.steps += 1;
    }
}

/// A rate that several claimants share in proportion to their claims, with a bucket of unused tokens.
///
/// Claimants claim in the same order in each step. Later claims are estimated as those of the previous step.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) per_second: f64,
    step: f64,
    burst: f64,
    tokens: f64,
    available: f64,
    /// Claims of the previous step, and of this one.
    before: Vec<f64>,
    now: Vec<f64>,
    /// Sum of `now`, and of the previous claims of the remaining claimants.
    expected: f64,
    /// Highest sum of a step, per second.
    pub(crate) most: f64,
    pub(crate) watch: Watch,
}

impl Shared {
    /// A bucket of `burst` tokens, full at first.
    pub(crate) fn new(per_second: f64, burst: f64, clock: Clock) -> Self {
        Self {
            per_second,
            step: clock.step(),
            burst,
            tokens: burst,
            available: 0.0,
            before: Vec::new(),
            now: Vec::new(),
            expected: 0.0,
            most: 0.0,
            watch: Watch::default(),
        }
    }

    /// A limit of concurrent things, such as invocations.
    pub(crate) fn level(at_once: f64, clock: Clock) -> Self {
        Self::new(at_once / clock.step(), 0.0, clock)
    }

    pub(crate) fn begin(&mut self) {
        self.most = self.most.max((self.available - self.tokens) / self.step);
        self.tokens = self.tokens.min(self.burst) + self.per_second * self.step;
        self.available = self.tokens;
        std::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
        self.expected = self.before.iter().sum();
    }

    pub(crate) fn hold(&mut self, amount: f64) {
        self.tokens = (self.tokens - amount).max(0.0);
        self.available = self.tokens;
    }

    /// What the next claimant gets of its claim `want`.
    pub(crate) fn grant(&mut self, want: f64, step: u64) -> f64 {
        let before = self.before.get(self.now.len()).copied().unwrap_or(0.0);
        self.expected += want - before;
        self.now.push(want);
        let share = if self.expected > self.available { self.available / self.expected } else { 1.0 };
        let granted = (want * share).min(self.tokens);
        self.tokens -= granted;
        if granted < want * (1.0 - ROUNDING) {
            self.watch.note(step);
        }
        granted
    }

    pub(crate) fn part(&mut self, want: f64, step: u64) -> f64 {
        let granted = self.grant(want, step);
        if want > 0.0 { granted / want } else { 1.0 }
    }
}

#[derive(Debug)]
pub(crate) struct Environments {
    /// A plan never removes one.
    count: f64,
    used: f64,
    /// May be added now.
    credit: f64,
    most_credit: f64,
    added: f64,
    pub(crate) watch: Watch,
}

impl Environments {
    pub(crate) fn new(settings: &PlanSettings, clock: Clock) -> Self {
        let most_credit = settings[Key::LambdaScalingPerTenSeconds];
        let added = most_credit / 10.0 * clock.step();
        Self { count: 0.0, used: 0.0, credit: most_credit, most_credit, added, watch: Watch::default() }
    }

    /// Begins a step with `used` environments already in use.
    pub(crate) fn begin(&mut self, used: f64) {
        self.used = used;
        self.credit = (self.credit + self.added).min(self.most_credit);
    }

    /// Claims environments, and adds missing ones as far as allowed. Returns the number claimed.
    pub(crate) fn take(&mut self, want: f64, step: u64) -> f64 {
        let missing = (self.used + want - self.count).max(0.0);
        let added = missing.min(self.credit);
        self.credit -= added;
        self.count += added;
        let got = want.min((self.count - self.used).max(0.0));
        self.used += got;
        if got < want * (1.0 - ROUNDING) {
            self.watch.note(step);
        }
        got
    }
}

/// Longest invocation, in steps of a tenth of a second: 15 minutes. Source: AWS Lambda Developer Guide, "Lambda quotas".
const MOST_STEPS: f64 = 9_000.0;

/// A function's invocations that outlast the step in which they begin.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    count: f64,
    /// Ending invocations, by step from the next one on.
    ends: VecDeque<f64>,
}

impl Unfinished {
    /// Begins a step. Returns the running invocations.
    pub(crate) fn begin(&mut self) -> f64 {
        self.count -= self.ends.pop_front().unwrap_or(0.0);
        if self.ends.is_empty() {
            // The rest is a rounding error.
            self.count = 0.0;
        }
        self.count
    }

    /// Adds invocations that begin now and last `steps` steps. They run for a part of their last step.
    pub(crate) fn add(&mut self, begun: f64, steps: f64) {
        if begun <= 0.0 || steps <= 1.0 {
            return;
        }
        let whole = whole_steps(steps);
        let in_last = begun * steps.fract();
        self.count += begun;
        if self.ends.len() <= whole {
            self.ends.resize(whole + 1, 0.0);
        }
        self.ends[whole - 1] += begun - in_last;
        self.ends[whole] += in_last;
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above 0, and truncated")]
fn whole_steps(steps: f64) -> usize {
    steps.min(MOST_STEPS) as usize
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) capacity: Shared,
    quota: f64,
    on_demand: bool,
    half_hour: u64,
    /// This half hour, in units per second.
    most: f64,
}

/// An on-demand table accepts twice its highest load up to this many seconds ago. Source: Amazon DynamoDB Developer
/// Guide, "DynamoDB on-demand capacity mode".
const DOUBLING_SECONDS: u64 = 30 * 60;

impl Table {
    pub(crate) fn new(settings: &PlanSettings, clock: Clock) -> Self {
        let on_demand = settings[Key::ProvisionedWriteUnits] <= 0.0;
        let quota = settings[Key::TableWriteUnits];
        let capacity = Shared::new(write_capacity(settings), 0.0, clock);
        Self { capacity, quota, on_demand, half_hour: clock.steps(DOUBLING_SECONDS), most: 0.0 }
    }

    pub(crate) fn begin(&mut self, step: u64) {
        self.most = self.most.max((self.capacity.available - self.capacity.tokens) / self.capacity.step);
        if self.on_demand && step > 0 && step.is_multiple_of(self.half_hour) {
            self.capacity.per_second = self.capacity.per_second.max((2.0 * self.most).min(self.quota));
            self.most = 0.0;
        }
        self.capacity.begin();
    }
}

/// Write units per second at first.
pub(crate) fn write_capacity(settings: &PlanSettings) -> f64 {
    let provisioned = settings[Key::ProvisionedWriteUnits];
    let on_demand = settings[Key::NewTableWriteUnits].max(settings[Key::WarmWriteUnits]);
    settings[Key::TableWriteUnits].min(if provisioned > 0.0 { provisioned } else { on_demand })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LimitTable;

    const CLOCK: Clock = Clock { steps_per_second: 10 };

    #[test]
    fn a_bucket_grants_its_burst_and_its_rate() {
        let mut bucket = Shared::new(100.0, 500.0, CLOCK);

        let granted: f64 = (0..100)
            .map(|step| {
                bucket.begin();
                bucket.grant(100.0, step)
            })
            .sum();

        // 500 tokens, and 100 a second for 10 seconds. The bucket is empty after 500 / (1000 − 100) seconds.
        assert!((granted - 1_500.0).abs() < 1e-6, "{granted}");
        assert_eq!(bucket.watch.first, Some(5));
    }

    #[test]
    fn claimants_share_in_proportion_to_their_claims() {
        let mut rate = Shared::new(300.0, 0.0, CLOCK);
        let mut granted = (0.0, 0.0);

        for step in 0..50 {
            rate.begin();
            granted = (rate.grant(40.0, step), rate.grant(20.0, step));
        }

        assert!((granted.0 - 20.0).abs() < 1e-9 && (granted.1 - 10.0).abs() < 1e-9, "{granted:?}");
    }

    #[test]
    fn a_function_adds_1000_environments_immediately_and_then_100_a_second() {
        let mut environments = Environments::new(&PlanSettings::new(&LimitTable::embedded()), CLOCK);
        let mut got = Vec::new();

        for step in 0..=100 {
            environments.begin(0.0);
            got.push(environments.take(5_000.0, step));
        }

        assert!((got[0] - 1_000.0).abs() < 1e-9 && (got[100] - 2_000.0).abs() < 1e-6, "{got:?}");
    }

    #[test]
    fn invocations_run_for_a_part_of_their_last_step() {
        let mut unfinished = Unfinished::default();
        unfinished.add(8.0, 2.25);
        unfinished.add(8.0, 0.5);

        let running: Vec<_> = (0..4).map(|_| unfinished.begin()).collect();

        assert_eq!(running, [8.0, 2.0, 0.0, 0.0]);
    }

    #[test]
    fn an_on_demand_table_doubles_after_half_an_hour() {
        let mut table = Table::new(&PlanSettings::new(&LimitTable::embedded()), CLOCK);

        for step in 0..=CLOCK.steps(DOUBLING_SECONDS) {
            table.begin(step);
            table.capacity.grant(300.0, step);
        }

        assert!((table.capacity.per_second - 6_000.0).abs() < 1e-6, "{}", table.capacity.per_second);
    }
}
