//! Owners are told: one file a channel, the table `ALL`, what a message says, and the outbox
//! that sends it.
//!
//! ```text
//! app: message -> letters, kept with the change of state (history)
//! outbox, one thread a channel: pending letters -> channel -> the other side
//!                                what became of each -> history
//! ```
//!
//! Architecture invariant: nothing here decides who is told or when; a letter is sent because
//! it stands in the history. A new channel is a new file and one entry of the table.

mod backoff;
mod blind;
mod carrier;
mod channel;
mod digest;
mod email;
mod entry;
mod http;
mod message;
mod notes;
mod outbox;
mod push;
mod settings;
mod sms;
mod table;
mod webhook;

pub use blind::BlindSpell;
pub use carrier::PostNews;
pub use channel::{Channel, Delivery, Failure, Parcel, Sent};
pub use entry::Entry;
pub use message::{Occasion, Story, letter_id};
pub use notes::{channel_fails, probe_letter};
pub use outbox::Outbox;
pub use settings::{Credential, Email, Plan, Push, Settings, Sms, Webhook};
pub use table::{ALL, deliver, ways};
