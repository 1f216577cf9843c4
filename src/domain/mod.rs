//! The words of the product: sites, jobs, results, time, and text that is safe to show.
//!
//! Architecture invariant: nothing here does I/O, knows a terminal, or reads a clock
//! that was not handed in. Imports: the standard library and serde.

mod clock;
mod duration;
mod event;
mod io_error;
mod job;
mod kinship;
mod maintenance_window;
mod notify_settings;
mod queue_options;
mod result;
mod site;
mod standing;
mod text;
mod witness;

pub use clock::{Clock, ManualClock, Moment, Now, SystemClock, Timestamp};
pub use duration::{DurationError, brief, exact_duration, parse_duration};
pub use event::EventKind;
pub use io_error::{FileError, plain_io_error};
pub use job::{Job, JobId, SiteId, Ticket};
pub use kinship::{Common, Kin, SharedTraits, Traits, kin};
pub use maintenance_window::{Cron, CronTime, MaintenanceWindow, SharedWindow, WindowStart};
pub use notify_settings::{
    EmailSettings, NotifySettings, PushSettings, SmsSettings, SmtpSecurity, SmtpServer,
    WebhookSettings,
};
pub use queue_options::QueueOptions;
pub use result::{
    Certificate, CheckResult, Hop, Method, Outcome, Phase, Phases, RanOn, Reason, Verdict,
};
pub use site::{
    CheckSpec, Escalation, MaskedUrl, Owner, Quiet, Site, StatusRange, StatusSet, Tell,
};
pub use standing::{Acknowledgement, Cause, MOST_CAUSES, Standing, Standing as FailureStreak};
pub use text::{MAX_SENTENCE, clean, is_unsafe, sentence};
pub use witness::Witness;
