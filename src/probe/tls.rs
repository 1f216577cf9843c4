//! One TLS configuration for all checks: trusted roots, a verifier that keeps what it saw.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue, WebPkiServerVerifier,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, NamedGroup, RootCertStore, SignatureScheme};
use serde::{Deserialize, Serialize};

use crate::domain::CertificateFile;

use super::FactoryError;
use super::certificate::Known;
use super::phase_timings;

/// The configuration: the system's roots (those built in where it has none), `ca_file`'s
/// besides, HTTP/2 and 1.1, and no resumption, because a resumed session is not verified.
pub(super) fn client_config(extra: Option<&Authority>) -> Result<Arc<ClientConfig>, FactoryError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = roots(extra)?;
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| FactoryError(format!("no usable trusted certificates: {error}")))?;
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| FactoryError(format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(CertificateRecorder {
            verifier,
            known: Known::default(),
        }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.resumption = rustls::client::Resumption::store(Arc::new(HandshakeTimer));
    Ok(Arc::new(config))
}

fn roots(extra: Option<&Authority>) -> Result<RootCertStore, FactoryError> {
    // First, because chains are tried against one after another: of the system's there are
    // over a hundred.
    let mut roots = extra.map_or_else(|| Ok(RootCertStore::empty()), Authority::roots)?;
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "some of the system's trusted certificates cannot be read");
    }
    let (known, _) = roots.add_parsable_certificates(system.certs);
    if known == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(roots)
}

/// Certificates that are trusted besides the system's, as they were when they were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Authority {
    /// The file they come from.
    name: String,
    pem: String,
}

impl Authority {
    pub(super) fn of(file: &CertificateFile) -> Self {
        Self {
            name: file.path.display().to_string(),
            // What is not text holds no PEM, which is found out when it is read as such.
            pem: String::from_utf8_lossy(&file.pem).into_owned(),
        }
    }

    /// Its certificates alone.
    pub(super) fn roots(&self) -> Result<RootCertStore, FactoryError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.pem.as_bytes()) {
            let certificate = certificate.map_err(|_| self.unreadable(&"not a PEM file"))?;
            roots
                .add(certificate)
                .map_err(|error| self.unreadable(&error))?;
        }
        if roots.is_empty() {
            return Err(self.unreadable(&"holds no certificate"));
        }
        Ok(roots)
    }

    /// The file `name` with this content.
    pub(super) fn of_text(name: &str, pem: &str) -> Self {
        Self {
            name: name.to_owned(),
            pem: pem.to_owned(),
        }
    }

    fn unreadable(&self, why: &dyn std::fmt::Display) -> FactoryError {
        FactoryError(format!("ca_file {}: {why}", self.name))
    }
}

/// Keeps the server's certificate, then leaves the judgement to webpki.
#[derive(Debug)]
struct CertificateRecorder {
    verifier: Arc<WebPkiServerVerifier>,
    known: Known,
}

impl ServerCertVerifier for CertificateRecorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        phase_timings::certificate_seen(self.known.read(end_entity));
        self.verifier
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// A session store that stores nothing. It is asked for a hint while the ClientHello is
/// built, which is the moment at which TCP ends and TLS begins.
#[derive(Debug)]
struct HandshakeTimer;

impl ClientSessionStore for HandshakeTimer {
    fn set_kx_hint(&self, _server_name: ServerName<'static>, _group: NamedGroup) {}

    fn kx_hint(&self, _server_name: &ServerName<'_>) -> Option<NamedGroup> {
        phase_timings::tls_started();
        None
    }

    fn set_tls12_session(&self, _name: ServerName<'static>, _value: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _name: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _name: ServerName<'static>, _value: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

/// Installs the default cryptography provider of the process, once.
pub(super) fn install_provider() {
    if CryptoProvider::get_default().is_none() {
        // Another thread may install one first, which serves as well.
        let _lost = rustls::crypto::ring::default_provider().install_default();
    }
}
