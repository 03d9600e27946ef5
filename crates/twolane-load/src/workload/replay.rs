//! Reads arrivals from a file: JSON lines with a due time and an order.

use super::SAMPLE;
use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::Path;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

const MAX_LISTED: usize = 10;

/// Due times in microseconds from the first one, ascending, each with its body.
pub(crate) type Replay = (Vec<u64>, Vec<Box<str>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: At,
    order: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum At {
    Milliseconds(f64),
    Time(String),
}

/// Reads the file. Skips blank lines; lines may be in any order.
///
/// # Errors
/// The file cannot be read, is empty, or has malformed lines. The message lists them by number.
pub(crate) fn read(path: &Path) -> anyhow::Result<Replay> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("Failed to read the arrivals in {shown}"))?;
    parse(&text).with_context(|| format!("Nothing was sent: {shown} is not a file of arrivals"))
}

fn parse(text: &str) -> anyhow::Result<Replay> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut arrivals, mut wrong) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match parse_line(line) {
            Ok(arrival) => arrivals.push(arrival),
            Err(why) => wrong.push(format!("line {}: {why}", index + 1)),
        }
    }
    if !wrong.is_empty() {
        let more = wrong.len().saturating_sub(MAX_LISTED);
        wrong.truncate(MAX_LISTED);
        wrong.extend((more > 0).then(|| format!("and {more} more")));
        bail!("it has malformed lines\n  {}", wrong.join("\n  "));
    }
    arrivals.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let first = arrivals.first().context("it is empty")?.0;
    let times: Vec<u64> = arrivals.iter().map(|(at, _)| microseconds(at - first)).collect();
    if times.last().is_some_and(|last| *last > MAX_SPAN_US) {
        bail!("its arrivals are more than a day apart; are all times of the same kind?");
    }
    let bodies = arrivals.into_iter().map(|(_, body)| body.unwrap_or_else(|| SAMPLE.into()));
    Ok((times, bodies.collect()))
}

/// A day, in microseconds.
const MAX_SPAN_US: u64 = 24 * 60 * 60 * 1_000_000;

/// The due time in milliseconds from any origin, and the body.
fn parse_line(line: &str) -> Result<(f64, Option<Box<str>>), String> {
    let line: Line = serde_json::from_str(line)
        .map_err(|error| format!("{error}; a line is {{\"at\":<milliseconds or RFC 3339>,\"order\":{{…}}}}"))?;
    let at = match line.at {
        At::Milliseconds(at) if at.is_finite() => at,
        At::Milliseconds(_) => return Err("`at` is not a time".to_owned()),
        At::Time(text) => {
            let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(|error| format!("`at`: {error}"))?;
            #[expect(clippy::cast_precision_loss, reason = "f64 keeps milliseconds exactly for centuries")]
            let milliseconds = time.unix_timestamp_nanos() as f64 / 1e6;
            milliseconds
        }
    };
    Ok((at, line.order.map(|order| order.get().into())))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the first is 0, and a cast saturates")]
fn microseconds(milliseconds: f64) -> u64 {
    (milliseconds * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_from_the_first_arrival_and_sorts() {
        let text = "{\"at\":1500,\"order\":{\"a\":1}}\n\n{\"at\":1000.5}\n";

        assert_eq!(
            parse(text).expect("it is well-formed"),
            (vec![0, 499_500], vec![SAMPLE.into(), "{\"a\":1}".into()])
        );
    }

    #[test]
    fn accepts_rfc_3339_times() {
        let text = "{\"at\":\"2026-11-24T12:00:00.250Z\"}\n{\"at\":\"2026-11-24T13:00:01.000+01:00\"}";

        assert_eq!(parse(text).expect("it is well-formed").0, [0, 750_000]);
    }

    #[test]
    fn names_malformed_lines() {
        let text = "{\"at\":1}\n{\"at\":\"noon\"}\n{\"time\":1}";

        let error = parse(text).expect_err("two lines are malformed").to_string();

        assert!(error.contains("line 2: `at`") && error.contains("line 3: unknown field `time`"), "{error}");
        assert!(parse("").is_err());
        assert!(parse("{\"at\":1}\n{\"at\":1e12}").is_err());
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text in any::<String>(), at in any::<f64>()) {
            let _ = parse(&text);
            let _ = parse(&format!("{{\"at\":{at:e}}}"));
        }
    }
}
