//! Certificates of every kind a site may have, from a certificate authority of our own.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use serde::{Deserialize, Serialize};

/// What is right or wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
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
    /// Stands in `ca_file` byte for byte, and says that it is an authority's.
    Pinned,
    /// The same, for another host.
    PinnedWrongHost,
    /// The same, ended 3 days ago.
    PinnedExpired,
    /// The same, valid from 3 days on.
    PinnedNotYetValid,
    /// Good itself; the authority between it and the root ends in 5 days.
    ChainEndingSoon,
    /// Good itself; the authority between it and the root ended 3 days ago.
    ChainExpired,
    /// From an authority that may not vouch for anybody, by its key usage.
    ChainWithoutRight,
    /// Good itself; its root, which stands in `ca_file`, ends in 5 days.
    RootEndingSoon,
    /// Good itself; its root, which stands in `ca_file`, ended 3 days ago.
    RootExpired,
    /// Names its host in its common name alone.
    CommonNameAlone,
    /// Has a serial number of 30 octets.
    LongSerial,
    /// Is for clients.
    WrongPurpose,
    /// From an authority that may vouch for another domain alone.
    NameConstraints,
    /// Has a critical extension that nobody knows.
    CriticalExtension,
}

const DAY: Duration = Duration::from_secs(86_400);

/// The authority, and what it needs to make a server's side of TLS.
pub(crate) struct Certificates {
    trusted: CertifiedIssuer<'static, KeyPair>,
    unknown: CertifiedIssuer<'static, KeyPair>,
    ending: CertifiedIssuer<'static, KeyPair>,
    ended: CertifiedIssuer<'static, KeyPair>,
    /// The kinds that stand in `ca_file` themselves, with their keys.
    pinned: Vec<(CertKind, Certificate, Vec<u8>)>,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        Self {
            trusted: authority("Test authority", -300, 300),
            unknown: authority("Nobody's authority", -300, 300),
            ending: authority("Ending authority", -300, 5),
            ended: authority("Ended authority", -300, -3),
            pinned: [
                CertKind::Pinned,
                CertKind::PinnedWrongHost,
                CertKind::PinnedExpired,
                CertKind::PinnedNotYetValid,
            ]
            .map(|kind| {
                let mut params = params(kind);
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                let key = KeyPair::generate().unwrap();
                let certificate = params.self_signed(&key).unwrap();
                (kind, certificate, key.serialize_der())
            })
            .into(),
        }
    }

    /// What `ca_file` names.
    pub(crate) fn ca_pem(&self) -> String {
        let pinned = self
            .pinned
            .iter()
            .map(|(_, certificate, _)| certificate.pem());
        let roots = [&self.trusted, &self.ending, &self.ended].map(|root| root.pem());
        roots.concat() + &pinned.collect::<String>()
    }

    /// What a server of that kind shows, and its key, for a server that reads files.
    pub(crate) fn pem(&self, kind: CertKind) -> String {
        let (chain, key) = self.chain(kind);
        let chain = chain.iter().map(|der| pem_block("CERTIFICATE", der));
        chain.collect::<String>() + &pem_block("PRIVATE KEY", &key)
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
        let (chain, key) = self.chain(kind);
        let versions: &[_] = match kind {
            CertKind::GoodTls12 => &[&rustls::version::TLS12],
            _ => rustls::DEFAULT_VERSIONS,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        // Unlike a careful server's, these certificates need not be in order.
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
        let key = provider.key_provider.load_private_key(key).unwrap();
        let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown));
        Arc::new(config)
    }
}

impl Certificates {
    /// What a server with a certificate of that kind shows, and its key.
    fn chain(&self, kind: CertKind) -> (Vec<CertificateDer<'static>>, Vec<u8>) {
        if let Some((_, certificate, key)) = self.pinned.iter().find(|(one, ..)| *one == kind) {
            return (vec![certificate.der().clone()], key.clone());
        }
        let params = params(kind);
        let key = KeyPair::generate().unwrap();
        let between = match kind {
            CertKind::ChainEndingSoon => Some((-30, 5)),
            CertKind::ChainExpired => Some((-30, -3)),
            CertKind::NameConstraints | CertKind::ChainWithoutRight => Some((-30, 90)),
            _ => None,
        };
        if let Some((from, until)) = between {
            let mut authority = authority_params("Authority between");
            set_validity(&mut authority, from, until);
            if kind == CertKind::NameConstraints {
                authority.name_constraints = Some(NameConstraints {
                    permitted_subtrees: vec![GeneralSubtree::DnsName(
                        "elsewhere.example".to_owned(),
                    )],
                    excluded_subtrees: Vec::new(),
                });
            }
            if kind == CertKind::ChainWithoutRight {
                authority.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            }
            let own_key = KeyPair::generate().unwrap();
            let between = CertifiedIssuer::signed_by(authority, own_key, &self.trusted).unwrap();
            let certificate = params.signed_by(&key, &between).unwrap();
            let chain = vec![certificate.der().clone(), between.der().clone()];
            return (chain, key.serialize_der());
        }
        let certificate = match kind {
            CertKind::SelfSigned => params.self_signed(&key),
            CertKind::UnknownIssuer => params.signed_by(&key, &self.unknown),
            CertKind::RootEndingSoon => params.signed_by(&key, &self.ending),
            CertKind::RootExpired => params.signed_by(&key, &self.ended),
            _ => params.signed_by(&key, &self.trusted),
        }
        .unwrap();
        (vec![certificate.der().clone()], key.serialize_der())
    }
}

/// RFC 7468.
fn pem_block(kind: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64);
    let lines: String = lines
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect();
    format!("-----BEGIN {kind}-----\n{lines}-----END {kind}-----\n")
}

/// A server's certificate of that kind, before anybody signs it.
fn params(kind: CertKind) -> CertificateParams {
    let names = match kind {
        CertKind::WrongHost | CertKind::HostileNames | CertKind::PinnedWrongHost => {
            vec!["elsewhere.example".to_owned()]
        }
        CertKind::CommonNameAlone => Vec::new(),
        _ => vec![
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ],
    };
    let (from, until) = match kind {
        CertKind::Expired | CertKind::PinnedExpired => (-30, -3),
        CertKind::NotYetValid | CertKind::PinnedNotYetValid => (3, 90),
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
    match kind {
        CertKind::LongSerial => params.serial_number = Some(vec![0x55; 30].into()),
        CertKind::WrongPurpose => {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }
        CertKind::CriticalExtension => {
            let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4, 5], vec![5, 0]);
            unknown.set_criticality(true);
            params.custom_extensions.push(unknown);
        }
        _ => {}
    }
    params
}

fn authority(name: &str, from: i32, until: i32) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = authority_params(name);
    set_validity(&mut params, from, until);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    params
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
