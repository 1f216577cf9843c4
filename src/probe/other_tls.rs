//! Kinds of TLS that are offered to servers though this program does not speak them, so that it is
//! seen who speaks nothing else.
//!
//! A server to which nothing fits that it was offered ends the handshake with an alert (RFC 8446
//! section 6.2, `handshake_failure`), and so does one that has no certificate for the name: the
//! first is no outage, the second is one for every visitor. So the greeting offers what browsers
//! and old programs speak besides, behind what this program speaks itself. A server that takes it
//! shows so in its first message, and nothing is ever sent to it: the handshake cannot be
//! completed.

use std::fmt;
use std::sync::{Arc, LazyLock};

use rustls::crypto::ring::cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 as MODEL;
use rustls::crypto::{ActiveKeyExchange, CryptoProvider, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{
    CipherSuite, CipherSuiteCommon, Error, NamedGroup, OtherError, SignatureScheme,
    SupportedCipherSuite, Tls12CipherSuite,
};

/// Suites of TLS 1.2 that others speak, by their numbers and names in IANA's registry.
const SUITES: [(u16, &str); 22] = [
    (0xc023, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc024, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xc027, "ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc028, "ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xc009, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xc00a, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc013, "ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xc014, "ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x009e, "DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009f, "DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x0067, "DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x006b, "DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0033, "DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x0039, "DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x009c, "RSA_WITH_AES_128_GCM_SHA256"),
    (0x009d, "RSA_WITH_AES_256_GCM_SHA384"),
    (0x003c, "RSA_WITH_AES_128_CBC_SHA256"),
    (0x003d, "RSA_WITH_AES_256_CBC_SHA256"),
    (0x002f, "RSA_WITH_AES_128_CBC_SHA"),
    (0x0035, "RSA_WITH_AES_256_CBC_SHA"),
    (0xc012, "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x000a, "RSA_WITH_3DES_EDE_CBC_SHA"),
];

/// Kinds of signature that others speak, by IANA's registry.
pub(super) const SCHEMES: [SignatureScheme; 12] = [
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED448,
    // RSASSA-PSS with keys that are for it alone.
    SignatureScheme::Unknown(0x0809),
    SignatureScheme::Unknown(0x080a),
    SignatureScheme::Unknown(0x080b),
    // Brainpool's curves.
    SignatureScheme::Unknown(0x081a),
    SignatureScheme::Unknown(0x081b),
    SignatureScheme::Unknown(0x081c),
    // SHA-224, of RSA and of curves.
    SignatureScheme::Unknown(0x0301),
    SignatureScheme::Unknown(0x0303),
    SignatureScheme::RSA_PKCS1_SHA1,
    SignatureScheme::ECDSA_SHA1_Legacy,
];

/// Groups for the exchange of keys that others speak, and their names.
static GROUPS: [OtherGroup; 4] = [
    OtherGroup(
        NamedGroup::secp521r1,
        "TLS with P-521 for the exchange of keys alone",
    ),
    OtherGroup(
        NamedGroup::X448,
        "TLS with X448 for the exchange of keys alone",
    ),
    OtherGroup(
        NamedGroup::FFDHE2048,
        "TLS with FFDHE for the exchange of keys alone",
    ),
    OtherGroup(
        NamedGroup::FFDHE3072,
        "TLS with FFDHE for the exchange of keys alone",
    ),
];

/// A provider that offers these suites and groups behind what `own` speaks.
pub(super) fn offered_besides(own: CryptoProvider) -> CryptoProvider {
    static OTHERS: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(suites);
    let mut all = own;
    all.cipher_suites.extend(OTHERS.iter());
    all.kx_groups.extend(
        GROUPS
            .iter()
            .map(|group| -> &dyn SupportedKxGroup { group }),
    );
    all
}

/// Suites by other numbers than their own, so that the library offers them; what they would
/// encrypt, no server of theirs could read.
fn suites() -> Vec<SupportedCipherSuite> {
    let SupportedCipherSuite::Tls12(model) = MODEL else {
        return Vec::new();
    };
    let suite = |(number, _): (u16, &str)| {
        // Once a process.
        SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
            common: CipherSuiteCommon {
                suite: CipherSuite::from(number),
                hash_provider: model.common.hash_provider,
                confidentiality_limit: model.common.confidentiality_limit,
            },
            prf_provider: model.prf_provider,
            kx: model.kx,
            sign: model.sign,
            aead_alg: model.aead_alg,
        })))
    };
    SUITES.into_iter().map(suite).collect()
}

/// A group for the exchange of keys, and the words for it.
#[derive(Debug)]
struct OtherGroup(NamedGroup, &'static str);

impl SupportedKxGroup for OtherGroup {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Err(OtherTls(self.1).into())
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        self.0
    }
}

