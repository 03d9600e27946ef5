//! A subject's figures, and their ratios to a floor.

use crate::growth::Growth;
use crate::sample::Sample;
use crate::series::{Measured, float, milliseconds, percentile};
use crate::subject::SDK_FLOOR;
use std::collections::BTreeMap;

/// By metric and subject.
pub(crate) type Values = BTreeMap<String, BTreeMap<String, f64>>;

pub(crate) struct Metric {
    /// In bounds and reports.
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// Significant decimals.
    pub(crate) decimals: usize,
    /// One per round, or one that does not vary. Empty if not measured.
    of: fn(&Measured) -> Vec<f64>,
}

/// In the order of reports.
pub(crate) const METRICS: [Metric; 11] = [
    // To the first poll for an event.
    Metric { name: "start", unit: "ms", decimals: 2, of: |one| one.each(|sample| milliseconds(sample.start)) },
    Metric {
        name: "first-answer",
        unit: "ms from the start",
        decimals: 2,
        of: |one| one.each(|sample| milliseconds(sample.first_answer)),
    },
    Metric { name: "warm-p50", unit: "ms", decimals: 2, of: |one| one.each(|sample| warm(sample, 50)) },
    Metric { name: "warm-p99", unit: "ms", decimals: 2, of: |one| one.each(|sample| warm(sample, 99)) },
    Metric {
        name: "processor-time",
        unit: "µs an order, warm",
        decimals: 0,
        of: |one| one.each(|sample| milliseconds(sample.processor) * 1e3 / f64::from(one.subject.orders)),
    },
    Metric {
        name: "memory",
        unit: "MiB at its peak",
        decimals: 2,
        of: |one| one.each(|sample| float(sample.memory_kib) / 1024.0),
    },
    Metric {
        name: "archive",
        unit: "MiB",
        decimals: 2,
        of: |one| one.archived_bytes.iter().map(|bytes| f64::from(*bytes) / 1024.0 / 1024.0).collect(),
    },
    Metric {
        name: "init-instructions",
        unit: "",
        decimals: 0,
        of: |one| one.counts.iter().map(|counts| counts.init_instructions).collect(),
    },
    Metric {
        name: "warm-instructions",
        unit: "an invocation",
        decimals: 0,
        of: |one| one.counts.iter().map(|counts| counts.warm_instructions).collect(),
    },
    Metric {
        name: "init-system-calls",
        unit: "",
        decimals: 0,
        of: |one| one.counts.iter().map(|counts| counts.init_system_calls).collect(),
    },
    Metric {
        name: "warm-system-calls",
        unit: "an invocation",
        decimals: 1,
        of: |one| one.counts.iter().map(|counts| counts.warm_system_calls).collect(),
    },
];

const OPERATIONS: [&str; 8] = [
    "PutItem",
    "UpdateItem",
    "TransactWriteItems",
    "GetItem",
    "Query",
    "Publish",
    "PostToConnection",
    "DeleteConnection",
];

/// Other figures that can have bounds.
const OTHERS: [&str; 6] = [
    "requests",
    // TLS handshakes that the first event waits for.
    "first-event-handshakes",
    // Sequential round trips of a whole batch.
    "round-trips",
    // Time of a whole batch with every seventh write throttled.
    "throttled-ms",
    // Of the last order to the first warm one in a series of `growth`.
    "growth-processor-time",
    "growth-memory",
];

pub(crate) fn others() -> impl Iterator<Item = &'static str> {
    OTHERS.into_iter().chain(OPERATIONS)
}

impl Metric {
    pub(crate) fn median(&self, one: &Measured) -> Option<f64> {
        percentile((self.of)(one), 50)
    }

    /// The median of the rounds' ratios. Within a round, both ran under the same load.
    pub(crate) fn ratio(&self, one: &Measured, base: &Measured) -> Option<f64> {
        let (values, bases) = ((self.of)(one), (self.of)(base));
        percentile(values.iter().zip(&bases).map(|(value, base)| value / base).collect(), 50)
    }
}

#[derive(Default)]
pub(crate) struct Results {
    /// To the SDK floor.
    pub(crate) ratios: Values,
    pub(crate) figures: Values,
}

