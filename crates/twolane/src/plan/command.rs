//! `twolane plan`: reads settings and load, runs the model, and shows the plan.

use super::args::{ARCHITECTURES, PlanArgs, PlanLoadArgs, PlanStackArgs};
use crate::output::Output;
use crate::progress::say;
use anyhow::{Context, bail};
use std::path::Path;
use std::process::ExitCode;
use twolane_client::stack::DeployedAddress;
use twolane_load::recorded_arrivals;
use twolane_plan::{
    Architecture, Confirm, LimitTable, Load, PlanInput, PlanSettings, RateProfile, SETTINGS, SettingSource, page, plan,
    settings_text, text,
};
use twolane_report::PriceTable;

/// Exit code if a lane does not pass.
const FAILED: u8 = 1;

const PEAK: f64 = 5.0;

/// Runs the model and shows the plan.
///
/// # Errors
/// The stack is not found, a file cannot be read or written, or a value is out of range.
pub(crate) async fn run(args: &PlanArgs) -> anyhow::Result<ExitCode> {
    let input = input(args).await?;
    let mut output = Output::stdout();
    if args.settings {
        output.line(&settings_text(&input.settings)).context("Failed to write the settings")?;
        return Ok(ExitCode::SUCCESS);
    }
    let plan = plan(&input);
    if let Some(file) = &args.html {
        std::fs::write(file, page(&plan)).with_context(|| format!("Failed to write the page {}", file.display()))?;
    }
    let shown = if args.json { serde_json::to_string(&plan)? } else { text(&plan) };
    output.line(&shown).context("Failed to write the plan")?;
    let passes = plan.lanes.iter().all(|lane| lane.passes);
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

async fn input(args: &PlanArgs) -> anyhow::Result<PlanInput> {
    let stack = &args.stack;
    let limits = stack.limits.as_deref().map_or_else(|| Ok(LimitTable::embedded()), read_limits)?;
    let prices = stack.prices.as_deref().map_or_else(|| Ok(PriceTable::embedded()), PriceTable::read)?;
    let (parameters, region) = parameters(stack).await?;
    for (what, option, of) in [("limits", "--limits", &*limits.region), ("prices", "--prices", prices.region())] {
        if let Some(region) = region.as_deref().filter(|region| *region != of) {
            say(&format!(
                "The stack is in {region}, but the {what} are for {of}: pass {option} with a table for {region}."
            ));
        }
    }
    let parameter = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let settings = settings(&limits, &parameters, &stack.set)?;
    let (confirm, architecture) = (stack_confirm(parameter("Callbacks")), parameter("Architecture"));
    let architecture = ARCHITECTURES.iter().find(|(name, ..)| Some(*name) == architecture);
    Ok(PlanInput {
        lanes: if args.lanes.is_empty() { lanes::LANES.iter().collect() } else { args.lanes.clone() },
        load: load(&args.load)?,
        settings,
        limits,
        prices,
        confirm: stack.confirm.unwrap_or(confirm),
        api: stack.api,
        architecture: stack.architecture.or(architecture.map(|row| row.2)).unwrap_or(Architecture::Arm64),
        // A stack older than the parameter has no index.
        lists_orders: parameters.is_empty() || parameter("OrderListing") == Some("index"),
        max_delay_seconds: args.max_delay.as_secs_f64(),
    })
}

/// Parameters and Region of the named stack; empty without a name.
async fn parameters(args: &PlanStackArgs) -> anyhow::Result<(Vec<(String, String)>, Option<String>)> {
    let PlanStackArgs { stack_name, region, profile, .. } = args.clone();
    if stack_name.is_none() {
        return Ok((Vec::new(), None));
    }
    DeployedAddress { stack_name, region, profile, outputs: None }.parameters().await
}

/// From the stack's parameter `Callbacks`.
fn stack_confirm(callbacks: Option<&str>) -> Confirm {
    if callbacks == Some("none") { Confirm::Poll } else { Confirm::Callback }
}

/// The template's values. The stack's parameters override them, and `set` overrides both.
fn settings(
    limits: &LimitTable,
    parameters: &[(String, String)],
    set: &[(String, f64)],
) -> anyhow::Result<PlanSettings> {
    let mut settings = PlanSettings::new(limits);
    for setting in SETTINGS.iter().filter(|setting| setting.source == SettingSource::Parameter) {
        if let Some((name, value)) = parameters.iter().find(|(name, _)| name == setting.name) {
            let value = value.parse().with_context(|| format!("The stack's {name} is not a number: {value}"))?;
            settings.set(name, value)?;
        }
    }
    for (name, value) in set {
        settings.set(name, *value)?;
    }
    Ok(settings)
}

fn read_limits(path: &Path) -> anyhow::Result<LimitTable> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("Failed to read the limits in {shown}"))?;
    LimitTable::parse(&text).with_context(|| format!("Failed to understand the limits in {shown}"))
}

fn load(args: &PlanLoadArgs) -> anyhow::Result<Load> {
    if let Some(file) = &args.replay {
        return recorded(&recorded_arrivals(file)?);
    }
    let is_constant = args.arrivals == RateProfile::Constant;
    if is_constant && args.peak.is_some() {
        bail!("a constant load has no peak: pass --arrivals ramp, burst or day with --peak");
    }
    let hours = if args.arrivals == RateProfile::Day { 24.0 } else { 1.0 };
    let seconds = args.duration.map_or(hours * 3600.0, |duration| duration.as_secs_f64());
    let peak = if is_constant { 1.0 } else { args.peak.unwrap_or(PEAK) };
    Load::new(args.arrivals.clone(), args.rate, peak, seconds)
}

/// From recorded arrivals, in steps of 0.1 s.
fn recorded(arrivals_us: &[u64]) -> anyhow::Result<Load> {
    const STEP_US: u64 = 100_000;
    let step = |at: u64| usize::try_from(at / STEP_US).context("the arrivals are too far apart");
    let last = arrivals_us.last().copied().unwrap_or(0);
    // At least one second.
    let mut counts = vec![0.0; (step(last)? + 1).max(10)];
    for at in arrivals_us {
        counts[step(*at)?] += 1.0;
    }
    Load::recorded(counts, 0.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_settings_override_the_stacks_parameters() {
        let parameters = [("ApiRateLimit", "70"), ("SyncRateLimit", "50"), ("JwtIssuer", "https://issuer")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));

        let settings = settings(&LimitTable::embedded(), &parameters, &[("SyncRateLimit".to_owned(), 60.0)]);

        let settings = settings.expect("they are in range");
        let of = |name: &str| settings.iter().find(|(setting, _)| setting.name == name).map(|(_, value)| value);
        assert_eq!(
            ["ApiRateLimit", "SyncRateLimit", "MaximumConcurrency"].map(of),
            [Some(70.0), Some(60.0), Some(10.0)]
        );
    }

    #[test]
    fn counts_recorded_arrivals() {
        let load = recorded(&[0, 10_000, 99_999, 250_000]).expect("the arrivals are in order");

        assert!((load.orders() - 4.0).abs() < 1e-9);
        assert!((load.peak_rate() - 30.0).abs() < 1e-9);
        assert!((load.rate_at(0.25) - 10.0).abs() < 1e-9);
    }
}
