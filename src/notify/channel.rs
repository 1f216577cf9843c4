//! What every channel can do: deliver one message, once.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A message on its way to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// Messages, digits and dashes: the same for the same message, so that the other side can
    /// drop a twin.
    pub id: Box<str>,
    /// Where to: an address, a number, a topic, a URL.
    pub to: Box<str>,
    /// One line, without control characters.
    pub subject: Box<str>,
    /// The whole text.
    pub body: Box<str>,
    /// One JSON object.
    pub facts: Box<str>,
}

/// The other side took it; what it said, cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent(pub Box<str>);

/// The other side did not take it, or nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it said, or what went wrong: one cleaned sentence.
    pub answer: Box<str>,
    /// Whether the same message would fail again, whenever it is sent.
    pub lasting: bool,
    /// The other side asked to be left alone for so long.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// One that may pass.
    #[must_use]
    pub fn passing(answer: &str) -> Self {
        Self {
            answer: crate::domain::sentence(answer),
            lasting: false,
            retry_after: None,
        }
    }

    /// One that will not.
    #[must_use]
    pub fn lasting(answer: &str) -> Self {
        Self {
            lasting: true,
            ..Self::passing(answer)
        }
    }
}

/// A delivery under way.
pub type DeliveryFuture<'a> = Pin<Box<dyn Future<Output = Result<Sent, Failure>> + Send + 'a>>;

/// A way to reach people. Several deliveries may be under way at once; each is bounded in
/// time by whoever asks for it.
pub trait Channel: Send + Sync {
    /// Delivers one message.
    fn deliver<'a>(&'a self, message: &'a OutgoingMessage) -> DeliveryFuture<'a>;
}
