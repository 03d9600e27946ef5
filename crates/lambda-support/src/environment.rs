//! The configuration, from environment variables.

use lambda_http::http::Uri;
use std::{collections::HashMap, env, num::IntErrorKind, str::FromStr, time::Duration};

/// Reads environment variables, and records all that are missing or malformed, so that the operator can fix all at
/// once.
///
/// ```
/// use lambda_support::environment::Environment;
///
/// let mut environment = Environment::from_iter([("ORDERS_TABLE_NAME", "orders"), ("MAX_RECEIVE_COUNT", "five")]);
/// let table_name = environment.text("ORDERS_TABLE_NAME");
/// let max_receive_count: u32 = environment.number("MAX_RECEIVE_COUNT");
/// let url = environment.text("ORDERS_URL");
///
/// let invalid = environment.finish((table_name, max_receive_count, url)).unwrap_err();
/// assert_eq!(
///     invalid.to_string(),
///     "invalid environment: MAX_RECEIVE_COUNT is \"five\", not a whole number in range; ORDERS_URL is missing"
/// );
/// ```
pub struct Environment {
    lookup: Box<Lookup>,
    problems: Vec<String>,
}

type Lookup = dyn Fn(&str) -> Option<String>;

/// Environment variables are missing or malformed. The message names each.
#[derive(Debug, thiserror::Error)]
#[error("invalid environment: {0}")]
pub struct InvalidEnvironment(String);

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn from_process() -> Self {
        Self::new(|name| env::var(name).ok())
    }

    /// `lookup` returns the value of a variable.
    #[must_use]
    pub fn new(lookup: impl Fn(&str) -> Option<String> + 'static) -> Self {
        Self { lookup: Box::new(lookup), problems: Vec::new() }
    }

    /// A required text, not empty.
    pub fn text(&mut self, name: &str) -> String {
        let value = (self.lookup)(name).filter(|value| !value.is_empty());
        value.unwrap_or_else(|| {
            self.problems.push(format!("{name} is missing"));
            String::new()
        })
    }

    /// An optional text. Empty counts as missing.
    pub fn optional_text(&mut self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// A required whole number that fits the type.
    pub fn number<N: FromStr<Err = std::num::ParseIntError> + Default>(&mut self, name: &str) -> N {
        let value = self.text(name);
        value.parse().unwrap_or_else(|error: std::num::ParseIntError| {
            if *error.kind() != IntErrorKind::Empty {
                self.wrong(name, &value, "a whole number in range");
            }
            N::default()
        })
    }

    /// A required `http` or `https` URL with a host.
    pub fn url(&mut self, name: &str) -> String {
        let value = self.text(name);
        self.check_url(name, &value);
        value
    }

    /// An optional `http` or `https` URL with a host. Empty counts as missing.
    pub fn optional_url(&mut self, name: &str) -> Option<String> {
        let value = self.optional_text(name)?;
        self.check_url(name, &value);
        Some(value)
    }

    fn check_url(&mut self, name: &str, value: &str) {
        let uri = value.parse::<Uri>().ok();
        let usable = uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
        if !usable && !value.is_empty() {
            self.wrong(name, value, "an http or https URL");
        }
    }

    /// A required number of days; 0 means no limit.
    pub fn days(&mut self, name: &str) -> Option<Duration> {
        let days: u32 = self.number(name);
        (days > 0).then(|| Duration::from_hours(24 * u64::from(days)))
    }

    /// A required number of seconds; 0 means no limit.
    pub fn seconds(&mut self, name: &str) -> Option<Duration> {
        let seconds: u32 = self.number(name);
        (seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }

    /// An optional value. Empty counts as missing. `must_be` describes what `parse` accepts.
    pub(crate) fn parsed<V>(&mut self, name: &str, must_be: &str, parse: impl FnOnce(&str) -> Option<V>) -> Option<V> {
        let text = self.optional_text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.wrong(name, &text, must_be);
        }
        value
    }

    /// Whether a switch is on: `true` in any case, as AWS writes it.
    pub(crate) fn is_true(&mut self, name: &str) -> bool {
        self.optional_text(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Records a malformed value, and returns an empty one instead.
    pub(crate) fn wrong(&mut self, name: &str, value: &str, must_be: &str) -> String {
        self.problems.push(format!("{name} is {value:?}, not {must_be}"));
        String::new()
    }

    /// Returns `config`, unless a variable was missing or malformed.
    ///
    /// # Errors
    /// [`InvalidEnvironment`], which names every such variable.
    pub fn finish<C>(self, config: C) -> Result<C, InvalidEnvironment> {
        if self.problems.is_empty() { Ok(config) } else { Err(InvalidEnvironment(self.problems.join("; "))) }
    }
}

/// Only these variables.
impl<'a> FromIterator<(&'a str, &'a str)> for Environment {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(variables: I) -> Self {
        let variables: HashMap<_, _> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self::new(move |name| variables.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_texts_and_numbers() {
        let mut environment = Environment::from_iter([("NAME", "orders"), ("COUNT", "5")]);

        let config = (environment.text("NAME"), environment.number::<u32>("COUNT"));

        assert_eq!(environment.finish(config).expect("nothing is wrong"), ("orders".to_owned(), 5));
    }

    #[test]
    fn accepts_only_urls_as_urls() {
        let mut environment =
            Environment::from_iter([("GOOD", "https://a.example/live"), ("BAD", "a.example"), ("WS", "ws://a")]);

        assert_eq!(environment.url("GOOD"), "https://a.example/live");
        environment.url("BAD");
        environment.url("WS");
        let message = environment.finish(()).expect_err("two are wrong").to_string();

        assert!(!message.contains("GOOD") && message.contains("BAD is") && message.contains("WS is"), "{message}");
    }

    #[test]
    fn optional_variables_may_be_missing_but_not_malformed() {
        let mut environment = Environment::from_iter([("EMPTY", ""), ("TEXT", "text"), ("BAD", "a.example")]);

        assert_eq!(environment.optional_text("TEXT").as_deref(), Some("text"));
        for name in ["EMPTY", "ABSENT"] {
            assert_eq!(environment.optional_text(name), None, "{name}");
            assert_eq!(environment.optional_url(name), None, "{name}");
        }
        environment.optional_url("BAD");
        let message = environment.finish(()).expect_err("one is wrong").to_string();

        assert!(message.contains("BAD is") && !message.contains("ABSENT"), "{message}");
    }

    #[test]
    fn reads_zero_days_and_seconds_as_no_limit() {
        let mut environment = Environment::from_iter([("NONE", "0"), ("WEEK", "7")]);

        assert_eq!(environment.days("NONE"), None);
        assert_eq!(environment.seconds("NONE"), None);
        assert_eq!(environment.seconds("WEEK"), Some(Duration::from_secs(7)));
        assert_eq!(environment.days("WEEK"), Some(Duration::from_hours(7 * 24)));
    }

    #[test]
    fn names_every_missing_or_malformed_variable_at_once() {
        let mut environment = Environment::from_iter([("EMPTY", ""), ("NEGATIVE", "-1"), ("HUGE", "99999999999")]);
        let texts = (environment.text("ABSENT"), environment.text("EMPTY"));
        let numbers: (u32, u32, u32) =
            (environment.number("NEGATIVE"), environment.number("HUGE"), environment.number("ABSENT_NUMBER"));

        let message = environment.finish((texts, numbers)).expect_err("all are wrong").to_string();

        for name in
            ["ABSENT is missing", "EMPTY is missing", "NEGATIVE is \"-1\"", "HUGE is", "ABSENT_NUMBER is missing"]
        {
            assert!(message.contains(name), "{message}");
        }
        assert_eq!(message.matches("ABSENT_NUMBER").count(), 1, "{message}");
    }
}
