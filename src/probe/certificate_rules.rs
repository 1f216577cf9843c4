//! Which certificates of servers are trusted: their chain, their dates, their name.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::EndEntityCert;

use super::certificate::{self, Known, Read};

/// The authorities and certificates that are trusted.
#[derive(Debug)]
pub(super) struct Trust {
    /// All roots. They are read before the first check where there are several threads: those
    /// would wait for the one that reads them, in the middle of a poll.
    anchors: OnceLock<Vec<TrustAnchor<'static>>>,
    /// The certificates of `ca_file`: a server's own that stands among them is trusted as it
    /// is, though it may be that of an authority.
    exact: Vec<CertificateDer<'static>>,
    /// The same as roots, with their ends.
    roots: Vec<(TrustAnchor<'static>, Arc<Read>)>,
    algorithms: WebPkiSupportedAlgorithms,
    known: Known,
}

/// The host whose certificate is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'a> {
    Server(&'a ServerName<'a>),
    /// A name that TLS cannot ask for, as it is written.
    Unaskable(&'a str),
}

/// Why certificates are refused, and the one that it is about where the server did not show it.
pub(super) struct CertificateRefusal {
    pub(super) error: webpki::Error,
    pub(super) about: Option<Arc<Read>>,
}

impl From<webpki::Error> for CertificateRefusal {
    fn from(error: webpki::Error) -> Self {
        Self { error, about: None }
    }
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
    /// Trusts the system's roots, and the certificates of `ca_file` as roots and as they are.
    pub(super) fn new(
        exact: Vec<CertificateDer<'static>>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        let known = Known::default();
        let root = |der| {
            let anchor = webpki::anchor_from_trusted_cert(der).ok()?.to_owned();
            Some((anchor, known.read(der)?))
        };
        Self {
            anchors: OnceLock::new(),
            roots: exact.iter().filter_map(root).collect(),
            exact,
            algorithms,
            known,
        }
    }

    /// All roots; the first call reads them.
    pub(super) fn anchors(&self) -> &[TrustAnchor<'static>] {
        self.anchors.get_or_init(|| anchors(&self.exact))
    }

    pub(super) const fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.algorithms
    }

    /// What is read of a certificate.
    pub(super) fn read(&self, der: &[u8]) -> Option<Arc<Read>> {
        self.known.read(der)
    }

    /// Judges what a server showed, and gives the earliest end of the chain that was verified.
    pub(super) fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        wanted: Wanted<'_>,
        now: UnixTime,
    ) -> Result<Option<Arc<Read>>, CertificateRefusal> {
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
                return Err(error.into());
            }
            wanted.fits(&certificate)?;
            return Ok(own);
        }
        let path = certificate.verify_for_usage(
            self.algorithms.all,
            self.anchors(),
            intermediates,
            now,
            webpki::KeyUsage::server_auth(),
            None,
            None,
        )?;
        let chain = path.intermediate_certificates();
        let read: Vec<_> = chain
            .filter_map(|authority| self.known.read(&authority.der()))
            .collect();
        if read.iter().any(|authority| !authority.may_vouch) {
            return Err(webpki::Error::EndEntityUsedAsCa.into());
        }
        let root = self.root(path.anchor());
        if let Some(root) = &root {
            let ends = root.shown.not_after.as_micros().div_euclid(1_000_000);
            let not_after = u64::try_from(ends).unwrap_or(0);
            if not_after < now.as_secs() {
                let not_after = UnixTime::since_unix_epoch(Duration::from_secs(not_after));
                return Err(CertificateRefusal {
                    error: webpki::Error::CertExpired {
                        time: now,
                        not_after,
                    },
                    about: Some(Arc::clone(root)),
                });
            }
        }
        let earliest = own
            .into_iter()
            .chain(read)
            .chain(root)
            .min_by_key(|read| read.shown.not_after);
        wanted.fits(&certificate)?;
        Ok(earliest)
    }

    /// The certificate of a root, if it is of `ca_file`: the one that ends last, where an
    /// authority was renewed. The system's are looked after by the system.
    fn root(&self, anchor: &TrustAnchor<'_>) -> Option<Arc<Read>> {
        let same = |root: &TrustAnchor<'_>| {
            root.subject == anchor.subject
                && root.subject_public_key_info == anchor.subject_public_key_info
        };
        let own = self.roots.iter().filter(|(root, _)| same(root));
        own.map(|(_, read)| read)
            .max_by_key(|read| read.shown.not_after)
            .cloned()
    }
}

impl Wanted<'_> {
    fn fits(self, certificate: &EndEntityCert<'_>) -> Result<(), webpki::Error> {
        match self {
            Self::Server(name) => certificate.verify_is_valid_for_subject_name(name),
            Self::Unaskable(host) if certificate::names(&certificate.der(), host) => Ok(()),
            Self::Unaskable(_) => Err(webpki::Error::UnsupportedNameType),
        }
    }
}
