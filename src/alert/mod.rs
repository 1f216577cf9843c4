//! Who is told what, and when: everything that decides about telling, in one room.
//!
//! ```text
//! outage opened, ended  -> policy: silence, reminders, escalation --\
//! result of a good site -> episodes: certificate, slowness ----------> outbox -> deliveries
//! the monitor itself    -> blind, unwatched -------------------------/  (a queue each owner
//!                                                                        and channel)
//! ```
//!
//! [`Alerts`] is the whole; `silence` says why owners are not told (maintenance, parents),
//! `policy` when those of an open outage are, `episodes` what is told of a site that is up.
//! What is to be told waits in a `queue`, one for each owner and channel: in the order of
//! events, one delivery at a time, several events of a kind in one digest, and nothing that
//! is no longer so by the newest check when its sending begins. What is told of a site is kept with every change
//! ([`SiteAlerts`]), and so is every message before it is sent, so that a restart at any
//! instant goes on.
//!
//! Architecture invariant: pure. Time comes in with every call; nothing here reads a clock,
//! starts a thread, or writes a text that people read.

mod actions;
mod alerts;
mod awaited;
mod backoff;
mod channel_queue;
mod clock_step;
mod delivery;
mod episodes;
mod merge;
mod outbox;
mod policy;
mod queries;
mod readiness;
mod records;
mod resend;
mod rotation;
mod silence;
mod time_windows;
mod told_owners;
mod validity;

pub use alerts::Alerts;
pub use delivery::{
    BeginningMessage, Collection, Delivery, DeliveryReport, Pending, Settled, Validity,
};
pub use episodes::{CertificateEpisode, Episodes, SlowEpisode};
pub use outbox::{Outbox, Turn};
pub use policy::{AlertStep, Telling};
pub use records::{AlertRules, AlertTurn, Queued, Resumed, SiteAlerts, Unsettled};
pub use rotation::on_call;
pub use silence::MAINTENANCE_BY_KEY;
pub use time_windows::{open_span, quiet_until};
