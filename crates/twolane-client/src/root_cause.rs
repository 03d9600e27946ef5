//! What is at the bottom of an error.

use aws_smithy_types::error::ErrorMetadata;
use rustls::CertificateError;
use std::error::Error;
use std::{fmt, io};

/// What failed on the way through a proxy.
#[derive(Debug)]
pub(crate) struct ThroughProxy {
    proxy: String,
    source: Box<dyn Error + Send + Sync>,
}

impl ThroughProxy {
    /// `proxy` is displayed, so it has no password.
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

/// The error and everything below it.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| below(*error))
}

/// What is below an error. An I/O error hides what it was made of: its source is the source of that.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

/// What is at the bottom of an error, with the proxy on the way there; the other layers say where it passed.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let cause = chain(error).last().unwrap_or(error);
    let text = match cause.downcast_ref::<ErrorMetadata>() {
        // Its text is that of a Rust struct.
        Some(answer) => answer_of_aws(answer),
        None if is_untrusted(cause) => "no authority that is trusted signed the server's certificate. AWS_CA_BUNDLE, or \
                                        ca_bundle in the AWS profile, names the PEM file of the authorities to trust, in \
                                        place of the operating system's"
            .to_owned(),
        None => cause.to_string(),
    };
    match chain(error).find_map(|error| error.downcast_ref::<ThroughProxy>()) {
        Some(through) => format!("{through}: {text}"),
        None => text,
    }
}

/// Whether the server's certificate is signed by an authority that is not trusted.
pub(crate) fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
    chain(error).any(|cause| cause.downcast_ref::<rustls::Error>() == Some(&untrusted))
}

/// What AWS answered: the error's code and its message.
pub(crate) fn answer_of_aws(answer: &ErrorMetadata) -> String {
    format!("{}: {}", answer.code().unwrap_or("error"), answer.message().unwrap_or("no message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_an_answer_of_aws_as_a_sentence() {
        let answer = ErrorMetadata::builder().code("AccessDenied").message("You may not assume the role").build();

        assert_eq!(root_cause(&io::Error::other(answer)), "AccessDenied: You may not assume the role");
    }

    #[test]
    fn names_the_variable_where_a_certificate_is_not_trusted() {
        let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);

        let text = root_cause(&io::Error::other(io::Error::other(untrusted)));

        assert!(text.contains("AWS_CA_BUNDLE") && text.contains("ca_bundle"), "{text}");
    }

    #[test]
    fn writes_what_is_at_the_bottom() {
        assert_eq!(root_cause(&io::Error::other(io::Error::other("gone"))), "gone");
    }
}
