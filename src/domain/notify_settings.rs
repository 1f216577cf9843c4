//! The settings of `[notify]`: how owners are reached.
//!
//! `S` is how a secret is held: by the place where it is kept, as a configuration has it, or
//! read, as a channel needs it.

use std::time::Duration;

use super::MaskedUrl;

/// The table `[notify]`, with secrets of type `S`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifySettings<S> {
    /// `None`: no mail is sent.
    pub email: Option<EmailSettings<S>>,
    /// `None`: no SMS is sent.
    pub sms: Option<SmsSettings<S>>,
    /// The server of push messages.
    pub push: PushSettings<S>,
    /// Webhooks of owners.
    pub webhook: WebhookSettings<S>,
    /// How long messages about outages wait for others at most, counted from the first, to be sent
    /// as one digest: they go as soon as none came for a tenth of it. Zero sends each alone. 30 s
    /// by default.
    pub digest: Duration,
    /// The time between two reminders of an outage that is not acknowledged; `None`: none.
    pub remind: Option<Duration>,
}

impl<S> Default for NotifySettings<S> {
    fn default() -> Self {
        Self {
            email: None,
            sms: None,
            push: PushSettings::default(),
            webhook: WebhookSettings::default(),
            digest: Duration::from_secs(30),
            remind: None,
        }
    }
}

impl<S> NotifySettings<S> {
    /// The same settings with every secret passed through `read`.
    #[must_use]
    pub fn map_secrets<T>(&self, read: impl Fn(&S) -> T) -> NotifySettings<T> {
        NotifySettings {
            email: self.email.as_ref().map(|email| EmailSettings {
                smtp: email.smtp.clone(),
                password: email.password.as_ref().map(&read),
                from: email.from.clone(),
                allow_unencrypted: email.allow_unencrypted,
            }),
            sms: self.sms.as_ref().map(|sms| SmsSettings {
                url: sms.url.clone(),
                account: sms.account.clone(),
                token: read(&sms.token),
                from: sms.from.clone(),
            }),
            push: PushSettings {
                url: self.push.url.clone(),
                token: self.push.token.as_ref().map(&read),
            },
            webhook: WebhookSettings {
                secret: self.webhook.secret.as_ref().map(&read),
            },
            digest: self.digest,
            remind: self.remind,
        }
    }
}

/// How a connection to a mail server becomes private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// `smtps://`: TLS from the first byte (RFC 8314).
    Tls,
    /// `smtp://`: STARTTLS (RFC 3207), and no mail without it.
    StartTls,
}

/// The mail server, and how it is logged in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpServer {
    /// How the connection becomes private.
    pub security: SmtpSecurity,
    /// The user that logs in; `None`: no login.
    pub user: Option<Box<str>>,
    /// The server's name or address; an IPv6 address without brackets.
    pub host: Box<str>,
    /// The port: 465 for TLS and 587 for STARTTLS where none is given.
    pub port: u16,
}

/// `[notify.email]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailSettings<S> {
    /// The server that takes the mail.
    pub smtp: SmtpServer,
    /// The user's password.
    pub password: Option<S>,
    /// The sender's address.
    pub from: Box<str>,
    /// Whether mail may go in the clear where the server offers no STARTTLS.
    pub allow_unencrypted: bool,
}

/// `[notify.sms]`: Twilio's Messages API, or a gateway that speaks the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsSettings<S> {
    /// The base URL of the service.
    pub url: MaskedUrl,
    /// The account's identifier.
    pub account: Box<str>,
    /// The account's token.
    pub token: S,
    /// The sender's number, name, or messaging service (`MG…`).
    pub from: Box<str>,
}

/// `[notify.push]`: an ntfy server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushSettings<S> {
    /// The base URL; `https://ntfy.sh/` by default.
    pub url: MaskedUrl,
    /// The access token, where the server asks for one.
    pub token: Option<S>,
}

impl<S> Default for PushSettings<S> {
    fn default() -> Self {
        Self {
            url: MaskedUrl::new("https://ntfy.sh/"),
            token: None,
        }
    }
}

/// `[notify.webhook]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings<S> {
    /// The key that bodies are signed with; `None`: they are not signed.
    pub secret: Option<S>,
}

impl<S> Default for WebhookSettings<S> {
    fn default() -> Self {
        Self { secret: None }
    }
}
