//! `twolane token`, and the token that the other commands send.

use crate::cli::{StackArgs, TokenArgs};
use crate::issuer::{self, Issuer};
use crate::output::Output;
use crate::stack::Stack;
use anyhow::{Context, bail};
use reqwest::header::HeaderValue;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Whose orders are placed on a local stack when no token says otherwise.
const LOCAL_SUBJECT: &str = "demo";

/// How long a token made for one request lasts; a socket ends with it.
const LOCAL_TTL: Duration = Duration::from_hours(1);

/// What requests say of their caller.
#[derive(Clone)]
pub(crate) enum Token {
    /// Nothing: the stack will say what it thinks of that.
    None,
    /// The token that was given.
    Given(HeaderValue),
    /// A new one each time, of a local stack's issuer.
    Made(Arc<Issuer>),
}

impl Token {
    /// The token that was given, or else one of the local stack's issuer.
    ///
    /// # Errors
    /// What was given cannot be sent, or the issuer's file cannot be read.
    pub(crate) fn find(args: &StackArgs, stack: &Stack) -> anyhow::Result<Self> {
        if let Some(token) = args.token.as_deref().map(str::trim).filter(|token| !token.is_empty()) {
            return Ok(Self::Given(bearer(token).context("The token has characters that no token has")?));
        }
        match stack.file().as_deref().and_then(issuer::beside) {
            Some(path) => Ok(Self::Made(Arc::new(Issuer::read(&path)?))),
            None => Ok(Self::None),
        }
    }

    /// The value of `Authorization`.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        match self {
            Self::None => None,
            Self::Given(value) => Some(value.clone()),
            Self::Made(issuer) => bearer(&issuer.token(LOCAL_SUBJECT, LOCAL_TTL)),
        }
    }
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    // Not shown where headers are.
    value.set_sensitive(true);
    Some(value)
}

/// Runs the command.
pub(crate) fn run(args: &TokenArgs) -> anyhow::Result<ExitCode> {
    let issuer = Issuer::read(&issuer_file(args)?)?;
    let mut output = Output::stdout();
    output.line(&issuer.token(&args.subject, args.ttl)).context("Failed to write the token")?;
    Ok(ExitCode::SUCCESS)
}

fn issuer_file(args: &TokenArgs) -> anyhow::Result<PathBuf> {
    if let Some(path) = &args.issuer {
        return Ok(path.clone());
    }
    match Stack::local_outputs()?.as_deref().and_then(issuer::beside) {
        Some(path) => Ok(path),
        None => bail!(
            "No local issuer found: --issuer is not given, and there is no {} beside the outputs of a local stack. Run \
             `make up` to start one. Tokens of another stack come from its own issuer.",
            issuer::FILE_NAME
        ),
    }
}

/// Reads a time such as `90s`, `15m`, `1h` or `2d`.
///
/// # Errors
/// What is understood, for anything else.
pub(crate) fn parse_ttl(text: &str) -> Result<Duration, String> {
    let wrong = || "a whole number and s, m, h or d, such as 90s, 15m, 1h or 2d".to_owned();
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().ok_or_else(wrong)?.len_utf8());
    let number: u32 = number.parse().map_err(|_| wrong())?;
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
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h", 3600), ("2d", 172_800), ("0s", 0)] {
            assert_eq!(parse_ttl(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "h", "1", "-1h", "1.5h", "1 h", "1w", "1ü", "99999999999d"] {
            assert!(parse_ttl(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_of_times_panic(text in any::<String>()) {
            let _ = parse_ttl(&text);
        }
    }
}
