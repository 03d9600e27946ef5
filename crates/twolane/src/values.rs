//! Parsers for option values.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use lanes::{LANES, Lane, QueueSpec};
use std::time::Duration;

pub(crate) fn lane_parser() -> impl TypedValueParser<Value = Lane> {
    let names = LANES.iter().map(|lane| PossibleValue::new(lane.name).help(lane.summary));
    PossibleValuesParser::new(names)
        .map(|typed| lanes::lane(&typed).expect("the parser accepts only names of the table"))
}

pub(crate) fn queue_parser() -> impl TypedValueParser<Value = &'static QueueSpec> {
    PossibleValuesParser::new(lanes::queues().map(|queue| queue.name)).map(|typed| {
        lanes::queues().find(|queue| queue.name == typed).expect("the parser accepts only names of the table")
    })
}

/// A step of any lane.
pub(crate) fn step_parser() -> PossibleValuesParser {
    LANES.iter().flat_map(|lane| lane.steps).map(|step| step.name).collect::<Vec<_>>().into()
}

/// One of the values by its name. Each row has name, help and value.
pub(crate) fn one_of<T: Clone + Send + Sync + 'static>(
    values: &'static [(&'static str, &'static str, T)],
) -> impl TypedValueParser<Value = T> {
    let names = values.iter().map(|(name, help, _)| PossibleValue::new(*name).help(*help));
    PossibleValuesParser::new(names).map(|typed| {
        let found = values.iter().find(|(name, ..)| *name == typed);
        found.expect("the parser accepts only these names").2.clone()
    })
}

/// A `sub` that the stack accepts as an owner.
///
/// # Errors
/// What it must be.
pub(crate) fn parse_subject(text: &str) -> Result<String, String> {
    orders_api::check_subject(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

/// A time above zero, such as `90s`, `15m`, `1h` or `2d`.
///
/// # Errors
/// What it must be.
pub(crate) fn parse_ttl(text: &str) -> Result<Duration, String> {
    let wrong = || "a whole number and s, m, h or d, such as 90s, 15m, 1h or 2d".to_owned();
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().ok_or_else(wrong)?.len_utf8());
    let number: u32 = number.parse().map_err(|_| wrong())?;
    if number == 0 {
        return Err("a time above 0".to_owned());
    }
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_times() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h", 3600), ("2d", 172_800)] {
            assert_eq!(parse_ttl(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "h", "1", "-1h", "1.5h", "1 h", "1w", "1ü", "99999999999d", "0s", "00d"] {
            assert!(parse_ttl(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_of_times_panic(text in any::<String>()) {
            let _ = parse_ttl(&text);
        }
    }
}
