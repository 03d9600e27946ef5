//! Trusted certificates.

use crate::profiles::Profiles;
use anyhow::{Context, bail};
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// File of certificates that replace the operating system's. Source: AWS SDKs and Tools Reference Guide, "General
/// configuration settings".
const VARIABLE: &str = "AWS_CA_BUNDLE";

/// In a profile.
const SETTING: &str = "ca_bundle";

/// The operating system's, or a file's instead.
#[derive(Default)]
pub(super) struct Trust {
    file: Option<Vec<CertificateDer<'static>>>,
    config: OnceLock<ClientConfig>,
}

impl Trust {
    /// From the environment's file, else the profile's, else the operating system's.
    ///
    /// # Errors
    /// The file cannot be read, or has no certificate.
    pub(super) fn find(profiles: Option<&Profiles>) -> anyhow::Result<Self> {
        let variable = std::env::var_os(VARIABLE).filter(|file| !file.is_empty());
        let setting = || {
            let profiles = profiles?;
            let file = profiles.setting(SETTING).filter(|file| !file.is_empty())?;
            Some((PathBuf::from(file), format!("{SETTING} of the AWS profile {}", profiles.selected())))
        };
        let file = variable.map(|file| (file.into(), VARIABLE.to_owned())).or_else(setting);
        let file = file.map(|(file, named_by)| read(&file, &named_by)).transpose()?;
        Ok(Self { file, config: OnceLock::new() })
    }

    /// For REST API, WebSocket and proxies.
    pub(super) fn client_config(&self) -> ClientConfig {
        self.config.get_or_init(|| self.new_client_config()).clone()
    }

    fn new_client_config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let certificates = self.file.clone().unwrap_or_else(|| rustls_native_certs::load_native_certs().certs);
        roots.add_parsable_certificates(certificates);
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config
    }

    /// For the AWS SDK.
    pub(super) fn tls_context(&self) -> TlsContext {
        let store = match &self.file {
            None => TrustStore::default(),
            Some(certificates) => TrustStore::empty().with_pem_certificate(pem(certificates)),
        };
        TlsContext::builder().with_trust_store(store).build().expect("only the trust store needs to be set")
    }
}

fn read(file: &Path, named_by: &str) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let shown = file.display();
    let wrong = || format!("{named_by} is {shown}, which is not a PEM file with certificates");
    let text = std::fs::read(file).with_context(|| format!("Failed to read {shown}, the value of {named_by}"))?;
    let mut certificates = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>().with_context(wrong)?;
    // Skip unusable certificates, which a system's file may contain.
    certificates.retain(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
    if certificates.is_empty() {
        bail!(wrong());
    }
    Ok(certificates)
}

fn pem(certificates: &[CertificateDer<'_>]) -> String {
    /// Of a line, in characters. Source: RFC 7468, section 2.
    const WIDTH: usize = 64;
    let mut text = String::new();
    for certificate in certificates {
        let encoded = STANDARD.encode(certificate);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in encoded.as_bytes().chunks(WIDTH) {
            text.extend(line.iter().map(|byte| char::from(*byte)));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}
