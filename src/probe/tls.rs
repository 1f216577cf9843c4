//! One TLS configuration for all checks: trusted roots, a verifier that keeps what it saw.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use serde::{Deserialize, Serialize};

use crate::domain::{Certificate, CertificateFile, ClientCertificate, ConnectionOptions};

use super::FactoryError;
use super::certificate::Read;
use super::certificate_fault::CertificateFault;
use super::certificate_rules::{CertificateRefusal, Trust, Wanted};
use super::other_tls::{self, OtherTls};
use super::phase_timings::PhaseTimings;

/// The TLS of all checks: the system's roots (those built in where it has none), `ca_file`'s
/// besides, HTTP/2 and 1.1, and no resumption, because a resumed session is not verified.
#[derive(Debug)]
pub(super) struct Tls {
    /// Offers more than this program speaks.
    config: ClientConfig,
    /// Offers what it speaks alone.
    own_config: ClientConfig,
    trust: Arc<Trust>,
}

impl Tls {
    pub(super) fn new(extra: Option<&Authority>) -> Result<Self, FactoryError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let exact = extra.map(Authority::certificates).transpose()?;
        let exact = exact.unwrap_or_default();
        let trust = Arc::new(Trust::new(
            exact,
            provider.signature_verification_algorithms,
        ));
        let besides = Arc::new(other_tls::offered_besides(CryptoProvider::clone(&provider)));
        Ok(Self {
            config: configured(besides, &trust)?,
            own_config: configured(provider, &trust)?,
            trust,
        })
    }

    /// The configuration of one handshake.
    pub(super) fn config(&self, handshake: Handshake<'_>) -> Arc<ClientConfig> {
        self.recording(&self.config, handshake, true)
    }

    /// The same, offering no protocol of the web (ALPN, RFC 7301).
    pub(super) fn without_protocols(&self) -> Self {
        let bare = |config: &ClientConfig| {
            let mut config = config.clone();
            config.alpn_protocols.clear();
            config
        };
        Self {
            config: bare(&self.config),
            own_config: bare(&self.own_config),
            trust: Arc::clone(&self.trust),
        }
    }

    /// Reads the trusted roots, which takes milliseconds, if that has not been done.
    pub(super) fn read_roots(&self) {
        let _read = self.trust.anchors();
    }

    /// The same for a server that took what this program does not speak.
    pub(super) fn own_config(&self, handshake: Handshake<'_>) -> Arc<ClientConfig> {
        self.recording(&self.own_config, handshake, false)
    }

    fn recording(
        &self,
        config: &ClientConfig,
        Handshake {
            timings,
            host,
            options,
        }: Handshake<'_>,
        offers_more: bool,
    ) -> Arc<ClientConfig> {
        let mut config = config.clone();
        let recorder = CertificateRecorder {
            trust: Arc::clone(&self.trust),
            timings: Arc::clone(timings),
            unaskable: host.map(Box::from),
            verifies: options.verifies(),
            offers_more,
        };
        if let Some(key) = options.client.as_ref().and_then(certified_key) {
            config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(key));
        }
        config
            .dangerous()
            .set_certificate_verifier(Arc::new(recorder));
        Arc::new(config)
    }
}

