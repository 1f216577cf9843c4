//! Mail over SMTP (RFC 5321): with TLS from the first byte or STARTTLS, and without TLS only
//! where that is allowed.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::CertificateDer;

use crate::domain::{
    AddressField, AddressForm, FieldKind, SmtpSecurity, SmtpServer, clean, sentence,
};

use super::address_fields::{field, ranged, value};
use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::{ChannelEntry, ChannelError};
use super::plain_error::{plain_error, tls_error};
use super::server_certificate::ServerTrust;
use super::settings::ChannelSettings;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "email",
    form: AddressForm {
        needs_settings: true,
        ..value(&MAILBOXES, "where mail goes; needs `[notify.email]`")
    },
    shown: |address| address.words("to").join(", ").into(),
    ready: |settings| settings.notify.email.is_some(),
    // Mail servers take far more; nobody reads more.
    limit: 1 << 20,
    make: |settings| Ok(Box::new(Smtp::new(settings)?)),
};

const MAILBOXES: [AddressField; 1] = [ranged(
    field("to", FieldKind::Words, mailbox, "the recipients"),
    "an e-mail address, or several",
    "",
)];

/// Whether a text is an address for mail.
fn mailbox(text: &str) -> Result<(), String> {
    let good = text.rsplit_once('@').is_some_and(|(user, host)| {
        let wrong = |c: char| c.is_whitespace() || c.is_control() || "<>,;".contains(c);
        !user.is_empty() && !host.is_empty() && !text.contains(wrong) && text.len() <= 200
    });
    if good {
        return Ok(());
    }
    Err("expected an address such as \"ops@example.org\"".to_owned())
}

/// How long a mail server is waited for to take the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

struct Smtp {
    server: SmtpServer,
    allow_unencrypted: bool,
    credentials: Option<Credentials>,
    /// Judges no certificate: that is done before anything but a greeting is sent.
    tls: TlsParameters,
    trust: Arc<ServerTrust>,
    from: Mailbox,
    /// The domain of the sender, for message ids.
    domain: Box<str>,
}

impl Smtp {
    fn new(settings: &ChannelSettings) -> Result<Self, ChannelError> {
        let email = settings
            .notify
            .email
            .as_ref()
            .ok_or(ChannelError::NotConfigured("notify.email"))?;
        let tls = TlsParameters::builder(email.smtp.host.to_string())
            .certificate_store(CertificateStore::None)
            .dangerous_accept_invalid_certs(true)
            .dangerous_accept_invalid_hostnames(true)
            .build()
            .map_err(|error| ChannelError::Tls(plain_error(&error)))?;
        let credentials = match (&email.smtp.user, &email.password) {
            (Some(user), Some(password)) => {
                let password = password.expose().map_err(ChannelError::Credential)?;
                Some(Credentials::new(user.to_string(), password.to_owned()))
            }
            _ => None,
        };
        let from: Mailbox = email.from.parse().map_err(|error| {
            let text = clean(&email.from, 100);
            ChannelError::Sender(format!("from = \"{text}\": {error}"))
        })?;
        Ok(Self {
            server: email.smtp.clone(),
            allow_unencrypted: email.allow_unencrypted,
            credentials,
            tls,
            trust: ServerTrust::new(settings)?,
            domain: from.email.domain().into(),
            from,
        })
    }

    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let mut builder = Message::builder().from(self.from.clone());
        for address in message.to.words("to") {
            let to: Mailbox = address.parse().map_err(|error| {
                DeliveryFailure::lasting(&format!("no address for mail: {error}"))
            })?;
            builder = builder.to(to);
        }
        // The same `Message-ID` at each attempt: a mailbox shows a duplicate once.
        let message = builder
            .subject(&*message.subject)
            .message_id(Some(format!("<{}@{}>", message.id, self.domain)))
            .header(ContentType::TEXT_PLAIN)
            .header(AutoSubmitted)
            .body(message.body.to_string())
            .map_err(|error| DeliveryFailure::lasting(&plain_error(&error)))?;
        let mut connection = self.connect().await?;
        let text = message.formatted();
        let taken = connection.send(message.envelope(), &text);
        // The end of the connection is not waited for: the message was taken.
        let response = taken.await.map_err(|error| failure(&error))?;
        let said = response.message().collect::<Vec<_>>().join(" ");
        Ok(Sent(sentence(&format!("{} {said}", response.code()))))
    }

    /// A connection for one message, logged in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, DeliveryFailure> {
        let failed = |error| failure(&error);
        let hello = ClientId::default();
        let at_once = self.server.security == SmtpSecurity::Tls;
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (&*self.server.host, self.server.port),
            Some(CONNECT_TIMEOUT),
            &hello,
            at_once.then(|| self.tls.clone()),
            None,
        )
        .await
        .map_err(failed)?;
        if !at_once && (connection.can_starttls() || !self.allow_unencrypted) {
            let upgrade = connection.starttls(self.tls.clone(), &hello);
            upgrade.await.map_err(failed)?;
        }
        if connection.is_encrypted() {
            let shown = connection.certificate_chain().map_err(failed)?;
            let shown: Vec<_> = shown.into_iter().map(CertificateDer::from).collect();
            let judged = self.trust.judge(&self.server.host, &shown);
            judged.map_err(|error| DeliveryFailure::passing(tls_error(&error)))?;
        }
        if let Some(credentials) = &self.credentials {
            let login = connection.auth(DEFAULT_MECHANISMS, credentials);
            login.await.map_err(failed)?;
        }
        Ok(connection)
    }
}

fn failure(error: &smtp::Error) -> DeliveryFailure {
    let text = plain(error);
    // RFC 5321, section 4.2.1: a command answered by 5yz is not to be repeated. A refused login
    // (5.7.8, RFC 4954) can be mended in the configuration, and then the message is as good as
    // before.
    let login = error
        .status()
        .is_some_and(|code| ["530", "534", "535", "538"].contains(&&*code.to_string()));
    DeliveryFailure {
        lasting: error.is_permanent() && !login,
        ..DeliveryFailure::passing(&text)
    }
}

/// Why a mail was not taken: what the server answered, or what went wrong.
fn plain(error: &smtp::Error) -> String {
    let said = std::error::Error::source(error).map(ToString::to_string);
    match (error.status(), said) {
        (Some(code), Some(said)) => format!("{code}: {said}"),
        (Some(code), None) => format!("{code}, without a text"),
        (None, _) if error.is_timeout() => "no answer in time".to_owned(),
        (None, _) if error.is_response() => "its answer is not SMTP, or ends early".to_owned(),
        (None, _) => plain_error(error),
    }
}

impl Channel for Smtp {
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a> {
        Box::pin(self.send(message))
    }
}

/// `Auto-Submitted` (RFC 3834): no vacation responder answers such a message.
#[derive(Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
