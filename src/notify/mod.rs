//! Owners are told: one file per channel, the table `ALL`, the text of messages, and the outbox
//! that delivers them.
//!
//! ```text
//! app: message, digest -> messages, stored with the change of state (history)
//! outbox, one thread per channel: pending messages -> channel -> its server
//!                                 outcome of each  -> history
//! ```
//!
//! Architecture invariant: nothing here decides who is told or when; a message is sent because
//! it stands in the outbox. A new channel is a new file and one row of the table.

mod backoff;
mod blindness_message;
mod channel;
mod channel_entry;
mod delivery_worker;
mod digest;
mod email;
mod http;
mod message;
mod ntfy;
mod outage_facts;
mod outbox;
mod service_messages;
mod settings;
mod table;
mod twilio;
mod webhook;

pub use blindness_message::BlindPeriod;
pub use channel::{Channel, DeliveryFuture, Failure, OutgoingMessage, Sent};
pub use channel_entry::{ChannelEntry, ChannelError};
pub use delivery_worker::DeliveryEvent;
pub use message::{OutageEvent, OutageMessage, message_id};
pub use outbox::OutboxSender;
pub use service_messages::{channel_fails, test_message};
pub use settings::{ChannelSettings, Credential, NotifyPlan};
pub use table::{ALL, channels_of, deliver};