impl Results {
    pub(crate) fn new(measured: &[Measured], growths: &[Growth]) -> Self {
        Self { ratios: ratios(measured, SDK_FLOOR), figures: figures(measured, growths) }
    }

    /// Replaces ratios of times by the median of this and of further series. Other subjects keep theirs.
    pub(crate) fn add_series(&mut self, series: &[Vec<Measured>]) {
        let series: Vec<_> = series.iter().map(|measured| ratios(measured, SDK_FLOOR)).collect();
        for (metric, by_subject) in self.ratios.iter_mut().filter(|(metric, _)| is_time(metric)) {
            for (subject, ratio) in by_subject {
                let of = |series: &Values| series.get(metric)?.get(subject).copied();
                let all = series.iter().filter_map(of).chain([*ratio]).collect();
                *ratio = percentile(all, 50).unwrap_or(*ratio);
            }
        }
    }
}

/// Whether it varies with the machine's load.
pub(crate) fn is_time(metric: &str) -> bool {
    ["start", "first-answer", "processor-time"].contains(&metric) || metric.starts_with("warm-p")
}

pub(crate) fn is_counted(metric: &str) -> bool {
    metric.ends_with("-instructions") || metric.ends_with("-system-calls")
}

pub(crate) fn is_growth(metric: &str) -> bool {
    metric.starts_with("growth-")
}

fn ratios(measured: &[Measured], floor: &str) -> Values {
    let floor = measured.iter().find(|one| one.subject.name == floor);
    let of = |metric: &Metric, one: &Measured| metric.ratio(one, floor?);
    METRICS.iter().map(|metric| (metric.name.to_owned(), by_subject(measured, |one| of(metric, one)))).collect()
}

fn figures(measured: &[Measured], growths: &[Growth]) -> Values {
    let floor = measured.iter().find(|one| one.subject.name == SDK_FLOOR);
    let mut figures = Values::new();
    for metric in &METRICS {
        figures.insert(metric.name.to_owned(), by_subject(measured, |one| metric.median(one)));
    }
    for operation in OPERATIONS {
        let of = |one: &Measured| one.requests_per_order().get(operation).copied();
        figures.insert(operation.to_owned(), by_subject(measured, |one| Some(of(one).unwrap_or(0.0))));
    }
    let requests = |one: &Measured| Some(one.requests_per_order().values().sum());
    figures.insert("requests".to_owned(), by_subject(measured, requests));
    let handshakes = |one: &Measured| Some(float(one.tls.as_ref()?.at_first_event.connections));
    figures.insert("first-event-handshakes".to_owned(), by_subject(measured, handshakes));
    let round_trips = |one: &Measured| {
        let floor = floor?;
        // The denominator is one measured round trip, which is somewhat longer than the delay.
        Some(median_warm(&one.delayed)? / (median_warm(&floor.delayed)? - median_warm(&floor.samples)?))
    };
    figures.insert("round-trips".to_owned(), by_subject(measured, round_trips));
    figures.insert("throttled-ms".to_owned(), by_subject(measured, |one| median_warm(&one.throttled)));
    for (name, of) in [
        ("growth-processor-time", Growth::processor_time as fn(&Growth) -> Option<f64>),
        ("growth-memory", Growth::memory),
    ] {
        let grown = growths.iter().filter_map(|growth| Some((growth.subject.to_owned(), of(growth)?)));
        figures.insert(name.to_owned(), grown.collect());
    }
    figures
}

fn by_subject(measured: &[Measured], of: impl Fn(&Measured) -> Option<f64>) -> BTreeMap<String, f64> {
    measured.iter().filter_map(|one| Some((one.subject.name.clone(), of(one)?))).collect()
}

fn warm(sample: &Sample, per_cent: usize) -> f64 {
    percentile(sample.warm.iter().copied().map(milliseconds).collect(), per_cent).unwrap_or_default()
}

/// Of all warm invocations, in milliseconds.
fn median_warm(samples: &[Sample]) -> Option<f64> {
    percentile(samples.iter().flat_map(|sample| &sample.warm).copied().map(milliseconds).collect(), 50)
}

impl Measured {
    fn each(&self, of: impl Fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.iter().map(of).collect()
    }
}
