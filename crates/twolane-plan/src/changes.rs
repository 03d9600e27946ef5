//! What to change so that a lane passes.

use crate::cost::cost;
use crate::delays::delays;
use crate::needs::needs;
use crate::settings::{Key, Settings, Source};
use crate::simulation::simulate;
use crate::{Bound, Question, orders, passes};
use lanes::Lane;
use serde::Serialize;

/// One setting with another value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Name of the setting.
    pub setting: &'static str,
    /// What kind of setting it is: who changes it, and where.
    pub source: Source,
    /// Its value now.
    pub from: f64,
    /// Its value then.
    pub to: f64,
}

/// What would happen with the changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// Whether every order is accepted, done and known in time.
    pub passes: bool,
    /// Orders that are not accepted, or not done.
    pub missed: f64,
    /// 99 % of the orders have their outcome within that many seconds.
    pub p99: Option<f64>,
    /// What a month costs.
    pub usd_per_month: Option<f64>,
    /// What still holds something up, first to last.
    pub limited_by: Vec<Bound>,
}

/// More of everything than the peak needs, because arrivals are not even within a second.
const HEADROOM: f64 = 1.2;

/// The changes that the needs ask for, and what would happen with them. Pollers that grow too slowly are provisioned, where that
/// is not enough.
pub(crate) fn changes(lane: Lane, question: &Question) -> (Vec<Change>, Option<Outlook>) {
    let mut settings = question.settings.clone();
    meet_needs(lane, question, &mut settings);
    let mut outlook = outlook(lane, question, &settings);
    let grows_too_slowly =
        outlook.limited_by.iter().any(|bound| bound.setting == Key::BatchesAddedPerMinute.setting().name);
    if !outlook.passes && grows_too_slowly && settings[Key::ProvisionedPollers] <= 0.0 {
        let batches = settings[Key::MaximumConcurrency];
        settings[Key::ProvisionedPollers] = round_up(batches / settings[Key::BatchesPerProvisionedPoller]);
        settings[Key::MaximumConcurrency] = question.settings[Key::MaximumConcurrency];
        outlook = self::outlook(lane, question, &settings);
    }
    let pairs = question.settings.iter().zip(settings.iter());
    let differing = pairs.filter(|((_, from), (_, to))| from.total_cmp(to).is_ne());
    let changes: Vec<_> = differing
        .map(|((setting, from), (_, to))| Change { setting: setting.name, source: setting.source, from, to })
        .collect();
    let outlook = (!changes.is_empty()).then_some(outlook);
    (changes, outlook)
}

/// Raises each setting to what the peak needs of it. More pollers can need more concurrency, so it is done twice.
fn meet_needs(lane: Lane, question: &Question, settings: &mut Settings) {
    for _ in 0..2 {
        meet_needs_once(lane, question, settings);
    }
}

fn meet_needs_once(lane: Lane, question: &Question, settings: &mut Settings) {
    for need in needs(lane, &question.load, settings, question.confirm) {
        if need.need <= need.have {
            continue;
        }
        let wanted = round_up(need.need * HEADROOM);
        match need.setting {
            // A value above the highest of the template is had by pollers in provisioned mode only.
            Key::MaximumConcurrency if wanted > Key::MaximumConcurrency.highest() => {
                raise(settings, Key::ProvisionedPollers, round_up(wanted / settings[Key::BatchesPerProvisionedPoller]));
            }
            Key::WarmWriteUnits | Key::ProvisionedWriteUnits | Key::TableWriteUnits => {
                let provisioned = settings[Key::ProvisionedWriteUnits] > 0.0;
                raise(settings, if provisioned { Key::ProvisionedWriteUnits } else { Key::WarmWriteUnits }, wanted);
                raise(settings, Key::TableWriteUnits, wanted);
            }
            key => raise(settings, key, wanted),
        }
    }
    let (rate, burst) = (settings[Key::SyncRateLimit], settings[Key::ApiRateLimit]);
    // A bucket that is smaller than its rate's second refuses what comes unevenly.
    if rate > question.settings[Key::SyncRateLimit] {
        raise(settings, Key::SyncBurstLimit, rate);
    }
    if burst > question.settings[Key::ApiRateLimit] {
        raise(settings, Key::ApiBurstLimit, burst);
    }
    if settings[Key::ProvisionedPollers] > 0.0 {
        settings[Key::MaximumConcurrency] = question.settings[Key::MaximumConcurrency];
    }
}

fn raise(settings: &mut Settings, key: Key, to: f64) {
    settings[key] = settings[key].max(to.min(key.highest()));
}

fn outlook(lane: Lane, question: &Question, settings: &Settings) -> Outlook {
    let simulation = simulate(lane, &question.load, settings, question.confirm);
    let delays = delays(lane, &simulation.seconds, settings);
    let sums = orders(&simulation);
    let priced = Question { settings: settings.clone(), ..question.clone() };
    Outlook {
        passes: passes(&simulation, delays, question.max_delay_seconds),
        missed: sums.refused.total() + sums.cancelled + sums.failed + sums.waiting,
        p99: delays.map(|delays| delays.p99),
        usd_per_month: cost(lane, &simulation, &priced).map(|cost| cost.usd_per_month),
        limited_by: simulation.bounds,
    }
}

/// The next number with two significant digits and nothing after the point.
fn round_up(value: f64) -> f64 {
    let mut unit = 1.0;
    while value / unit >= 100.0 {
        unit *= 10.0;
    }
    (value / unit - 1e-9).ceil() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_up_to_two_digits() {
        let rounded = [0.2, 1.0, 7.2, 99.0, 100.0, 101.0, 12_345.0].map(round_up);

        assert_eq!(rounded.map(|value| value.to_string()), ["1", "1", "8", "99", "100", "110", "13000"]);
    }
}
