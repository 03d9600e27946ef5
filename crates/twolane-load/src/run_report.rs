//! Builds the report from the measurements.

use super::measure::Measured;
use super::scenario::Scenario;
use super::workload::Workload;
use crate::settings::{ArrivalDistribution, ComparisonSettings, ConfirmBy};
use std::process::Command;
use time::OffsetDateTime;
use twolane_client::timestamp::timestamp;
use twolane_report::model::{
    Arrivals, ArrivalsKind, Confirm, Generator, Report, Run, SCHEMA_VERSION, ScheduleLag, Target, TargetKind,
};
use uuid::Uuid;

/// A smaller send delay, in milliseconds, does not affect the latencies of any lane over a network.
const LAG_FLOOR_MS: f64 = 20.0;

/// Allowed ratio of the send delay to the latency that contains it, both p99.
const LAG_SHARE: f64 = 0.1;

pub(crate) struct Conditions<'a> {
    pub(crate) settings: &'a ComparisonSettings,
    pub(crate) scenario: &'a Scenario,
    pub(crate) workload: &'a Workload,
    pub(crate) owners: u32,
    pub(crate) max_in_flight: u32,
    /// Requests sent again over a new connection.
    pub(crate) resent: u64,
    pub(crate) api_url: &'a str,
    pub(crate) is_emulator: bool,
    pub(crate) region: Option<String>,
    pub(crate) seed: u64,
    pub(crate) started_at: OffsetDateTime,
    pub(crate) interrupted: bool,
}

/// The report, without costs and verdict. `not_undone`: why the stack could not be changed back.
pub(crate) fn report(conditions: &Conditions<'_>, measured: &[Measured], not_undone: Option<anyhow::Error>) -> Report {
    let generator = generator(measured, conditions);
    let lanes =
        measured.iter().map(|lane| lane.report(generator.on_schedule, conditions.scenario.limits(lane.lane))).collect();
    let mut errors: Vec<String> = not_undone.map(|error| format!("{error:#}")).into_iter().collect();
    for lane in measured {
        errors.extend(lane.errors.iter().map(|error| format!("{} lane: {error}", lane.lane.name)));
    }
    if let Some(reason) = &generator.reason {
        errors.push(reason.clone());
    }
    Report {
        schema_version: SCHEMA_VERSION,
        run: run(conditions, generator),
        lanes,
        pricing: None,
        verdict: Vec::new(),
        promises: Vec::new(),
        errors,
    }
}

/// The load generator's figures, and whether it was on schedule.
fn generator(measured: &[Measured], conditions: &Conditions<'_>) -> Generator {
    let max_in_flight = conditions.max_in_flight;
    let mut worst = [0.0_f64; 3];
    let mut reasons = Vec::new();
    for lane in measured {
        let lag = lane.lag_ms();
        for (worst, lag) in worst.iter_mut().zip(lag) {
            *worst = worst.max(lag);
        }
        if let Some((count, why)) = lane.own_failures() {
            let name = lane.lane.name;
            reasons.push(format!(
                "this machine could not send {count} requests of the {name} lane (not the lane's fault). The first \
                 error: {why}. The report has no latencies. Lower --rate or --max-in-flight ({max_in_flight}), raise the limit of \
                 open files (`ulimit -n`) or use another machine"
            ));
        }
        for (what, late, whole) in lane.lags() {
            let max_lag = conditions.settings.load.max_lag;
            let allowed = max_lag.map_or_else(|| LAG_FLOOR_MS.max(whole * LAG_SHARE), f64::from);
            if late > allowed {
                reasons.push(format!(
                    "the generator fell behind on the {} lane: the p99 send delay of the {what} is {late:.0} ms, \
                     and the maximum is {allowed:.0} ms. The report has no latencies. Lower --rate, raise \
                     --max-in-flight ({max_in_flight}) or use a faster machine",
                    lane.lane.name,
                ));
            }
        }
    }
    let [p50_ms, p99_ms, max_ms] = worst;
    Generator {
        schedule_lag: ScheduleLag { p50_ms, p99_ms, max_ms },
        in_flight_bound: u64::from(max_in_flight),
        resent: Some(conditions.resent),
        on_schedule: reasons.is_empty(),
        reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
    }
}

