//! URLs of this machine.

use reqwest::Url;

/// Whether the URL leads to this machine: then no proxy is asked, and its latencies say nothing about AWS.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
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
            ("https://abc.execute-api.eu-central-1.amazonaws.com/live", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).expect("a URL")), local, "{url}");
        }
    }
}
