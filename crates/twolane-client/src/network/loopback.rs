//! URLs of this machine.

use reqwest::Url;

/// This machine, with subdomains. Source: RFC 6761, section 6.3; LocalStack documentation, "Accessing endpoint URLs",
/// for the second, which public DNS resolves to 127.0.0.1.
const LOCAL_NAMES: [&str; 2] = ["localhost", "localhost.localstack.cloud"];

/// Whether the URL is on this machine: no proxy is used, and latencies do not apply to AWS.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_named = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    LOCAL_NAMES.into_iter().any(is_named)
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| {
            let address = address.to_canonical();
            // The unspecified address reaches this machine.
            address.is_loopback() || address.is_unspecified()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_urls_of_this_machine() {
        for (url, local) in [
            ("http://localhost:4566/_aws/x", true),
            ("http://127.0.0.1:1", true),
            ("ws://[::1]:1/", true),
            ("http://api.localhost/", true),
            ("http://localhost.:4566", true),
            ("http://localhost.localstack.cloud:4566", true),
            ("wss://abc.execute-api.localhost.localstack.cloud:4566/live", true),
            ("http://0.0.0.0:4566", true),
            ("http://[::]:4566", true),
            ("http://[::ffff:127.0.0.1]:4566", true),
            ("http://127.1:4566", true),
            ("https://abc.execute-api.eu-central-1.amazonaws.com/live", false),
            ("http://localhost.example.com", false),
            ("http://notlocalhost", false),
            ("http://localstack.cloud", false),
            ("http://[::ffff:192.0.2.1]", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).expect("a URL")), local, "{url}");
        }
    }
}
