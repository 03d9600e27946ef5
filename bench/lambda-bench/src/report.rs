//! Reports as text and as JSON.

use crate::bounds::Bound;
use crate::growth::Growth;
use crate::metrics::{METRICS, Metric};
use crate::series::Measured;
use crate::subject::{HELLO_FLOOR, Kind, SDK_FLOOR};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// `repeated`: the subjects that were measured in several series.
pub(crate) fn text(measured: &[Measured], growths: &[Growth], bounds: &[Bound], repeated: &BTreeSet<String>) -> String {
    let named = |name: &str| measured.iter().find(|one| one.subject.name == name);
    let all: Vec<&Measured> = measured.iter().collect();
    let mut text = String::new();
    if let Some(floor) = named(SDK_FLOOR) {
        text += &table("Median (× sdk-floor)", &all, |metric, one| {
            let median = format!("{:.*}", metric.decimals, metric.median(one)?);
            Some(format!("{median} ({:.2})", metric.ratio(one, floor)?))
        });
    }
    if let Some(floor) = named(HELLO_FLOOR) {
        text += &ratios("× hello-floor", &all, floor);
    }
    let peers: Vec<&Measured> = measured.iter().filter(|one| one.subject.kind == Kind::Peer).collect();
    if let Some(create_order) = named("create-order").filter(|_| !peers.is_empty()) {
        text += &ratios("× create-order, without bounds", &peers, create_order);
    }
    for one in measured.iter().filter(|one| one.subject.name != HELLO_FLOOR) {
        let requests = one.requests_per_order();
        let requests: Vec<_> = requests.iter().map(|(name, count)| format!("{count:.2} {name}")).collect();
        let requests = if requests.is_empty() { "no requests".to_owned() } else { requests.join(", ") };
        let handshakes =
            |sample: &crate::sample::Sample| (sample.in_init.connections, sample.at_first_event.connections);
        let (init, first) = one.tls.as_ref().map_or((0, 0), handshakes);
        let name = &one.subject.name;
        let _ =
            writeln!(text, "{name}: {requests} an order; TLS handshakes: {init} in init, {first} at the first event");
    }
    let _ = writeln!(text);
    for growth in growths {
        let _ = writeln!(
            text,
            "{}: {} ({:+.3} µs of processor time for each additional one)",
            growth.subject,
            growth.of,
            growth.slope_us()
        );
        for point in &growth.points {
            let (at, processor, took) = (point.at, point.processor_us, point.took_us);
            let memory = crate::series::float(point.peak_memory_kib) / 1024.0;
            let _ = writeln!(
                text,
                "  {at:>6}: {processor:.0} µs of processor time an order, {took:.0} µs an order, {memory:.2} MiB"
            );
        }
    }
    if !repeated.is_empty() {
        let slow: Vec<_> = repeated.iter().map(String::as_str).collect();
        let _ = writeln!(text, "Judged by the median of three series: {}", slow.join(", "));
    }
    let checked: Vec<&Bound> = bounds.iter().filter(|bound| bound.is.is_some() || bound.is_requested).collect();
    for bound in &checked {
        let verdict = if bound.holds() { "ok      " } else { "EXCEEDED" };
        let is = bound.is.map_or_else(|| "not measured".to_owned(), number);
        let _ = writeln!(text, "{verdict} {}: {is}, at most {}", bound.what, number(bound.at_most));
    }
    let exceeded = checked.iter().filter(|bound| !bound.holds()).count();
    let (held, unmeasured) = (checked.len() - exceeded, bounds.len() - checked.len());
    let _ = writeln!(text, "Bounds: {held} hold, {exceeded} are exceeded, {unmeasured} were not measured");
    let _ = writeln!(text, "Figures of processes on this machine. AWS adds the start of a sandbox and its network.");
    text
}

fn ratios(title: &str, subjects: &[&Measured], base: &Measured) -> String {
    table(title, subjects, |metric, one| Some(format!("{:.2}", metric.ratio(one, base)?)))
}

const COLUMNS: usize = 6;

/// With a row for each metric and a column for each subject, [`COLUMNS`] subjects each.
fn table(title: &str, subjects: &[&Measured], cell: impl Fn(&Metric, &Measured) -> Option<String>) -> String {
    subjects.chunks(COLUMNS).map(|subjects| one_table(title, subjects, &cell)).collect()
}

fn one_table(title: &str, subjects: &[&Measured], cell: impl Fn(&Metric, &Measured) -> Option<String>) -> String {
    let titles = subjects.iter().map(|one| one.subject.name.clone());
    let mut rows = vec![std::iter::once(title.to_owned()).chain(titles).collect::<Vec<_>>()];
    for metric in &METRICS {
        let label =
            if metric.unit.is_empty() { metric.name.to_owned() } else { format!("{}, {}", metric.name, metric.unit) };
        let cells = subjects.iter().map(|one| cell(metric, one).unwrap_or_else(|| "–".to_owned()));
        rows.push(std::iter::once(label).chain(cells).collect());
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=subjects.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text + "\n"
}

/// In the units of [`METRICS`].
pub(crate) fn json(measured: &[Measured], growths: &[Growth], bounds: &[Bound]) -> Value {
    let named = |name: &str| measured.iter().find(|one| one.subject.name == name);
    let (sdk, hello) = (named(SDK_FLOOR), named(HELLO_FLOOR));
    let subjects = measured.iter().map(|one| {
        let metrics = METRICS.iter().map(|metric| {
            let ratio = |floor: Option<&Measured>| metric.ratio(one, floor?);
            json!({
                "name": metric.name,
                "unit": metric.unit,
                "median": metric.median(one),
                "ofSdkFloor": ratio(sdk),
                "ofHelloFloor": ratio(hello),
            })
        });
        json!({
            "name": one.subject.name,
            "rounds": one.samples.len(),
            "metrics": metrics.collect::<Vec<_>>(),
            "requestsPerOrder": one.requests_per_order(),
        })
    });
    json!({ "arch": std::env::consts::ARCH, "subjects": subjects.collect::<Vec<_>>(), "growth": growths, "bounds": bounds })
}

fn number(value: f64) -> String {
    if value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
