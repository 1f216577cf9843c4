//! How owners are told: one file a channel, the table `ALL`, what a message says, and the
//! threads that deliver it.
//!
//! ```text
//! app: event -> message, kept (history) -> DeliveryQueue, one thread a channel -> other side
//!                                          what it answered -> app -> engine
//! ```
//!
//! Architecture invariant: nothing here decides who is told or when. A new channel is a new
//! file and one entry of the table.

mod address_fields;
mod alertmanager;
mod body_template;
mod bounded_text;
mod channel;
mod channel_entry;
mod deliveries;
mod delivery_worker;
mod digest;
mod discord;
mod email;
mod event_variables;
mod exec;
mod googlechat;
mod gotify;
mod hook;
mod http;
mod incidents;
mod matrix;
mod mattermost;
mod message;
mod ntfy;
mod outage_facts;
mod pagerduty;
mod plain_error;
mod pushover;
mod rocketchat;
mod sample_messages;
mod server_certificate;
mod service_messages;
mod settings;
mod slack;
mod table;
mod teams;
mod telegram;
mod twilio;
mod webhook;

pub use channel::{Channel, DeliveryFailure, DeliveryFuture, OutgoingMessage, OwnerAddress, Sent};
pub use channel_entry::{ChannelEntry, ChannelError};
pub use deliveries::{Deliveries, DeliveryQueue};
pub use delivery_worker::{DeliveryEvent, DeliveryResult};
pub use digest::{digest, shortened, with_note};
pub use event_variables::VARIABLES;
pub use message::OutageMessage;
pub use sample_messages::{SampleEvent, sample_message};
pub use service_messages::ServiceMessage;
pub use settings::{ChannelSettings, Credential, NotifyPlan};
pub use table::{ALL, KNOWN_CHANNELS, channels_of, deliver};
