//! What is wrong with the certificates that a server showed, in plain sentences.

use std::sync::Arc;

use jiff::tz::TimeZone;
use webpki::Error;

use super::certificate::Read;
use crate::domain::{TimeFormat, noun_of};

/// Why the certificates of a server are not trusted.
#[derive(Clone, Debug)]
pub(super) struct CertificateFault {
    error: Error,
    /// The certificate that it is about, if that is known: not always the server's own.
    about: Option<Arc<Read>>,
    /// Whether it is the server's own.
    own: bool,
    /// The length of the shortest RSA key among them, in bits.
    shortest_key: Option<usize>,
}

/// The shortest RSA key that is verified, in bits.
const LEAST_KEY: usize = 2_048;

/// The sentence about an RSA key that is too short; `None` for one that is long enough.
pub(super) fn short_key(bits: usize) -> Option<String> {
    (bits < LEAST_KEY).then(|| {
        let noun = noun_of(bits, "bit");
        format!("a key of {bits} {noun} in the certificate or its chain is too short")
    })
}

impl CertificateFault {
    /// `shown` are the certificates as the server sent them, its own first, each as far as it
    /// could be read.
    pub(super) fn new(error: Error, shown: &[Option<Arc<Read>>]) -> Self {
        let fits = |read: &Read| match &error {
            Error::CertExpired { not_after, .. } => {
                let seconds = read.shown.not_after.as_micros().div_euclid(1_000_000);
                u64::try_from(seconds).is_ok_and(|seconds| seconds == not_after.as_secs())
            }
            _ => false,
        };
        let place = shown
            .iter()
            .position(|read| read.as_deref().is_some_and(fits));
        // One that ends before it begins ends before all others.
        let first = || {
            let ends = shown.iter().enumerate();
            let ends =
                ends.filter_map(|(place, read)| Some((read.as_ref()?.shown.not_after, place)));
            ends.min().map(|(_, place)| place)
        };
        let place = match &error {
            Error::InvalidCertValidity => first(),
            _ => place,
        };
        let place = place.unwrap_or(0);
        Self {
            about: shown.get(place).cloned().flatten(),
            own: place == 0,
            shortest_key: shown
                .iter()
                .flatten()
                .filter_map(|read| read.rsa_bits)
                .min(),
            error,
        }
    }

    /// Whether the certificates are of a kind that this program's TLS does not know, which says
    /// nothing about the site.
    pub(super) const fn is_unknown_kind(&self) -> bool {
        matches!(
            self.error,
            Error::UnsupportedSignatureAlgorithmContext(_)
                | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
        )
    }

    /// The sentence about it.
    pub(super) fn sentence(&self) -> String {
        let read = self.about.as_deref();
        let self_signed = self.own && read.is_some_and(|read| read.self_signed);
        let short = self.shortest_key.and_then(short_key);
        match &self.error {
            Error::CertExpired { .. } | Error::InvalidCertValidity => {
                let end = read.map_or_else(String::new, |read| {
                    let end = TimeFormat::Date.of(read.shown.not_after, &TimeZone::UTC);
                    format!(" (on {end})")
                });
                if self.own {
                    format!("the certificate has expired{end}")
                } else {
                    let name = read.map_or("", |read| &*read.shown.subject);
                    format!(
                        "the certificate of the authority \"{name}\" in its chain has expired{end}"
                    )
                }
            }
            Error::CertNotValidYet { .. } => "the certificate is not yet valid".to_owned(),
            Error::CertNotValidForName(_) if read.is_some_and(|read| !read.names_hosts) => {
                "the certificate names its host in its common name alone, which browsers do not read"
                    .to_owned()
            }
            Error::CertNotValidForName(_) => {
                let subject = read.map(|read| &*read.shown.subject);
                let whose = subject
                    .filter(|subject| !subject.is_empty())
                    .map_or(String::new(), |name| format!(" (it names {name})"));
                format!("the certificate is for the wrong host{whose}")
            }
            Error::UnknownIssuer if !self_signed => {
                let whose = read
                    .map(|read| &*read.shown.issuer)
                    .filter(|issuer| !issuer.is_empty())
                    .map_or(String::new(), |issuer| format!(" ({issuer})"));
                format!("the certificate comes from an unknown issuer{whose}")
            }
            Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
                "the certificate is not meant for servers (extended key usage)".to_owned()
            }
            Error::NameConstraintViolation => {
                "the certificate's authority may not vouch for such a name (name constraints)"
                    .to_owned()
            }
            Error::UnsupportedCriticalExtension => {
                "the certificate has a critical extension that this program does not know"
                    .to_owned()
            }
            Error::PathLenConstraintViolated => {
                "the chain of authorities is longer than one of them allows".to_owned()
            }
            Error::EndEntityUsedAsCa => {
                "a certificate of the chain is not that of an authority".to_owned()
            }
            Error::CertRevoked => "the certificate was revoked".to_owned(),
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                "the certificate is signed in a way that this program's TLS does not know, such \
                 as SHA-1"
                    .to_owned()
            }
            Error::UnsupportedCertVersion => {
                "the certificate is of version 1, which names no host".to_owned()
            }
            _ if self_signed => "the certificate is self-signed".to_owned(),
            _ if short.is_some() => short.unwrap_or_default(),
            Error::InvalidSignatureForPublicKey | Error::SignatureAlgorithmMismatch => {
                "the certificate's signature does not fit".to_owned()
            }
            Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => {
                "the certificate cannot be read".to_owned()
            }
            Error::InvalidSerialNumber => {
                "the certificate's serial number is not one (negative, or of more than 20 octets)"
                    .to_owned()
            }
            _ => "the certificate is not valid".to_owned(),
        }
    }
}
