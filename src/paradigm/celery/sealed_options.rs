//! Options with secrets on their way over a broker: sealed with a key that the monitor and this
//! program's own workers share, for one URL and one set of trusted certificates.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::domain::{CheckOptions, CheckSpec, MaskedText};
use crate::probe::FactoryConfig;

/// The environment variable with the key of a worker.
pub(super) const KEY_VARIABLE: &str = "SQUIRREL_QUEUE_KEY";

/// The key by which options are sealed (RFC 8439), derived from a text (RFC 5869).
pub(super) struct OptionsKey(LessSafeKey);

impl fmt::Debug for OptionsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OptionsKey(***)")
    }
}

impl OptionsKey {
    /// The key of a text; `None` for an empty one.
    pub(super) fn of(text: &MaskedText) -> Option<Self> {
        let text = text.expose().as_bytes();
        if text.is_empty() {
            return None;
        }
        let salt = Salt::new(HKDF_SHA256, b"uptime-squirrel options");
        let pseudo_random = salt.extract(text);
        let derived = pseudo_random.expand(&[b"chacha20-poly1305"], &CHACHA20_POLY1305);
        Some(Self(LessSafeKey::new(UnboundKey::from(derived.ok()?))))
    }

    /// The key of the environment.
    pub(super) fn of_environment() -> Option<Self> {
        let text = std::env::var(KEY_VARIABLE).ok()?;
        Self::of(&MaskedText::secret(text.trim_end()))
    }

    /// Seals the options of a check; `None` if the system gives no random numbers.
    pub(super) fn seal(&self, spec: &CheckSpec, trust: &FactoryConfig) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = serde_json::to_vec(spec.options()).ok()?;
        let about = Aad::from(about(spec, trust)?);
        let key = &self.0;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), about, &mut sealed)
            .ok()?;
        let whole = [&nonce[..], &sealed].concat();
        Some(BASE64_STANDARD.encode(whole))
    }

    /// Opens the sealed options of this check; `None` if they were sealed by another key or for
    /// another check.
    pub(super) fn open(
        &self,
        sealed: &str,
        spec: &CheckSpec,
        trust: &FactoryConfig,
    ) -> Option<CheckOptions> {
        let whole = BASE64_STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = whole.split_at_checked(NONCE_LEN)?;
        let mut sealed = sealed.to_vec();
        let about = Aad::from(about(spec, trust)?);
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.0.open_in_place(nonce, about, &mut sealed).ok()?;
        serde_json::from_slice(opened).ok()
    }
}

/// What the options are sealed for: nobody can send them to another URL, or to a server that
/// another certificate vouches for.
fn about(spec: &CheckSpec, trust: &FactoryConfig) -> Option<Vec<u8>> {
    let mut about = spec.url.expose().as_bytes().to_vec();
    about.push(b'\n');
    about.extend(serde_json::to_vec(trust).ok()?);
    Some(about)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Authorization, MaskedUrl};
    use crate::probe::ProberFactory;

    fn spec(url: &str) -> CheckSpec {
        CheckSpec {
            options: Some(Arc::new(CheckOptions {
                authorization: Some(Authorization::Bearer(MaskedText::of_variable(
                    "hunter2", "TOKEN",
                ))),
                ..CheckOptions::default()
            })),
            ..CheckSpec::new(MaskedUrl::new(url))
        }
    }

    #[test]
    fn options_are_opened_by_their_key_for_their_check_alone() {
        let key = |text: &str| OptionsKey::of(&MaskedText::secret(text)).unwrap();
        let factory = ProberFactory::http(None).unwrap();
        let trust = factory.config().unwrap();
        let one = spec("https://a.example/");
        let sealed = key("k").seal(&one, trust).unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_ne!(key("k").seal(&one, trust).unwrap(), sealed);
        let opened = key("k").open(&sealed, &one, trust);
        assert_eq!(opened.as_ref(), Some(one.options()));
        assert!(key("other").open(&sealed, &one, trust).is_none());
        let other = spec("https://b.example/");
        assert!(key("k").open(&sealed, &other, trust).is_none());
        let mut spoilt = sealed.into_bytes();
        spoilt[20] ^= 1;
        let spoilt = String::from_utf8(spoilt).unwrap();
        assert!(key("k").open(&spoilt, &one, trust).is_none());
        assert!(key("k").open("short", &one, trust).is_none());
        assert!(OptionsKey::of(&MaskedText::secret("")).is_none());
    }
}
