//! The grammar of promises:
//!
//! ```text
//! promise  = (lane | "*") "." metric operator number [unit]
//! operator = "<" | "<=" | ">" | ">=" | "=="
//! number   = digits ["." digits]
//! unit     = "ms" | "s" | "%"
//! ```
//!
//! Spaces may stand between the parts.

use super::metric::{METRICS, Metric, Source, percentile_names};
use super::{MILLION, Operator, Promise};
use crate::printable::printable;
use lanes::Lane;
use std::fmt::{self, Display};
use std::ops::Range;
use std::str::FromStr;

/// Why and where a text is not a promise.
#[derive(Debug, PartialEq, Eq)]
pub struct PromiseError {
    text: String,
    /// In bytes.
    at: Range<usize>,
    expected: String,
}

impl Display for PromiseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text[..self.at.start].chars().count();
        let under = self.text[self.at.clone()].chars().count().max(1);
        let (indent, carets) = (" ".repeat(before), "^".repeat(under));
        write!(formatter, "expected {}\n  {}\n  {indent}{carets}", self.expected, printable(&self.text))
    }
}

impl std::error::Error for PromiseError {}

impl FromStr for Promise {
    type Err = PromiseError;

    fn from_str(text: &str) -> Result<Self, PromiseError> {
        parse(text).map_err(|Fault { at, expected }| PromiseError { text: text.to_owned(), at, expected })
    }
}

/// Its place, and what was expected.
struct Fault {
    at: Range<usize>,
    expected: String,
}

#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
}

impl Token<'_> {
    fn fault(self, expected: impl Into<String>) -> Fault {
        Fault { at: self.at..self.at + self.text.len(), expected: expected.into() }
    }

    /// Just after the token.
    fn fault_after(self, expected: impl Into<String>) -> Fault {
        let end = self.at + self.text.len();
        Fault { at: end..end, expected: expected.into() }
    }
}

struct Rest<'a>(Token<'a>);

impl<'a> Rest<'a> {
    /// Skips spaces and takes characters of a kind.
    fn take(&mut self, is_of_kind: impl Fn(char) -> bool) -> Token<'a> {
        let text = self.0.text.trim_start();
        let at = self.0.at + self.0.text.len() - text.len();
        let length = text.find(|character| !is_of_kind(character)).unwrap_or(text.len());
        let (taken, rest) = text.split_at(length);
        self.0 = Token { text: rest, at: at + length };
        Token { text: taken, at }
    }
}

fn is_operator(character: char) -> bool {
    matches!(character, '<' | '>' | '=')
}

fn parse(text: &str) -> Result<Promise, Fault> {
    let mut rest = Rest(Token { text, at: 0 });
    let name = rest.take(|character| !is_operator(character) && !character.is_whitespace());
    let (lane, after_lane) = lane(name)?;
    let (metric, percentile) = metric(after_lane)?;
    let operator = operator(rest.take(is_operator))?;
    let number = rest.take(|character| character.is_ascii_digit() || character == '.');
    let number_millionths =
        millionths(number.text).ok_or_else(|| number.fault("a number with at most six decimals, such as 2 or 0.5"))?;
    let unit = rest.take(|character| !character.is_whitespace());
    let (factor, is_share) = unit_of(metric, unit)?;
    let end = rest.take(|_| true);
    if !end.text.is_empty() {
        return Err(end.fault("the end"));
    }
    let limit_millionths = number_millionths.checked_mul(factor).ok_or_else(|| number.fault("a smaller number"))?;
    let text = text.split_whitespace().collect();
    Ok(Promise { text, lane, metric, percentile, operator, limit_millionths, is_share })
}

/// Lane (`None` for each), and the text after its dot.
fn lane(name: Token<'_>) -> Result<(Option<Lane>, Token<'_>), Fault> {
    let (typed, after) = name.text.split_once('.').map_or((name.text, None), |(typed, after)| (typed, Some(after)));
    let typed = Token { text: typed, at: name.at };
    let lane = match typed.text {
        "*" => None,
        text => Some(lanes::lane(text).ok_or_else(|| {
            let names = lanes::names().collect::<Vec<_>>().join(", ");
            typed.fault(format!("a lane: {names}, or * for each"))
        })?),
    };
    let after = after.ok_or_else(|| typed.fault_after("a dot and a metric, such as .lost or .done.p99"))?;
    Ok((lane, Token { text: after, at: typed.at + typed.text.len() + 1 }))
}

/// With its percentile, if any.
fn metric(name: Token<'_>) -> Result<(&'static Metric, Option<&'static str>), Fault> {
    let percentiles = || format!("a percentile: {}", percentile_names().collect::<Vec<_>>().join(", "));
    if let Some(metric) = METRICS.iter().find(|metric| metric.name == name.text) {
        return if metric.has_percentiles() { Err(name.fault_after(percentiles())) } else { Ok((metric, None)) };
    }
    let with_percentile = METRICS.iter().filter(|metric| metric.has_percentiles()).find_map(|metric| {
        let percentile = name.text.strip_prefix(metric.name)?.strip_prefix('.')?;
        Some((metric, Token { text: percentile, at: name.at + metric.name.len() + 1 }))
    });
    let Some((metric, typed)) = with_percentile else {
        let names = METRICS.iter().map(Metric::shown_name).collect::<Vec<_>>().join(", ");
        return Err(name.fault(format!("a metric: {names}")));
    };
    let percentile = percentile_names().find(|percentile| *percentile == typed.text);
    Ok((metric, Some(percentile.ok_or_else(|| typed.fault(percentiles()))?)))
}

fn operator(typed: Token<'_>) -> Result<Operator, Fault> {
    let operator = Operator::ALL.into_iter().find(|operator| operator.symbol() == typed.text);
    operator.ok_or_else(|| {
        let symbols = Operator::ALL.map(Operator::symbol).join(", ");
        typed.fault(format!("an operator: {symbols}"))
    })
}

/// Of a decimal number.
fn millionths(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|character| character.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > 6 {
        return None;
    }
    let decimals: u64 = format!("{decimals:0<6}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(MILLION)?.checked_add(decimals)
}

/// Factor to the metric's unit, and whether it is a share.
fn unit_of(metric: &Metric, typed: Token<'_>) -> Result<(u64, bool), Fault> {
    match (&metric.source, typed.text) {
        (Source::Times(_), "ms") => Ok((1, false)),
        (Source::Times(_), "s") => Ok((1000, false)),
        (Source::Times(_), _) => Err(typed.fault("ms or s after the number")),
        (Source::Share(..), "%") => Ok((1, true)),
        (_, "") => Ok((1, false)),
        (Source::Share(..), _) => Err(typed.fault("% or nothing after the number")),
        (Source::Number(_) | Source::Usd(_), _) => Err(typed.fault("nothing after the number")),
    }
}
