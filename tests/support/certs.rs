//! Certificates of every kind a site may have, from a certificate authority of our own.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::Deserialize;

/// What is right or wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CertKind {
    /// Valid for 90 more days, for loopback's names and addresses.
    Good,
    /// The same, and the server speaks TLS 1.2 at most.
    GoodTls12,
    /// Ended 3 days ago.
    Expired,
    /// Begins in 3 days.
    NotYetValid,
    /// Names another host.
    WrongHost,
    /// Names another host, with control and bidirectional characters.
    HostileNames,
    /// Vouches for itself.
    SelfSigned,
    /// Vouched for by an authority that nobody trusts.
    UnknownIssuer,
    /// Ends in 5 days.
    EndingSoon,
}

const DAY: Duration = Duration::from_secs(86_400);

/// The authority, and what it needs to make a server's side of TLS.
pub(crate) struct Certificates {
    trusted: CertifiedIssuer<'static, KeyPair>,
    unknown: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        Self {
            trusted: authority("Test authority"),
            unknown: authority("Nobody's authority"),
        }
    }

    /// What `ca_file` names.
    pub(crate) fn ca_pem(&self) -> String {
        self.trusted.pem()
    }

    /// The authority's certificate, for a client.
    pub(crate) fn ca_der(&self) -> CertificateDer<'static> {
        self.trusted.der().clone()
    }

    /// A valid certificate for loopback and its key, for a server or a client, in PEM form.
    pub(crate) fn pair_pem(&self) -> (String, String) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        set_validity(&mut params, -30, 90);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.trusted).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// A server's configuration with a certificate of that kind.
    pub(crate) fn server(&self, kind: CertKind) -> Arc<ServerConfig> {
        let names = match kind {
            CertKind::WrongHost | CertKind::HostileNames => vec!["elsewhere.example".to_owned()],
            _ => vec![
                "localhost".to_owned(),
                "127.0.0.1".to_owned(),
                "::1".to_owned(),
            ],
        };
        let (from, until) = match kind {
            CertKind::Expired => (-30, -3),
            CertKind::NotYetValid => (3, 90),
            CertKind::EndingSoon => (-30, 5),
            _ => (-30, 90),
        };
        let mut params = CertificateParams::new(names).unwrap();
        set_validity(&mut params, from, until);
        let common_name = match kind {
            CertKind::HostileNames => "evil\u{1b}[31m\u{7}\u{9b}2J\u{202e}txt.exe",
            _ => "squirrel test server",
        };
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        let certificate = match kind {
            CertKind::SelfSigned => params.self_signed(&key),
            CertKind::UnknownIssuer => params.signed_by(&key, &self.unknown),
            _ => params.signed_by(&key, &self.trusted),
        }
        .unwrap();
        let versions: &[_] = match kind {
            CertKind::GoodTls12 => &[&rustls::version::TLS12],
            _ => rustls::DEFAULT_VERSIONS,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        Arc::new(config)
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Sets the days from now between which the certificate is valid.
///
/// rcgen's times are counted from the epoch here, so that no library of dates is needed.
fn set_validity(params: &mut CertificateParams, from: i32, until: i32) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let since_epoch = |days: i32| {
        let shift = DAY * days.unsigned_abs();
        if days < 0 { now - shift } else { now + shift }
    };
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(from);
    params.not_after = epoch + since_epoch(until);
}
