//! The trait of every channel: deliver one message, once.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::domain::ChannelAddress;
use crate::history::Message;

use super::settings::Credential;

/// The address of an owner on a channel, its secrets read.
pub type OwnerAddress = ChannelAddress<Credential>;

/// A message to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// The identifier: characters of A-Z a-z 0-9 and -. The same message has the same one at each
    /// attempt, so that a server can drop a duplicate.
    pub id: Box<str>,
    /// The owner's address on the channel.
    pub to: OwnerAddress,
    /// The subject: one line without control characters.
    pub subject: Box<str>,
    /// The whole text.
    pub body: Box<str>,
    /// The same for programs: one JSON object.
    pub facts: Box<str>,
}

impl OutgoingMessage {
    /// The message as its channel gets it.
    #[must_use]
    pub fn of(message: &Message, to: OwnerAddress) -> Self {
        Self {
            id: message.id.clone(),
            to,
            subject: message.subject.clone(),
            body: message.body.clone(),
            facts: message.facts.clone(),
        }
    }
}

/// The server accepted the message; its answer, cleaned, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent(pub Box<str>);

/// The server did not accept the message, or it is not known whether it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// The server's answer, or what went wrong: one cleaned sentence.
    pub answer: Box<str>,
    /// Whether the same message would fail again whenever it is sent.
    pub lasting: bool,
    /// The message is too large for it: a shorter one may be taken.
    pub too_large: bool,
    /// The delay that the server asked for (`Retry-After`).
    pub retry_after: Option<Duration>,
}

impl DeliveryFailure {
    /// A failure after which another attempt may succeed.
    #[must_use]
    pub fn passing(answer: &str) -> Self {
        Self {
            answer: crate::domain::sentence(answer),
            lasting: false,
            too_large: false,
            retry_after: None,
        }
    }

    /// A failure after which no attempt of the same message can succeed.
    #[must_use]
    pub fn lasting(answer: &str) -> Self {
        Self {
            lasting: true,
            ..Self::passing(answer)
        }
    }
}

/// A delivery in progress.
pub type DeliveryFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Sent, DeliveryFailure>> + Send + 'a>>;

/// A channel. Several deliveries may be in progress at once; the caller bounds each in time.
pub trait Channel: Send + Sync {
    /// Delivers one message.
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a>;
}
