//! Which certificates of servers are trusted: those that the system's authorities or those of
//! `ca_file` vouch for, and those that stand in `ca_file` byte for byte.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::domain::CertificateFile;

use super::channel_entry::ChannelError;
use super::plain_error::{plain_error, tls_error};
use super::settings::ChannelSettings;

/// Judges the certificates of the servers of channels.
#[derive(Debug)]
pub(super) struct ServerTrust {
    chains: Arc<WebPkiServerVerifier>,
    /// The certificates of `ca_file`: a server's own that stands among them is trusted as it
    /// is, though it says that it is an authority's, as `openssl req -x509` makes them.
    exact: Vec<CertificateDer<'static>>,
}

impl ServerTrust {
    pub(super) fn new(settings: &ChannelSettings) -> Result<Arc<Self>, ChannelError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let exact = settings.ca_file.as_ref().map(certificates).transpose()?;
        let exact = exact.unwrap_or_default();
        roots.add_parsable_certificates(exact.iter().cloned());
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| ChannelError::Tls(plain_error(&error)))?;
        Ok(Arc::new(Self { chains, exact }))
    }

    /// The TLS of a client that trusts by this.
    pub(super) fn client(self: Arc<Self>) -> Result<ClientConfig, ChannelError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ChannelError::Tls(tls_error(&error).to_owned()))?
            .dangerous()
            .with_custom_certificate_verifier(self)
            .with_no_client_auth();
        Ok(config)
    }

    /// Judges what the server `host` showed, its own certificate first.
    pub(super) fn judge(&self, host: &str, shown: &[CertificateDer<'_>]) -> Result<(), Error> {
        let name = ServerName::try_from(host)
            .map_err(|_| Error::InvalidCertificate(CertificateError::NotValidForName))?;
        let (own, others) = shown.split_first().ok_or(Error::NoCertificatesPresented)?;
        self.verify_server_cert(own, others, &name, &[], UnixTime::now())
            .map(|_good| ())
    }
}

/// The certificates of a file.
fn certificates(file: &CertificateFile) -> Result<Vec<CertificateDer<'static>>, ChannelError> {
    CertificateDer::pem_slice_iter(&file.pem)
        .collect::<Result<_, _>>()
        .map_err(|_| ChannelError::CaFile(file.path.clone(), "not a PEM file".to_owned()))
}

/// Whether a certificate is refused for its dates.
const fn is_about_dates(error: &Error) -> bool {
    use CertificateError as Fault;
    matches!(
        error,
        Error::InvalidCertificate(
            Fault::Expired
                | Fault::ExpiredContext { .. }
                | Fault::NotValidYet
                | Fault::NotValidYetContext { .. }
        )
    )
}

impl ServerCertVerifier for ServerTrust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let exact = self.exact.contains(end_entity);
        let others = if exact { &[] } else { intermediates };
        let judged =
            self.chains
                .verify_server_cert(end_entity, others, server_name, ocsp_response, now);
        match judged {
            // Dates are judged before anything else, the name after it.
            Err(error) if exact && !is_about_dates(&error) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}