/// The server took what this program does not speak: the words for it, as the end of a
/// sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OtherTls(pub(super) &'static str);

impl fmt::Display for OtherTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for OtherTls {}

impl From<OtherTls> for Error {
    fn from(other: OtherTls) -> Self {
        Self::Other(OtherError(Arc::new(other)))
    }
}

impl OtherTls {
    /// The kind of a signature that was made with a scheme of [`SCHEMES`].
    pub(super) fn signature(scheme: SignatureScheme) -> Option<Self> {
        SCHEMES.contains(&scheme).then_some(match scheme {
            SignatureScheme::ECDSA_NISTP521_SHA512 => Self("TLS with signatures of P-521 alone"),
            SignatureScheme::ED448 => Self("TLS with signatures of Ed448 alone"),
            SignatureScheme::Unknown(0x0809..=0x080b) => Self("TLS with keys for RSASSA-PSS alone"),
            SignatureScheme::Unknown(0x081a..=0x081c) => {
                Self("TLS with signatures of Brainpool's curves alone")
            }
            SignatureScheme::Unknown(_) => Self("TLS with signatures of SHA-224 alone"),
            _ => Self("TLS with signatures of SHA-1 alone"),
        })
    }

    /// The one that an error of the library is about.
    pub(super) fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Other(OtherError(inner)) => inner.downcast_ref().copied(),
            _ => None,
        }
    }
}

/// The longest beginning of what a server sends that holds what it chose, in bytes: the heads of
/// the record and of the message, version, random number, session and suite.
pub(super) const CHOICE_BYTES: usize = 5 + 4 + 2 + 32 + 33 + 2;

/// What a server chose that this program does not speak, by the beginning of what it sent: its
/// `ServerHello` (RFC 8446 section 4.1.3). `None` for anything else.
pub(super) fn choice(sent: &[u8]) -> Option<OtherTls> {
    const HANDSHAKE: u8 = 22;
    const SERVER_HELLO: u8 = 2;
    let ([HANDSHAKE, _, _, _, _, SERVER_HELLO, _, _, _], hello) = sent.split_first_chunk()? else {
        return None;
    };
    let (version, hello) = hello.split_first_chunk()?;
    let (_random, hello) = hello.split_at_checked(32)?;
    let (session, hello) = hello.split_first()?;
    let (_session, hello) = hello.split_at_checked(usize::from(*session))?;
    let (suite, _) = hello.split_first_chunk()?;
    let suite = u16::from_be_bytes(*suite);
    match u16::from_be_bytes(*version) {
        0x0300 => Some(OtherTls("SSL 3.0 at most")),
        0x0301 => Some(OtherTls("TLS 1.0 at most")),
        0x0302 => Some(OtherTls("TLS 1.1 at most")),
        _ => {
            let taken = SUITES.into_iter().find(|known| known.0 == suite)?;
            Some(OtherTls(taken.1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello(version: u16, suite: u16) -> Vec<u8> {
        let mut hello = vec![22, 3, 3, 0, 45, 2, 0, 0, 41];
        hello.extend(version.to_be_bytes());
        hello.extend([7; 32]);
        hello.extend([3, 1, 2, 3]);
        hello.extend(suite.to_be_bytes());
        hello.push(0);
        hello
    }

    #[test]
    fn what_a_server_chose_is_read_where_it_is_foreign() {
        for (version, suite, words) in [
            (0x0301, 0xc013, Some("TLS 1.0 at most")),
            (0x0303, 0x002f, Some("RSA_WITH_AES_128_CBC_SHA")),
            (0x0303, 0xc02f, None),
            (0x0303, 0x1301, None),
        ] {
            let choice = choice(&hello(version, suite));
            assert_eq!(choice.map(|other| other.0), words);
        }
        assert_eq!(choice(b"\x15\x03\x03\x00\x02\x02\x28"), None);
        assert_eq!(choice(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None);
    }

    #[test]
    fn what_this_program_speaks_comes_first_and_nothing_stands_there_twice() {
        let own = rustls::crypto::ring::default_provider();
        let number = |suite: &SupportedCipherSuite| u16::from(suite.suite());
        let spoken: Vec<_> = own.cipher_suites.iter().map(number).collect();
        let all = offered_besides(own);
        let mut all: Vec<_> = all.cipher_suites.iter().map(number).collect();
        assert_eq!(all[..spoken.len()], spoken);
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), count), (count, spoken.len() + SUITES.len()));
    }

    proptest! {
        #[test]
        fn no_answer_is_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..99), cut in 0_usize..60) {
            let _choice = choice(&bytes);
            let whole = hello(0x0303, 0x002f);
            let _choice = choice(&whole[..cut.min(whole.len())]);
            let _choice = choice(&[&whole[..9], &bytes].concat());
        }
    }
}
