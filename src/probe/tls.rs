//! One TLS configuration for all checks: trusted roots, a verifier that keeps what it saw.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use serde::{Deserialize, Serialize};
use webpki::EndEntityCert;

use crate::domain::{Certificate, CertificateFile};

use super::FactoryError;
use super::certificate::{Known, Read};
use super::certificate_fault::CertificateFault;
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

/// What is trusted.
#[derive(Debug)]
struct Trust {
    anchors: Vec<TrustAnchor<'static>>,
    /// The certificates of `ca_file`: a server's own that stands among them is trusted as it
    /// is, though it may be that of an authority.
    exact: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
    known: Known,
}

impl Tls {
    pub(super) fn new(extra: Option<&Authority>) -> Result<Self, FactoryError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let exact = extra.map(Authority::certificates).transpose()?;
        let exact = exact.unwrap_or_default();
        let trust = Arc::new(Trust {
            anchors: anchors(&exact),
            exact,
            algorithms: provider.signature_verification_algorithms,
            known: Known::default(),
        });
        let besides = Arc::new(other_tls::offered_besides(CryptoProvider::clone(&provider)));
        Ok(Self {
            config: configured(besides, &trust)?,
            own_config: configured(provider, &trust)?,
            trust,
        })
    }

    /// The configuration of one handshake, which notes the server's certificate in `timings`.
    pub(super) fn config(&self, timings: &Arc<PhaseTimings>) -> Arc<ClientConfig> {
        self.recording(&self.config, timings, true)
    }

    /// The same for a server that took what this program does not speak.
    pub(super) fn own_config(&self, timings: &Arc<PhaseTimings>) -> Arc<ClientConfig> {
        self.recording(&self.own_config, timings, false)
    }

    fn recording(
        &self,
        config: &ClientConfig,
        timings: &Arc<PhaseTimings>,
        offers_more: bool,
    ) -> Arc<ClientConfig> {
        let mut config = config.clone();
        let recorder = CertificateRecorder {
            trust: Arc::clone(&self.trust),
            timings: Arc::clone(timings),
            offers_more,
        };
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

/// The roots, those of `ca_file` first, because chains are tried against one after another: of
/// the system's there are over a hundred.
fn anchors(exact: &[CertificateDer<'static>]) -> Vec<TrustAnchor<'static>> {
    let mut roots = RootCertStore::empty();
    let (_all, _none) = roots.add_parsable_certificates(exact.iter().cloned());
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "some of the system's trusted certificates cannot be read");
    }
    let (known, _) = roots.add_parsable_certificates(system.certs);
    if known == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots.roots
}

impl Trust {
    /// Judges what a server showed, and gives the earliest end of the chain that was verified.
    fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<Option<Arc<Read>>, webpki::Error> {
        let certificate = EndEntityCert::try_from(end_entity)?;
        let own = self.known.read(end_entity);
        if self.exact.contains(end_entity) {
            // Its dates are judged before anything else, and nobody need vouch for it.
            let alone = certificate.verify_for_usage(
                self.algorithms.all,
                &[],
                &[],
                now,
                webpki::KeyUsage::server_auth(),
                None,
                None,
            );
            if let Err(
                error @ (webpki::Error::CertExpired { .. }
                | webpki::Error::CertNotValidYet { .. }
                | webpki::Error::InvalidCertValidity),
            ) = alone
            {
                return Err(error);
            }
            certificate.verify_is_valid_for_subject_name(name)?;
            return Ok(own);
        }
        let path = certificate.verify_for_usage(
            self.algorithms.all,
            &self.anchors,
            intermediates,
            now,
            webpki::KeyUsage::server_auth(),
            None,
            None,
        )?;
        let chain = path.intermediate_certificates();
        let read = chain.filter_map(|authority| self.known.read(&authority.der()));
        let earliest = own
            .into_iter()
            .chain(read)
            .min_by_key(|read| read.shown.not_after);
        certificate.verify_is_valid_for_subject_name(name)?;
        Ok(earliest)
    }
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
        let own = self.trust.known.read(end_entity);
        self.timings.certificate_seen(own.clone());
        let judged = self
            .trust
            .judge(end_entity, intermediates, server_name, now);
        match judged {
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
                        self_signed: own.self_signed,
                        rsa_bits: own.rsa_bits,
                    };
                    self.timings.certificate_seen(Some(Arc::new(ends_with)));
                }
                Ok(ServerCertVerified::assertion())
            }
            Err(error) => {
                let alert = alert(&error);
                let mut shown = vec![own];
                shown.extend(intermediates.iter().map(|der| self.trust.known.read(der)));
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
        verify_tls12_signature(message, cert, dss, &self.trust.algorithms)
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
        verify_tls13_signature(message, cert, dss, &self.trust.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.trust.algorithms.supported_schemes();
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