fn configured(
    provider: Arc<CryptoProvider>,
    trust: &Arc<Trust>,
) -> Result<ClientConfig, FactoryError> {
    let nobody = CertificateRecorder {
        trust: Arc::clone(trust),
        timings: Arc::new(PhaseTimings::new(None)),
        unaskable: None,
        verifies: true,
        offers_more: false,
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| FactoryError(format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(nobody))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// What one handshake wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handshake<'a> {
    /// Where the server's certificate is noted.
    pub(super) timings: &'a Arc<PhaseTimings>,
    /// The server's host where TLS cannot ask for it.
    pub(super) host: Option<&'a str>,
    pub(super) options: &'a ConnectionOptions,
}

/// The certificate of a client with its key; `None` if either cannot be read.
fn certified_key(client: &ClientCertificate) -> Option<CertifiedKey> {
    let chain = CertificateDer::pem_slice_iter(client.chain.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().ok()?;
    let key = PrivateKeyDer::from_pem_slice(client.key.expose().as_bytes()).ok()?;
    let provider = CryptoProvider::get_default()?;
    let key = provider.key_provider.load_private_key(key).ok()?;
    Some(CertifiedKey::new(chain, key))
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

    /// The file `name` with this content.
    pub(super) fn of_text(name: &str, pem: &str) -> Self {
        Self {
            name: name.to_owned(),
            pem: pem.to_owned(),
        }
    }

    /// The certificates in it, each of which can be a root.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, FactoryError> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(self.pem.as_bytes()).collect();
        let all = all.map_err(|_| self.unreadable(&"not a PEM file"))?;
        if all.is_empty() {
            return Err(self.unreadable(&"holds no certificate"));
        }
        for certificate in &all {
            webpki::anchor_from_trusted_cert(certificate)
                .map_err(|error| self.unreadable(&error))?;
        }
        Ok(all)
    }

    fn unreadable(&self, why: &dyn std::fmt::Display) -> FactoryError {
        FactoryError(format!("ca_file {}: {why}", self.name))
    }
}

/// Judges the server's certificates, and notes what it saw.
#[derive(Debug)]
struct CertificateRecorder {
    trust: Arc<Trust>,
    timings: Arc<PhaseTimings>,
    /// The host where TLS cannot ask for it.
    unaskable: Option<Box<str>>,
    /// Whether it judges them at all.
    verifies: bool,
    /// Whether kinds of signature are offered that this program does not know.
    offers_more: bool,
}

impl ServerCertVerifier for CertificateRecorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let own = self.trust.read(end_entity);
        self.timings.certificate_seen(own.clone());
        if !self.verifies {
            return Ok(ServerCertVerified::assertion());
        }
        let wanted = self.unaskable.as_deref();
        let wanted = wanted.map_or(Wanted::Server(server_name), Wanted::Unaskable);
        match self.trust.judge(end_entity, intermediates, wanted, now) {
            Ok(earliest) => {
                // Its own names, with the end of whichever ends first.
                if let (Some(own), Some(earliest)) = (own, earliest)
                    && earliest.shown.not_after < own.shown.not_after
                {
                    let ends_with = Read {
                        shown: Certificate {
                            not_after: earliest.shown.not_after,
                            ..own.shown.clone()
                        },
                        ..Read::clone(&own)
                    };
                    self.timings.certificate_seen(Some(Arc::new(ends_with)));
                }
                Ok(ServerCertVerified::assertion())
            }
            // Of a host that was not asked for this says nothing.
            Err(CertificateRefusal {
                error: webpki::Error::UnsupportedNameType,
                ..
            }) => Err(rustls::Error::UnsupportedNameType),
            Err(CertificateRefusal { error, about }) => {
                let alert = alert(&error);
                let mut shown = vec![own];
                shown.extend(intermediates.iter().map(|der| self.trust.read(der)));
                shown.extend(about.map(Some));
                let fault = CertificateFault::new(error, &shown);
                self.timings.certificate_refused(fault);
                Err(rustls::Error::InvalidCertificate(alert))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if let Some(other) = OtherTls::signature(dss.scheme) {
            return Err(other.into());
        }
        if !self.verifies {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, cert, dss, self.trust.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if let Some(other) = OtherTls::signature(dss.scheme) {
            return Err(other.into());
        }
        if !self.verifies {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, cert, dss, self.trust.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.trust.algorithms().supported_schemes();
        if self.offers_more {
            schemes.extend(other_tls::SCHEMES);
        }
        schemes
    }
}

/// The error that makes the library tell the server in its alert what is wrong.
const fn alert(error: &webpki::Error) -> CertificateError {
    match error {
        webpki::Error::CertExpired { .. } => CertificateError::Expired,
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer,
        webpki::Error::CertNotValidForName(_) => CertificateError::NotValidForName,
        _ => CertificateError::BadEncoding,
    }
}

/// Installs the default cryptography provider of the process, once.
pub(super) fn install_provider() {
    if CryptoProvider::get_default().is_none() {
        // Another thread may install one first, which serves as well.
        let _lost = rustls::crypto::ring::default_provider().install_default();
    }
}
