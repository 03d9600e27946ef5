//! The root cause of an error.

use aws_smithy_types::error::ErrorMetadata;
use rustls::CertificateError;
use std::error::Error;
use std::{fmt, io};

/// A connection through a proxy failed.
#[derive(Debug)]
pub(crate) struct ThroughProxy {
    proxy: String,
    source: Box<dyn Error + Send + Sync>,
}

impl ThroughProxy {
    /// `proxy` displays without its password.
    pub(crate) fn new(proxy: &impl fmt::Display, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { proxy: proxy.to_string(), source: source.into() }
    }
}

impl fmt::Display for ThroughProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "proxy {}", self.proxy)
    }
}

impl Error for ThroughProxy {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| below(*error))
}

/// An I/O error hides its inner error: its `source` is the inner error's source.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

/// With the proxy if one is used. The other layers only say where the error passed.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let cause = chain(error).last().unwrap_or(error);
    let text = match cause.downcast_ref::<ErrorMetadata>() {
        // It displays as a Rust struct.
        Some(answer) => aws_message(answer),
        None if is_untrusted(cause) => {
            "the server's certificate is not signed by a trusted authority. Set AWS_CA_BUNDLE, or \
                                        ca_bundle in the AWS profile, to a PEM file of authorities to trust instead of \
                                        the operating system's"
                .to_owned()
        }
        None => cause.to_string(),
    };
    match chain(error).find_map(|error| error.downcast_ref::<ThroughProxy>()) {
        Some(through) => format!("{through}: {text}"),
        None => text,
    }
}

/// Whether an untrusted authority signed the server's certificate.
pub(crate) fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
    chain(error).any(|cause| cause.downcast_ref::<rustls::Error>() == Some(&untrusted))
}

pub(crate) fn aws_message(answer: &ErrorMetadata) -> String {
    format!("{}: {}", answer.code().unwrap_or("error"), answer.message().unwrap_or("no message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_an_aws_error_as_code_and_message() {
        let answer = ErrorMetadata::builder().code("AccessDenied").message("You may not assume the role").build();

        assert_eq!(root_cause(&io::Error::other(answer)), "AccessDenied: You may not assume the role");
    }

    #[test]
    fn names_the_variable_for_an_untrusted_certificate() {
        let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);

        let text = root_cause(&io::Error::other(io::Error::other(untrusted)));

        assert!(text.contains("AWS_CA_BUNDLE") && text.contains("ca_bundle"), "{text}");
    }

    #[test]
    fn writes_the_root_cause() {
        assert_eq!(root_cause(&io::Error::other(io::Error::other("gone"))), "gone");
    }
}
