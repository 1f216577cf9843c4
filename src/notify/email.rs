//! Mail over SMTP (RFC 5321): with TLS from the first byte or STARTTLS, and without TLS only
//! where that is allowed.

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{self, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::domain::{SmtpSecurity, clean, sentence};

use super::channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, Sent};
use super::channel_entry::{ChannelEntry, ChannelError};
use super::http::certificates;
use super::plain_error::plain_error;
use super::settings::ChannelSettings;

pub(super) const ENTRY: ChannelEntry = ChannelEntry {
    name: "email",
    address: |owner| owner.email.clone(),
    shown: |owner| owner.email.clone(),
    ready: |settings| settings.notify.email.is_some(),
    // Mail servers take far more; nobody reads more.
    limit: 1 << 20,
    make: |settings| Ok(Box::new(Smtp::new(settings)?)),
};

struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
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
        let tls_error = |error| ChannelError::Tls(plain_error(&error));
        let mut tls = TlsParameters::builder(email.smtp.host.to_string());
        if let Some(file) = &settings.ca_file {
            for certificate in certificates(file)? {
                let certificate = Certificate::from_der(certificate.to_vec());
                tls = tls.add_root_certificate(certificate.map_err(tls_error)?);
            }
        }
        let tls = tls.build().map_err(tls_error)?;
        let tls = match (email.smtp.security, email.allow_unencrypted) {
            (SmtpSecurity::Tls, _) => Tls::Wrapper(tls),
            (SmtpSecurity::StartTls, false) => Tls::Required(tls),
            (SmtpSecurity::StartTls, true) => Tls::Opportunistic(tls),
        };
        let mut transport =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(email.smtp.host.to_string())
                .port(email.smtp.port)
                // A connection a message. The end of it is not waited for: the message was taken.
                .pool_config(PoolConfig::new().max_size(0))
                .tls(tls);
        if let (Some(user), Some(password)) = (&email.smtp.user, &email.password) {
            let password = password
                .expose()
                .map_err(ChannelError::Credential)?
                .to_owned();
            transport = transport.credentials(Credentials::new(user.to_string(), password));
        }
        let from: Mailbox = email.from.parse().map_err(|error| {
            let text = clean(&email.from, 100);
            ChannelError::Sender(format!("from = \"{text}\": {error}"))
        })?;
        Ok(Self {
            transport: transport.build(),
            domain: from.email.domain().into(),
            from,
        })
    }

    async fn send(&self, message: &OutgoingMessage) -> Result<Sent, DeliveryFailure> {
        let to: Mailbox = message
            .to
            .parse()
            .map_err(|error| DeliveryFailure::lasting(&format!("no address for mail: {error}")))?;
        // The same `Message-ID` at each attempt: a mailbox shows a duplicate once.
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&*message.subject)
            .message_id(Some(format!("<{}@{}>", message.id, self.domain)))
            .header(ContentType::TEXT_PLAIN)
            .header(AutoSubmitted)
            .body(message.body.to_string())
            .map_err(|error| DeliveryFailure::lasting(&plain_error(&error)))?;
        match self.transport.send(message).await {
            Ok(response) => {
                let said = response.message().collect::<Vec<_>>().join(" ");
                Ok(Sent(sentence(&format!("{} {said}", response.code()))))
            }
            Err(error) => {
                let text = plain(&error);
                // RFC 5321, section 4.2.1: a command answered by 5yz is not to be repeated. A
                // refused login (5.7.8, RFC 4954) can be mended in the configuration, and then
                // the message is as good as before.
                let login = error
                    .status()
                    .is_some_and(|code| ["530", "534", "535", "538"].contains(&&*code.to_string()));
                Err(DeliveryFailure {
                    lasting: error.is_permanent() && !login,
                    ..DeliveryFailure::passing(&text)
                })
            }
        }
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
