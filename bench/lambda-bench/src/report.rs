//! What was measured, for people and for programs.

use crate::bounds::Bound;
use crate::growth::Growth;
use crate::series::{Measured, float};
use crate::subject::{FLOOR, SDK_FLOOR};
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;

/// A table of all subjects, and what must hold.
pub(crate) fn text(measured: &[Measured], growths: &[Growth], bounds: &[Bound]) -> String {
    let floor = measured.iter().find(|one| one.subject.name == FLOOR);
    let mut rows: Vec<Vec<String>> = vec![vec!["medians; × the floor".to_owned()]];
    rows[0].extend(measured.iter().map(|one| one.subject.name.clone()));
    let mut row = |what: &str, of: &dyn Fn(&Measured) -> Option<(f64, String)>| {
        let base = floor.and_then(of).map(|(value, _)| value);
        let cells = measured.iter().map(|one| match (of(one), base) {
            (None, _) => "–".to_owned(),
            (Some((value, shown)), Some(base)) if base > 0.0 && one.subject.name != FLOOR => {
                format!("{shown} ({:.2}×)", value / base)
            }
            (Some((_, shown)), _) => shown,
        });
        rows.push(std::iter::once(what.to_owned()).chain(cells).collect());
    };
    let shown = |time: Duration| (time.as_secs_f64(), milliseconds(time));
    row("start to first poll, ms", &|one| Some(shown(one.median(|sample| sample.cold_start))));
    row("start to first answer, ms", &|one| Some(shown(one.median(|sample| sample.first_answer))));
    row("warm p50, ms", &|one| Some(shown(quantile(&one.warm(), 50))));
    row("warm p99, ms", &|one| Some(shown(quantile(&one.warm(), 99))));
    row("invocations per second", &|one| Some((rate(one), format!("{:.0}", rate(one)))));
    row("processor time, µs", &|one| {
        let time = one.median(|sample| sample.cpu);
        Some((time.as_secs_f64(), format!("{:.0}", time.as_secs_f64() * 1e6)))
    });
    row("peak memory, MiB", &|one| Some((float(one.memory_kib()), mebibytes(one.memory_kib() * 1024))));
    row("file, MiB", &|one| one.size.map(|size| (float(size.raw), mebibytes(size.raw))));
    row("in its archive, MiB", &|one| one.size.map(|size| (float(size.zipped), mebibytes(size.zipped))));
    for (what, of) in COUNTS {
        row(what, &|one| one.counts.map(|counts| (float(of(&counts)), of(&counts).to_string())));
    }
    let mut text = table(&rows);
    for one in measured.iter().filter(|one| one.subject.name != FLOOR) {
        let calls: Vec<_> =
            one.calls_per_invocation().iter().map(|(name, count)| format!("{count:.2} {name}")).collect();
        let tls = one.tls.as_ref().map_or(0, |tls| tls.asked[0].connections);
        let at_first = one.tls.as_ref().map_or(0, |tls| tls.asked[1].connections);
        let _ = writeln!(
            text,
            "{}: {} per warm invocation; TLS handshakes: {tls} in init, {at_first} at the first event",
            one.subject.name,
            if calls.is_empty() { "no calls".to_owned() } else { calls.join(", ") }
        );
    }
    let _ = writeln!(text);
    for growth in growths {
        let _ = writeln!(text, "{} ({:+.3} µs of processor time for each more)", growth.of, growth.slope_us());
        for point in &growth.points {
            let memory = mebibytes(point.peak_memory_kib * 1024);
            let _ = writeln!(
                text,
                "  {:>6}: {:.0} µs of processor time an order, {:.0} µs an order, {memory} MiB",
                point.at, point.cpu_us, point.took_us
            );
        }
    }
    for bound in bounds {
        let verdict = match bound {
            bound if bound.holds => "ok   ",
            bound if bound.is_known_to_be_missed() => "known",
            _ => "MISS ",
        };
        let of_sdk = bound.of_sdk.map_or_else(String::new, |of_sdk| format!(" ({SDK_FLOOR}: {})", number(of_sdk)));
        let _ =
            writeln!(text, "{verdict} {}: {}, at most {}{of_sdk}", bound.what, number(bound.is), number(bound.at_most));
    }
    let count = |of: &dyn Fn(&&Bound) -> bool| bounds.iter().filter(of).count();
    let (hold, known) = (count(&|bound| bound.holds), count(&|bound| bound.is_known_to_be_missed()));
    let missed = bounds.len() - hold - known;
    if !bounds.is_empty() {
        let _ = writeln!(
            text,
            "Bounds: {hold} hold, {missed} are missed; {known} are known to be missed, which fails no run: docs/performance.md"
        );
    }
    let _ = writeln!(text, "Measured on this machine, of processes; AWS adds the start of a sandbox and its network.");
    text
}

type CountOf = fn(&crate::counts::Counts) -> u64;

const COUNTS: [(&str, CountOf); 4] = [
    ("instructions of init", |counts| counts.init_instructions),
    ("instructions, warm", |counts| counts.warm_instructions),
    ("system calls of init", |counts| counts.init_calls),
    ("system calls, warm", |counts| counts.warm_calls),
];

fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text + "\n"
}

/// For programs: times in milliseconds.
pub(crate) fn json(measured: &[Measured], growths: &[Growth], bounds: &[Bound]) -> Value {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let subjects = measured.iter().map(|one| {
        let warm = one.warm();
        let of_waiting = |samples: &[crate::sample::Sample]| {
            let all: Vec<_> = samples.iter().flat_map(|sample| sample.warm.clone()).collect();
            (!all.is_empty()).then(|| milliseconds(crate::series::median(all)))
        };
        json!({
            "name": one.subject.name,
            "lives": one.samples.len(),
            "coldStartMs": milliseconds(one.median(|sample| sample.cold_start)),
            "firstAnswerMs": milliseconds(one.median(|sample| sample.first_answer)),
            "warmP50Ms": milliseconds(quantile(&warm, 50)),
            "warmP99Ms": milliseconds(quantile(&warm, 99)),
            "invocationsPerSecond": rate(one),
            "cpuMs": milliseconds(one.median(|sample| sample.cpu)),
            "peakMemoryKib": one.memory_kib(),
            "fileBytes": one.size.map(|size| size.raw),
            "archivedBytes": one.size.map(|size| size.zipped),
            "callsPerInvocation": one.calls_per_invocation(),
            "slowDatabaseMs": of_waiting(&one.waiting),
            "throttledMs": of_waiting(&one.throttled),
            "tlsHandshakesOfInit": one.tls.as_ref().map(|tls| tls.asked[0].connections),
            "tlsHandshakesOfFirstEvent": one.tls.as_ref().map(|tls| tls.asked[1].connections),
            "counts": one.counts,
        })
    });
    json!({ "arch": std::env::consts::ARCH, "subjects": subjects.collect::<Vec<_>>(), "growth": growths, "bounds": bounds })
}

/// One of ascending times.
fn quantile(times: &[Duration], per_cent: usize) -> Duration {
    times.get(times.len() * per_cent / 100).or(times.last()).copied().unwrap_or_default()
}

/// Warm invocations per second, one after the other.
fn rate(one: &Measured) -> f64 {
    let took: Duration = one.samples.iter().map(|sample| sample.warm_took).sum();
    float(one.samples.iter().map(|sample| sample.warm.len() as u64).sum()) / took.as_secs_f64()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.2}", float(bytes) / 1024.0 / 1024.0)
}

fn number(value: f64) -> String {
    if value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
