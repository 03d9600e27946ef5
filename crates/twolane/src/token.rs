//! `twolane token`, and the token that the other commands send.

use crate::cli::{StackArgs, TokenArgs};
use crate::issuer::{self, Issuer};
use crate::output::Output;
use crate::report::timestamp;
use crate::stack::Stack;
use anyhow::{Context, bail};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::header::HeaderValue;
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;

/// Whose orders are placed on a local stack when no token says otherwise.
const LOCAL_SUBJECT: &str = "demo";

/// How long a token of the local stack's issuer lasts; a socket ends with it.
const LOCAL_TTL: Duration = Duration::from_hours(1);

/// How long before its end such a token is no longer sent, and a new one is made: longer than any request takes.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

/// What requests say of their caller.
#[derive(Clone)]
pub(crate) enum Token {
    /// Nothing: the stack will say what it thinks of that.
    None,
    /// The token that was given.
    Given {
        /// The value of `Authorization`.
        authorization: HeaderValue,
        /// When it expires, as far as it says so.
        expires_at: Option<OffsetDateTime>,
    },
    /// One of a local stack's issuer, renewed shortly before it expires.
    Made(Arc<Maker>),
}

/// Makes tokens, and keeps the last one: API Gateway asks its authorizer about every token that it does not know yet.
pub(crate) struct Maker {
    issuer: Arc<Issuer>,
    subject: String,
    last: Mutex<Option<(HeaderValue, SystemTime)>>,
}

impl Maker {
    fn new(issuer: Arc<Issuer>, subject: &str) -> Self {
        Self { issuer, subject: subject.to_owned(), last: Mutex::new(None) }
    }

    fn authorization(&self, now: SystemTime) -> Option<HeaderValue> {
        let mut last = self.last.lock().expect("no holder of this lock panics");
        if let Some((value, expires_at)) = &*last
            && now + RENEW_BEFORE < *expires_at
        {
            return Some(value.clone());
        }
        let value = bearer(&self.issuer.token(&self.subject, LOCAL_TTL, now))?;
        *last = Some((value.clone(), now + LOCAL_TTL));
        Some(value)
    }
}

impl Token {
    /// The token that was given, or else one of the local stack's issuer.
    ///
    /// # Errors
    /// What was given cannot be sent, or the issuer's file cannot be read.
    pub(crate) fn find(args: &StackArgs, stack: &Stack) -> anyhow::Result<Self> {
        if let Some(token) = args.token.as_deref().map(str::trim).filter(|token| !token.is_empty()) {
            return Self::given(token);
        }
        match stack.file().as_deref().and_then(issuer::beside) {
            Some(path) => Ok(Self::made(Arc::new(Issuer::read(&path)?), LOCAL_SUBJECT)),
            None => Ok(Self::None),
        }
    }

    /// A token that was given.
    ///
    /// # Errors
    /// It cannot be sent.
    pub(crate) fn given(token: &str) -> anyhow::Result<Self> {
        let authorization = bearer(token).context("The token has characters that no token has")?;
        Ok(Self::Given { authorization, expires_at: expiry(token) })
    }

    /// Tokens of that subject, made by a local stack's issuer as they are needed.
    pub(crate) fn made(issuer: Arc<Issuer>, subject: &str) -> Self {
        Self::Made(Arc::new(Maker::new(issuer, subject)))
    }

    /// The value of `Authorization`.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        match self {
            Self::None => None,
            Self::Given { authorization, .. } => Some(authorization.clone()),
            Self::Made(maker) => maker.authorization(SystemTime::now()),
        }
    }

    /// Whether another attempt may send another token.
    pub(crate) fn is_renewed(&self) -> bool {
        matches!(self, Self::Made(_))
    }

    /// Why the stack may have refused it, for people.
    pub(crate) fn complaint(&self, now: OffsetDateTime) -> String {
        match self {
            Self::None => "there is no --token or TWOLANE_TOKEN, and no issuer of a local stack".to_owned(),
            Self::Given { expires_at: Some(end), .. } if *end <= now => {
                format!("the token of --token or TWOLANE_TOKEN expired at {}", timestamp(*end))
            }
            Self::Given { .. } => "the stack does not accept the token of --token or TWOLANE_TOKEN".to_owned(),
            Self::Made(_) => "the stack does not accept a token of the local issuer".to_owned(),
        }
    }
}

/// When a JWT expires, as it says itself; nothing is verified. `None` for what is no JWT, or does not say.
fn expiry(token: &str) -> Option<OffsetDateTime> {
    let seconds = claims(token)?["exp"].as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a second is cut off; the rest is checked next")]
    OffsetDateTime::from_unix_timestamp(seconds as i64).ok()
}

/// Whose token it is, as it says itself; nothing is verified. `None` for what is no JWT, or does not say.
pub(crate) fn subject(token: &str) -> Option<String> {
    Some(claims(token)?["sub"].as_str()?.to_owned())
}

fn claims(token: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()
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
    output.line(&issuer.token(&args.subject, args.ttl, SystemTime::now())).context("Failed to write the token")?;
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

/// Reads a subject that the stack can take for an owner.
///
/// # Errors
/// What it must be, for anything else.
pub(crate) fn parse_subject(text: &str) -> Result<String, String> {
    orders_api::check_subject(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

/// Reads a time such as `90s`, `15m`, `1h` or `2d`.
///
/// # Errors
/// What is understood, for anything else.
pub(crate) fn parse_ttl(text: &str) -> Result<Duration, String> {
    let wrong = || "a whole number and s, m, h or d, such as 90s, 15m, 1h or 2d".to_owned();
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().ok_or_else(wrong)?.len_utf8());
    let number: u32 = number.parse().map_err(|_| wrong())?;
    if number == 0 {
        return Err("more than nothing: such a token has expired when it is made".to_owned());
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

    #[test]
    fn keeps_a_token_of_the_local_issuer_until_shortly_before_its_end() {
        let maker = Maker::new(Arc::new(Issuer::sample()), LOCAL_SUBJECT);
        let start = SystemTime::now();
        let at = |minutes| maker.authorization(start + Duration::from_mins(minutes));

        let (first, kept, renewed) = (at(0), at(54), at(55));

        assert!(first.is_some());
        assert_eq!(first, kept);
        assert_ne!(first, renewed);
        assert_eq!(renewed, at(109));
    }

    #[test]
    fn reads_when_a_token_expires_and_nothing_of_what_is_none() {
        let now = SystemTime::now();
        let token = Issuer::sample().token("alice", Duration::from_mins(1), now);

        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).expect("it is past 1970").as_secs() + 60;
        assert_eq!(expiry(&token).map(|end| end.unix_timestamp().unsigned_abs()), Some(seconds));
        let huge = URL_SAFE_NO_PAD.encode(r#"{"exp":1e300}"#);
        for text in ["", "typed", "a.b.c", "a.e30.c", &format!("a.{huge}.c")] {
            assert_eq!(expiry(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_token_makes_the_reader_of_its_end_panic(text in any::<String>(), claims in any::<String>()) {
            let _ = expiry(&text);
            let _ = expiry(&format!("a.{}.c", URL_SAFE_NO_PAD.encode(claims)));
        }

        #[test]
        fn no_text_makes_the_reader_of_times_panic(text in any::<String>()) {
            let _ = parse_ttl(&text);
        }
    }
}
