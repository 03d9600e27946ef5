//! Which proxy a URL is reached through.

use super::loopback::is_loopback;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::Url;
use std::fmt;

/// The variables with the proxy for `https` and `wss`. The first that is set and not empty counts: of two spellings the
/// lower-case one. Source: AWS CLI User Guide, "Using an HTTP proxy for the AWS CLI".
const HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// The same for `http` and `ws`.
const HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// The variables with the hosts that are reached without a proxy.
const NO: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The proxies of the environment. A malformed one is an error only where it would be used.
#[derive(Default)]
pub(super) struct Proxies {
    http: Option<Result<Rule, String>>,
    https: Option<Result<Rule, String>>,
}

/// A proxy, and the hosts that are reached without it.
struct Rule {
    url: Url,
    matcher: Matcher,
}

/// The proxy that a URL is reached through. Displayed without user name and password.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    /// Where it is, with the user name and password that it asks for.
    pub(crate) url: Url,
    intercept: Intercept,
}

impl Proxies {
    /// Those of the environment.
    pub(super) fn from_env() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| Some((*name, variable(name).filter(|value| !value.trim().is_empty())?)))
        };
        let no = first(&NO).map(|(_, hosts)| hosts).unwrap_or_default();
        // The matcher takes an asterisk for every domain, and for no IP address.
        if no.split(',').any(|host| host.trim() == "*") {
            return Self::default();
        }
        let rule = |names: &[&'static str]| first(names).map(|(name, value)| Rule::parse(name, value.trim(), &no));
        Self { http: rule(&HTTP), https: rule(&HTTPS) }
    }

    /// The proxy for that URL, if any; for loopback there is none.
    ///
    /// # Errors
    /// What is wrong with the variable.
    pub(super) fn for_url(&self, url: &Url) -> Result<Option<Proxy>, String> {
        let rule = match url.scheme() {
            "https" | "wss" => &self.https,
            _ => &self.http,
        };
        match rule {
            Some(rule) if !is_loopback(url) => Ok(rule.as_ref().map_err(Clone::clone)?.proxy(url)),
            _ => Ok(None),
        }
    }

    /// Every proxy.
    pub(super) fn urls(&self) -> impl Iterator<Item = &Url> {
        [&self.http, &self.https].into_iter().flatten().flatten().map(|rule| &rule.url)
    }
}

impl Rule {
    fn parse(name: &str, value: &str, no: &str) -> Result<Self, String> {
        // The value may have a password, so it is not shown.
        let wrong = || format!("{name} is not the URL of a proxy, such as http://proxy.example.com:3128");
        // As curl and the AWS CLI take it.
        let value = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let url = Url::parse(&value).map_err(|_| wrong())?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(format!(
                "{name} names a proxy of the scheme {}://, and only http:// and https:// are supported",
                url.scheme()
            ));
        }
        let matcher = Matcher::builder().all(url.as_str()).no(without_asterisks(no)).build();
        Ok(Self { url, matcher })
    }

    fn proxy(&self, url: &Url) -> Option<Proxy> {
        // Only its host matters.
        let host: Uri = format!("http://{}/", url.host_str()?).parse().ok()?;
        Some(Proxy { url: self.url.clone(), intercept: self.matcher.intercept(&host)? })
    }
}

/// The list with `.example.com` for `*.example.com`, which means the same and which the matcher does not know.
fn without_asterisks(no: &str) -> String {
    let hosts = no.split(',').map(str::trim);
    let plain = hosts.map(|host| host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host));
    plain.collect::<Vec<_>>().join(",")
}

impl Proxy {
    /// Where it is, without user name and password.
    pub(super) fn uri(&self) -> &Uri {
        self.intercept.uri()
    }

    /// The value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        self.intercept.basic_auth().cloned()
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri().to_string().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], url: &str) -> Result<Option<String>, String> {
        let value = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        let url = Url::parse(url).expect("a URL");
        Ok(Proxies::from_variables(value).for_url(&url)?.map(|proxy| proxy.to_string()))
    }

    #[test]
    fn each_scheme_has_its_variables() {
        let variables = [("HTTPS_PROXY", "http://secure:1"), ("HTTP_PROXY", "http://plain:2")];

        for (url, proxy) in [
            ("https://api.example.com/live", "http://secure:1"),
            ("wss://api.example.com/live", "http://secure:1"),
            ("http://api.example.com/live", "http://plain:2"),
            ("ws://api.example.com/live", "http://plain:2"),
        ] {
            assert_eq!(chosen(&variables, url), Ok(Some(proxy.to_owned())), "{url}");
        }
        for name in ["https_proxy", "all_proxy", "ALL_PROXY"] {
            assert_eq!(chosen(&[(name, "any:3")], "wss://host"), Ok(Some("http://any:3".to_owned())), "{name}");
        }
    }

    #[test]
    fn the_lower_case_variable_goes_first_and_an_empty_one_is_not_set() {
        let both = [("HTTPS_PROXY", "upper:1"), ("https_proxy", "lower:1")];
        let empty = [("HTTPS_PROXY", "upper:1"), ("https_proxy", " ")];

        assert_eq!(chosen(&both, "https://host"), Ok(Some("http://lower:1".to_owned())));
        assert_eq!(chosen(&empty, "https://host"), Ok(Some("http://upper:1".to_owned())));
    }

    #[test]
    fn hosts_of_no_proxy_are_reached_without_one() {
        let cases = [
            ("example.com", "https://example.com", true),
            ("example.com", "https://api.example.com", true),
            ("example.com", "https://notexample.com", false),
            (".example.com", "wss://api.example.com", true),
            ("*.example.com", "wss://API.example.com", true),
            ("a.test, example.com ,b.test", "https://example.com", true),
            ("*", "https://anything.test", true),
            ("a.test, *", "https://10.1.2.3", true),
            ("10.1.2.3", "https://10.1.2.3:8443", true),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("fd00::/8", "https://[fd00::1]:8443", true),
            ("", "https://example.com", false),
        ];
        for (no, url, is_direct) in cases {
            for name in NO {
                let chosen = chosen(&[("HTTPS_PROXY", "http://proxy:1"), (name, no)], url);
                assert_eq!(chosen.map(|proxy| proxy.is_none()), Ok(is_direct), "{name}={no} {url}");
            }
        }
    }

    #[test]
    fn loopback_is_never_reached_through_a_proxy() {
        for url in ["http://127.0.0.1:1", "https://localhost", "ws://[::1]:1", "wss://api.localhost"] {
            assert_eq!(chosen(&[("ALL_PROXY", "socks5://proxy:1")], url), Ok(None), "{url}");
        }
    }

    #[test]
    fn a_malformed_variable_is_named_and_its_value_is_not_shown() {
        for (value, told) in [
            ("socks5://me:secret@proxy:1", "ALL_PROXY names a proxy of the scheme socks5://"),
            ("http://me:secret@", "ALL_PROXY is not the URL of a proxy"),
        ] {
            let why = chosen(&[("ALL_PROXY", value)], "https://host").expect_err("it is malformed");
            assert!(why.starts_with(told) && !why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn user_name_and_password_are_sent_and_not_shown() {
        let variables = |name: &str| (name == "HTTPS_PROXY").then(|| "http://me:p%40ss@proxy:3128".to_owned());
        let url = Url::parse("https://host").expect("a URL");

        let proxy = Proxies::from_variables(variables).for_url(&url).expect("it is right").expect("a proxy");

        assert_eq!(proxy.to_string(), "http://proxy:3128");
        assert_eq!(proxy.authorization().expect("a user"), "Basic bWU6cEBzcw==");
    }
}
