//! Finds setting changes that make a lane pass.

use crate::cost::cost;
use crate::delays::delays;
use crate::needs::needs;
use crate::settings::{Key, PlanSettings, SettingSource};
use crate::simulation::simulate;
use crate::{Bound, PlanInput, orders, passes};
use lanes::Lane;
use serde::Serialize;

/// A setting's change.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingChange {
    /// The setting's name.
    pub setting: &'static str,
    /// Its kind: where to change it.
    pub source: SettingSource,
    /// Current value.
    pub from: f64,
    /// New value.
    pub to: f64,
}

/// The result with the changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// Whether every order is accepted, done and called back in time.
    pub passes: bool,
    /// Orders not accepted, or not done.
    pub missed: f64,
    /// p99 of the time until an outcome, in seconds.
    pub p99: Option<f64>,
    /// A month's cost, in USD.
    pub usd_per_month: Option<f64>,
    /// Limits that the load still reaches, in order of time.
    pub limited_by: Vec<Bound>,
}

/// Factor on what the peak needs, because arrivals are not even within a second.
const HEADROOM: f64 = 1.2;

/// The changes that meet the needs, and the result with them. If event sources still scale too slowly, they provision
/// pollers.
pub(crate) fn changes(lane: Lane, input: &PlanInput) -> (Vec<SettingChange>, Option<Outlook>) {
    let mut settings = input.settings.clone();
    meet_needs(lane, input, &mut settings);
    let mut outlook = outlook(lane, input, &settings);
    let grows_too_slowly =
        outlook.limited_by.iter().any(|bound| bound.setting == Key::BatchesAddedPerMinute.setting().name);
    if !outlook.passes && grows_too_slowly && settings[Key::ProvisionedPollers] <= 0.0 {
        let batches = settings[Key::MaximumConcurrency];
        settings[Key::ProvisionedPollers] = round_up(batches / settings[Key::BatchesPerProvisionedPoller]);
        settings[Key::MaximumConcurrency] = input.settings[Key::MaximumConcurrency];
        outlook = self::outlook(lane, input, &settings);
    }
    let pairs = input.settings.iter().zip(settings.iter());
    let differing = pairs.filter(|((_, from), (_, to))| from.total_cmp(to).is_ne());
    let changes: Vec<_> = differing
        .map(|((setting, from), (_, to))| SettingChange { setting: setting.name, source: setting.source, from, to })
        .collect();
    let outlook = (!changes.is_empty()).then_some(outlook);
    (changes, outlook)
}

/// Raises settings to what the peak needs. Runs twice, because more pollers can need more concurrency.
fn meet_needs(lane: Lane, input: &PlanInput, settings: &mut PlanSettings) {
    for _ in 0..2 {
        meet_needs_once(lane, input, settings);
    }
}

fn meet_needs_once(lane: Lane, input: &PlanInput, settings: &mut PlanSettings) {
    for need in needs(lane, &input.load, settings, input.confirm) {
        if need.need <= need.have {
            continue;
        }
        let wanted = round_up(need.need * HEADROOM);
        match need.setting {
            // Above the template's highest value, only pollers in provisioned mode help.
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
    // A bucket smaller than one second of its rate refuses uneven arrivals.
    if rate > input.settings[Key::SyncRateLimit] {
        raise(settings, Key::SyncBurstLimit, rate);
    }
    if burst > input.settings[Key::ApiRateLimit] {
        raise(settings, Key::ApiBurstLimit, burst);
    }
    if settings[Key::ProvisionedPollers] > 0.0 {
        settings[Key::MaximumConcurrency] = input.settings[Key::MaximumConcurrency];
    }
}

fn raise(settings: &mut PlanSettings, key: Key, to: f64) {
    settings[key] = settings[key].max(to.min(key.highest()));
}

fn outlook(lane: Lane, input: &PlanInput, settings: &PlanSettings) -> Outlook {
    let simulation = simulate(lane, &input.load, settings, input.confirm);
    let delays = delays(lane, &simulation.seconds, settings);
    let sums = orders(&simulation);
    let priced = PlanInput { settings: settings.clone(), ..input.clone() };
    Outlook {
        passes: passes(&simulation, delays, input.max_delay_seconds),
        missed: sums.refused.total() + sums.cancelled + sums.failed + sums.waiting,
        p99: delays.map(|delays| delays.p99),
        usd_per_month: cost(lane, &simulation, &priced).map(|cost| cost.usd_per_month),
        limited_by: simulation.bounds,
    }
}

/// Rounds up to a whole number with two significant digits.
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