pub(crate) fn planned(conditions: &Conditions<'_>) -> Run {
    run(conditions, generator(&[], conditions))
}

fn run(conditions: &Conditions<'_>, generator: Generator) -> Run {
    let settings = conditions.settings;
    Run {
        id: Uuid::new_v4().simple().to_string()[..8].to_owned(),
        started_at: timestamp(conditions.started_at),
        finished_at: timestamp(OffsetDateTime::now_utc()),
        twolane_version: env!("CARGO_PKG_VERSION").to_owned(),
        git_commit: git_commit(),
        scenario: settings.scenario.name().to_owned(),
        scenario_settings: conditions.scenario.settings.clone(),
        parallel: settings.parallel,
        confirm: match settings.confirm {
            ConfirmBy::Callback => Confirm::Callback,
            ConfirmBy::Poll => Confirm::Poll,
            ConfirmBy::Both => Confirm::Both,
        },
        seed: conditions.seed,
        arrivals: arrivals(conditions),
        owners: u64::from(conditions.owners),
        warm_up_seconds: conditions.workload.warm_up.as_secs_f64(),
        #[expect(clippy::cast_precision_loss, reason = "an hour at most")]
        grace_seconds: settings.load.grace as f64,
        target: Target {
            kind: if conditions.is_emulator { TargetKind::Emulator } else { TargetKind::Aws },
            api_url: conditions.api_url.to_owned(),
            region: conditions.region.clone(),
        },
        interrupted: conditions.interrupted,
        generator,
    }
}

fn arrivals(conditions: &Conditions<'_>) -> Arrivals {
    let workload = conditions.workload;
    // A repeat is not another order.
    let mut times: Vec<(u32, f64)> = workload.counted().map(|due| (due.order, due.at().as_secs_f64())).collect();
    times.dedup();
    let at = |due: Option<&(u32, f64)>| due.map_or(0.0, |(_, at)| *at);
    let duration_seconds = at(times.last()) - at(times.first());
    let orders = times.len() as u64;
    // N orders have N - 1 gaps.
    #[expect(clippy::cast_precision_loss, reason = "orders of a run are far below 2^53")]
    let rate_per_second = if duration_seconds > 0.0 { (orders - 1) as f64 / duration_seconds } else { orders as f64 };
    let load = &conditions.settings.load;
    let kind = match conditions.settings.arrivals() {
        _ if load.replay.is_some() => ArrivalsKind::Replay,
        _ if !load.phases.is_empty() => ArrivalsKind::Phases,
        ArrivalDistribution::Constant => ArrivalsKind::Constant,
        ArrivalDistribution::Poisson => ArrivalsKind::Poisson,
        ArrivalDistribution::Burst => ArrivalsKind::Burst,
        ArrivalDistribution::Ramp => ArrivalsKind::Ramp,
        ArrivalDistribution::Steps => ArrivalsKind::Steps,
    };
    let schedule_hash = Some(format!("{:016x}", schedule_hash(workload.arrivals.iter().map(|arrival| arrival.at_us))));
    Arrivals { kind, rate_per_second, duration_seconds, orders, schedule_hash }
}

/// FNV-1a with 64 bits, of due times in microseconds. Source: RFC 9923, "The FNV Non-Cryptographic Hash Algorithm".
fn schedule_hash(times_us: impl Iterator<Item = u64>) -> u64 {
    times_us
        .flat_map(u64::to_le_bytes)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The commit of the working tree, if there is one and git is installed.
fn git_commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !commit.is_empty()).then_some(commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_schedules_have_different_hashes() {
        let hash = |times: &[u64]| schedule_hash(times.iter().copied());

        // Without bytes: the offset basis. Source: RFC 9923.
        assert_eq!(hash(&[]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(&[0, 500_000]), hash(&[0, 500_000]));
        assert_ne!(hash(&[0, 500_000]), hash(&[0, 500_001]));
        assert_ne!(hash(&[0, 500_000]), hash(&[0, 500_000, 500_000]));
    }
}
