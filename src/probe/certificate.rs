//! Reads the end, subject and issuer of a certificate.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use x509_cert::certificate::{CertificateInner, Profile};
use x509_cert::der::asn1::{self, AnyRef};
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::der::{self, Decode, SliceReader, Tag, Tagged};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{KeyUsage, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::Time;

use crate::domain::{Certificate, Timestamp, clean};

/// The longest name that is kept, in characters.
const MOST: usize = 100;

/// The most certificates that are remembered, in about 200 bytes each.
const MOST_KNOWN: usize = 4_096;

/// A certificate as far as this program reads it.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) shown: Certificate,
    /// Whether its issuer is its subject.
    pub(super) self_signed: bool,
    /// The length of its RSA key, in bits; `None` for other keys.
    pub(super) rsa_bits: Option<usize>,
    /// Whether it names a host where hosts are named: in its subject alternative names.
    pub(super) names_hosts: bool,
    /// Whether it may vouch for others, by its key usage.
    pub(super) may_vouch: bool,
}

/// Certificates as they are in the wild: with serial numbers of any length, and times in any
/// encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Lenient;

impl Profile for Lenient {
    fn check_serial_number(_: &SerialNumber<Self>) -> der::Result<()> {
        Ok(())
    }

    fn time_encoding(time: Time) -> der::Result<Time> {
        Ok(time)
    }
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

/// Reads a certificate; `None` for one that is not X.509. Of one that is odd, the end is read
/// all the same.
fn read(der: &[u8]) -> Option<Read> {
    let Ok(certificate) = CertificateInner::<Lenient>::from_der(der) else {
        return Some(Read {
            self_signed: false,
            rsa_bits: None,
            names_hosts: true,
            may_vouch: true,
            shown: Certificate {
                not_after: micros(end_of(der).ok()?),
                subject: Box::default(),
                issuer: Box::default(),
            },
        });
    };
    let tbs = certificate.tbs_certificate();
    let usage = tbs.get_extension::<KeyUsage>().ok().flatten();
    Some(Read {
        self_signed: tbs.issuer() == tbs.subject(),
        rsa_bits: rsa_bits(tbs.subject_public_key_info()),
        names_hosts: tbs.extensions().is_some_and(|all| {
            all.iter()
                .any(|extension| extension.extn_id == SubjectAltName::OID)
        }),
        may_vouch: usage.is_none_or(|(_, usage)| usage.key_cert_sign()),
        shown: Certificate {
            not_after: micros(tbs.validity().not_after),
            subject: common_name(tbs.subject()),
            issuer: common_name(tbs.issuer()),
        },
    })
}

fn micros(time: Time) -> Timestamp {
    let micros = i64::try_from(time.to_unix_duration().as_micros());
    Timestamp::from_micros(micros.unwrap_or(i64::MAX))
}

/// The end of a certificate's validity, whatever else is in it (RFC 5280 section 4.1).
fn end_of(der: &[u8]) -> der::Result<Time> {
    let certificate = AnyRef::from_der(der)?;
    let mut certificate = SliceReader::new(certificate.value())?;
    let tbs = AnyRef::decode(&mut certificate)?;
    let mut tbs = SliceReader::new(tbs.value())?;
    let first = AnyRef::decode(&mut tbs)?;
    if first.tag() != Tag::Integer {
        // The version, before the serial number.
        let _serial = AnyRef::decode(&mut tbs)?;
    }
    let _algorithm = AnyRef::decode(&mut tbs)?;
    let _issuer = AnyRef::decode(&mut tbs)?;
    let validity = AnyRef::decode(&mut tbs)?;
    let mut validity = SliceReader::new(validity.value())?;
    let _begin = AnyRef::decode(&mut validity)?;
    Time::decode(&mut validity)
}

/// Whether a certificate names a host that is no host name by RFC 1123, but by the rules of
/// wildcards (RFC 9525 section 6.3).
pub(super) fn names(der: &[u8], host: &str) -> bool {
    let Ok(certificate) = CertificateInner::<Lenient>::from_der(der) else {
        return false;
    };
    let named = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>();
    let Ok(Some((_, SubjectAltName(named)))) = named else {
        return false;
    };
    let behind_first = host.split_once('.').map_or("", |(_, rest)| rest);
    named.iter().any(|name| match name {
        GeneralName::DnsName(name) => match name.as_str().strip_prefix("*.") {
            Some(rest) => rest.contains('.') && rest.eq_ignore_ascii_case(behind_first),
            None => name.as_str().eq_ignore_ascii_case(host),
        },
        _ => false,
    })
}

/// The length of an RSA key: that of its modulus (RFC 8017 appendix A.1.1).
fn rsa_bits(key: &SubjectPublicKeyInfoOwned) -> Option<usize> {
    const RSA: asn1::ObjectIdentifier = asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    if key.algorithm.oid != RSA {
        return None;
    }
    let key = AnyRef::from_der(key.subject_public_key.raw_bytes()).ok()?;
    let mut key = SliceReader::new(key.value()).ok()?;
    let modulus = AnyRef::decode(&mut key).ok()?;
    let digits = modulus.value().iter().skip_while(|byte| **byte == 0);
    let bytes = digits.clone().count();
    let first = digits.copied().next()?;
    Some(bytes * 8 - first.leading_zeros() as usize)
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
    fn the_end_of_a_certificate_is_read_though_its_serial_number_is_too_long() {
        let mut params = CertificateParams::new(vec!["odd.example".to_owned()]).unwrap();
        params.serial_number = Some(vec![0x55; 30].into());
        params.not_after = rcgen::date_time_ymd(2031, 2, 3);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let end =
            jiff::Timestamp::from_microsecond(read(&der).unwrap().shown.not_after.as_micros());
        assert_eq!(end.unwrap().to_string(), "2031-02-03T00:00:00Z");
        assert_eq!(
            micros(end_of(&der).unwrap()),
            read(&der).unwrap().shown.not_after
        );
        // Odd beyond reading: a name that is none.
        let name = der.windows(11).position(|w| w == b"odd.example").unwrap();
        let mut odd = der;
        odd[name - 2] = 0x1f;
        assert!(read(&odd).is_some_and(|read| read.shown.not_after.as_micros() > 0));
    }

    #[test]
    fn a_host_with_a_hyphen_at_an_end_is_found_among_the_names() {
        let der = certificate("*.shop.example");
        assert!(names(&der, "a-.Shop.example"));
        assert!(!names(&der, "a.b-.shop.example"));
        assert!(!names(&der, "shop.example"));
        assert!(names(&certificate("a-.example"), "A-.example"));
        assert!(!names(&certificate("*.example"), "a-.example"));
        assert!(!names(b"nonsense", "a-.example"));
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
