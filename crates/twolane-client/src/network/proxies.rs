//! Chooses a URL's proxy.

use super::loopback::is_loopback;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::Url;
use std::{env, ffi::OsString, fmt};

/// Variables for `https` and `wss`. The first non-empty one counts; lower case first. Source: AWS CLI User Guide,
/// "Using an HTTP proxy for the AWS CLI".
const HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// Variables for `http` and `ws`.
const HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// Variables with hosts that bypass the proxy.
const NO: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Proxies of the environment. A malformed one is an error only where it is used.
#[derive(Default)]
pub(super) struct Proxies {
    http: Option<Result<Rule, String>>,
    https: Option<Result<Rule, String>>,
}

/// A proxy and the hosts that bypass it.
struct Rule {
    url: Url,
    matcher: Matcher,
    /// On one port only.
    on_ports: Vec<(u16, Matcher)>,
}

/// A proxy. Display and debug output omit user name and password.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// With user name and password.
    pub(crate) url: Url,
    intercept: Intercept,
}

impl Proxies {
    pub(super) fn from_env() -> Self {
        Self::from_variables(|name| env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| match variable(name)?.into_string() {
            Ok(value) => (!value.trim().is_empty()).then_some(Ok(value)),
            Err(_) => Some(Err(format!("{name} is not UTF-8"))),
        };
        let first = |names: &[&'static str]| names.iter().find_map(|name| Some((*name, text(name)?)));
        let no = first(&NO).map_or_else(|| Ok(String::new()), |(_, hosts)| hosts);
        if no.as_ref().is_ok_and(|no| no.split(',').any(|host| host.trim() == "*")) {
            return Self::default();
        }
        let rule = |names: &[&'static str]| {
            first(names).map(|(name, value)| Rule::parse(name, value?.trim(), no.as_ref().map_err(Clone::clone)?))
        };
        Self { http: rule(&HTTP), https: rule(&HTTPS) }
    }

    /// Loopback URLs have none.
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

    pub(super) fn urls(&self) -> impl Iterator<Item = &Url> {
        [&self.http, &self.https].into_iter().flatten().flatten().map(|rule| &rule.url)
    }
}

impl Rule {
    fn parse(name: &str, value: &str, no: &str) -> Result<Self, String> {
        // Hide the value: it may contain a password.
        let wrong = || format!("{name} is not the URL of a proxy, such as http://proxy.example.com:3128");
        // As in curl and the AWS CLI.
        let value = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let url = Url::parse(&value).map_err(|_| wrong())?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(format!(
                "{name} names a proxy with the scheme {}://, but only http:// and https:// are supported",
                url.scheme()
            ));
        }
        let matcher = |no: String| Matcher::builder().all(url.as_str()).no(no).build();
        let (mut hosts, mut on_ports) = (Vec::new(), Vec::new());
        for (host, port) in no.split(',').map(|entry| host_and_port(entry.trim())) {
            match port {
                None => hosts.push(matched(&host)),
                Some(port) => on_ports.push((port, matcher(matched(&host)))),
            }
        }
        Ok(Self { matcher: matcher(hosts.join(",")), on_ports, url })
    }

    fn proxy(&self, url: &Url) -> Option<Proxy> {
        // The matcher reads only the host.
        let host: Uri = format!("http://{}/", url.host_str()?).parse().ok()?;
        let port = url.port_or_known_default();
        let mut on_this_port = self.on_ports.iter().filter(|(on, _)| Some(*on) == port);
        if on_this_port.any(|(_, matcher)| matcher.intercept(&host).is_none()) {
            return None;
        }
        Some(Proxy { url: self.url.clone(), intercept: self.matcher.intercept(&host)? })
    }
}

/// Parts of `host`, `host:port`, `[IPv6 address]` and `[IPv6 address]:port`; the host without brackets.
fn host_and_port(entry: &str) -> (String, Option<u16>) {
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    };
    let unbracketed = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    (unbracketed.map_or_else(|| host.to_owned(), |(address, bits)| format!("{address}{bits}")), port)
}

/// In the matcher's syntax.
fn matched(host: &str) -> String {
    match host.strip_prefix('*') {
        // The matcher's asterisk matches every domain but no IP address.
        Some("") => "*,0.0.0.0/0,::/0".to_owned(),
        Some(rest) if rest.starts_with('.') => rest.to_owned(),
        _ => host.to_owned(),
    }
}

impl Proxy {
    /// Without user name and password.
    pub(super) fn uri(&self) -> &Uri {
        self.intercept.uri()
    }

    /// Value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        self.intercept.basic_auth().cloned()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&format_args!("{self}")).finish()
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
        let value = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
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
    fn hosts_of_no_proxy_bypass_the_proxy() {
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
            ("fd00::1", "https://[fd00::1]:8443", true),
            ("[fd00::1]", "https://[fd00::1]:8443", true),
            ("[fd00::1]:8443", "https://[fd00::1]:8443", true),
            ("[fd00::1]:8443", "https://[fd00::1]", false),
            ("[fd00::1", "https://[fd00::1]", false),
            ("Example.COM", "https://example.com", true),
            ("api.example:8080", "https://api.example:8080", true),
            ("api.example:8080", "wss://api.example", false),
            ("a.test, *.example:443", "wss://api.example", true),
            ("10.1.2.3:443", "https://10.1.2.3", true),
            ("*:8443", "https://10.1.2.3:8443", true),
            ("*:8443", "https://api.example:8443", true),
            ("*:8443", "https://api.example", false),
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
        for (value, expected) in [
            ("socks5://me:secret@proxy:1", "ALL_PROXY names a proxy with the scheme socks5://"),
            ("http://me:secret@", "ALL_PROXY is not the URL of a proxy"),
        ] {
            let why = chosen(&[("ALL_PROXY", value)], "https://host").expect_err("it is malformed");
            assert!(why.starts_with(expected) && !why.contains("secret"), "{why}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_utf_8_is_refused_by_its_name() {
        use std::os::unix::ffi::OsStringExt;
        let latin_1 = || OsString::from_vec(b"caf\xe9.example".to_vec());
        let url = Url::parse("https://host").expect("a URL");
        for name in ["https_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            let variables = |asked: &str| match asked {
                asked if asked == name => Some(latin_1()),
                "all_proxy" if name == "NO_PROXY" => Some("http://proxy:1".into()),
                _ => None,
            };

            let why = Proxies::from_variables(variables).for_url(&url).expect_err("it is not UTF-8");

            assert_eq!(why, format!("{name} is not UTF-8"));
        }
        let alone = Proxies::from_variables(|asked| (asked == "NO_PROXY").then(latin_1));
        assert!(alone.for_url(&url).expect("there is no proxy to go around").is_none());
    }

    #[test]
    fn user_name_and_password_are_sent_and_not_shown() {
        let variables = |name: &str| (name == "HTTPS_PROXY").then(|| OsString::from("http://me:p%40ss@proxy:3128"));
        let url = Url::parse("https://host").expect("a URL");

        let proxy = Proxies::from_variables(variables).for_url(&url).expect("it is right").expect("a proxy");

        assert_eq!(proxy.to_string(), "http://proxy:3128");
        assert_eq!(format!("{proxy:?}"), "Proxy(http://proxy:3128)");
        assert_eq!(proxy.authorization().expect("a user"), "Basic bWU6cEBzcw==");
    }
}
