//! A certificate authority made on the spot, and the certificates that it gave the sites.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

use super::sites::CertificateKind;

const DAY: Duration = Duration::from_secs(86_400);

/// Whatever went wrong while certificates were made.
pub(super) type Error = Box<dyn std::error::Error + Send + Sync>;

/// One acceptor for each [`CertificateKind`], and the authority behind them all.
#[derive(Clone)]
pub(super) struct Certificates {
    good: TlsAcceptor,
    expired: TlsAcceptor,
    expiring: TlsAcceptor,
    wrong_host: TlsAcceptor,
}

impl Certificates {
    /// Makes them all; also returns the authority's certificate as PEM. Its key is not
    /// kept, so that no further certificate can be signed with it.
    ///
    /// # Errors
    /// When the system gives no randomness; nothing else is left to fail.
    pub(super) fn make(now: SystemTime) -> Result<(Self, String), Error> {
        let authority = authority(now)?;
        let here = ["localhost", "127.0.0.1"];
        let acceptor = |hosts: &[&str], from, until| acceptor(&authority, hosts, from, until);
        let (month_ago, year_ago) = (now - 30 * DAY, now - 365 * DAY);
        let certificates = Self {
            good: acceptor(&here, month_ago, now + 365 * DAY)?,
            expired: acceptor(&here, year_ago, month_ago)?,
            expiring: acceptor(&here, month_ago, now + 5 * DAY)?,
            wrong_host: acceptor(&["elsewhere.example"], month_ago, now + 365 * DAY)?,
        };
        Ok((certificates, authority.pem()))
    }

    /// The acceptor that shows the certificate of `kind`.
    pub(super) const fn acceptor(&self, kind: CertificateKind) -> &TlsAcceptor {
        match kind {
            CertificateKind::Good => &self.good,
            CertificateKind::Expired => &self.expired,
            CertificateKind::Expiring => &self.expiring,
            CertificateKind::WrongHost => &self.wrong_host,
        }
    }
}

fn authority(now: SystemTime) -> Result<CertifiedIssuer<'static, KeyPair>, Error> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "UptimeSquirrel demo authority");
    // It may sign for sites and not for further authorities.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = (now - 730 * DAY).into();
    params.not_after = (now + 730 * DAY).into();
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

fn acceptor(
    authority: &CertifiedIssuer<'_, KeyPair>,
    hosts: &[&str],
    from: SystemTime,
    until: SystemTime,
) -> Result<TlsAcceptor, Error> {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts.clone())?;
    params.distinguished_name.remove(DnType::CommonName);
    if let Some(name) = hosts.into_iter().next() {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = from.into();
    params.not_after = until.into();
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    // A monitor never resumes a session, so tickets would be unused.
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
