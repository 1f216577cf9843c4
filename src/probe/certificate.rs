//! Reads the end, subject and issuer of a certificate.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use x509_cert::der::{Decode, Tag, Tagged, asn1};
use x509_cert::name::Name;

use crate::domain::{Certificate, Timestamp, clean};

/// The longest name that is kept, in characters.
const MOST: usize = 100;

/// The most certificates that are remembered, in about 200 bytes each.
const MOST_KNOWN: usize = 4_096;

/// A certificate as far as this program reads it.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) shown: Certificate,
    /// Whether its issuer is its subject.
    pub(super) self_signed: bool,
}

/// Certificates that were read before. A site shows the same one in check after check, and
/// reading it costs more than all else that is done with what a check found.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By a hash with a secret key of this process, so that no server can forge a collision.
    read: Mutex<HashMap<u64, Option<Arc<Read>>>>,
    hasher: RandomState,
}

impl Known {
    /// Reads a certificate, or remembers it; `None` for one that is not X.509.
    pub(super) fn read(&self, der: &[u8]) -> Option<Arc<Read>> {
        let key = self.hasher.hash_one(der);
        // Every change is complete before anything could panic.
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = known.get(&key) {
            return read.clone();
        }
        let read = read(der).map(Arc::new);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(key, read.clone());
        read
    }
}

/// Reads a certificate; `None` for one that is not X.509.
fn read(der: &[u8]) -> Option<Read> {
    let certificate = x509_cert::Certificate::from_der(der).ok()?;
    let tbs = certificate.tbs_certificate();
    let end = tbs.validity().not_after.to_unix_duration();
    let micros = i64::try_from(end.as_micros()).unwrap_or(i64::MAX);
    Some(Read {
        self_signed: tbs.issuer() == tbs.subject(),
        shown: Certificate {
            not_after: Timestamp::from_micros(micros),
            subject: common_name(tbs.subject()),
            issuer: common_name(tbs.issuer()),
        },
    })
}

/// The common name, else the whole name as RFC 4514 writes it; cleaned.
fn common_name(name: &Name) -> Box<str> {
    // id-at-commonName, RFC 5280 appendix A.
    const COMMON_NAME: asn1::ObjectIdentifier = asn1::ObjectIdentifier::new_unwrap("2.5.4.3");
    let common = name
        .iter_rdn()
        .flat_map(|rdn| rdn.iter())
        .find(|attribute| attribute.oid == COMMON_NAME)
        .and_then(|attribute| text(&attribute.value));
    // Writing the whole name searches a long table for every part of it.
    let shown = common.map_or_else(|| clean(&name.to_string(), MOST), |text| clean(text, MOST));
    shown.into_boxed_str()
}

/// The text of a value in one of the encodings that are plain text; all but the oldest
/// certificates use these.
fn text(value: &asn1::Any) -> Option<&str> {
    matches!(
        value.tag(),
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String
    )
    .then(|| std::str::from_utf8(value.value()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn certificate(name: &str) -> Vec<u8> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_is_read_once_and_told_from_others() {
        let known = Known::default();
        let (one, other) = (certificate("one.example"), certificate("other.example"));
        let first = known.read(&one).unwrap();
        assert_eq!(&*first.shown.subject, "one.example");
        assert!(first.self_signed);
        assert_eq!(&*known.read(&other).unwrap().shown.subject, "other.example");
        assert!(Arc::ptr_eq(&first, &known.read(&one).unwrap()));
    }

    #[test]
    fn what_servers_show_does_not_fill_the_memory() {
        let known = Known::default();
        for number in 0..MOST_KNOWN + 10 {
            assert!(known.read(&number.to_le_bytes()).is_none());
        }
        let kept = known.read.lock().unwrap().len();
        assert_eq!(kept, 10);
    }
}
