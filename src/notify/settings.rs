//! How the other sides are reached. Read from the configuration by whoever wires the rooms.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::{MaskedUrl, Owner};

/// A secret that was read, or the sentence that says why it could not be. `Debug` shows
/// neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(pub Result<Box<str>, String>);

impl Credential {
    /// The secret.
    ///
    /// # Errors
    /// Why there is none.
    pub fn expose(&self) -> Result<&str, String> {
        self.0.as_deref().map_err(Clone::clone)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(***)")
    }
}

/// A mail server and who writes through it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// Its name or address.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
    /// TLS from the first byte; otherwise STARTTLS.
    pub tls: bool,
    /// Whether mail may go without TLS where the server has no STARTTLS.
    pub plain_allowed: bool,
    /// Who logs in, and how.
    pub login: Option<(Box<str>, Credential)>,
    /// The sender's address.
    pub from: Box<str>,
}

/// Twilio's Messages API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sms {
    /// The base URL.
    pub url: MaskedUrl,
    /// The account's id.
    pub account: Box<str>,
    /// The account's token.
    pub token: Credential,
    /// The sender's number, name, or messaging service.
    pub from: Box<str>,
}

/// An ntfy server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The base URL.
    pub url: MaskedUrl,
    /// The access token.
    pub token: Option<Credential>,
}

/// Webhooks of owners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhook {
    /// What bodies are signed with.
    pub secret: Option<Credential>,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Without it no mail is sent.
    pub email: Option<Email>,
    /// Without it no SMS is sent.
    pub sms: Option<Sms>,
    /// Push messages.
    pub push: Push,
    /// Webhooks.
    pub webhook: Webhook,
    /// Outages that open, or end, within so long are told in one message; zero: each alone.
    pub digest: Duration,
    /// Certificates to trust besides the system's, in PEM.
    pub ca_file: Option<PathBuf>,
}

/// Who can be reached and how. Another one takes its place when the configuration changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyPlan {
    /// Everybody who may be told.
    pub owners: Vec<Owner>,
    /// How the other sides are reached.
    pub settings: Settings,
}
