//! The words of the product: sites, jobs, results, time, and text that is safe to show.
//!
//! Architecture invariant: nothing here does I/O, knows a terminal, or reads a clock
//! that was not handed in. Imports: the standard library, serde, url, and the
//! digest of ring.

mod alert_event;
mod assertions;
mod broker_url;
mod broker_url_error;
mod certificate_file;
mod channel_address;
mod check_kind;
mod check_observer;
mod check_options;
mod check_spec;
mod clock;
mod connect_attempt;
mod connection_options;
mod correlation;
mod duration;
mod event;
mod failure_streak;
mod io_error;
mod job;
mod json_path;
mod maintenance_window;
mod masked_text;
mod masked_url;
mod message_id;
mod notify_settings;
mod queue_options;
mod result;
mod retention;
mod silence;
mod site;
mod site_edit;
mod site_time;
mod text;
mod text_pattern;
mod time_format;

pub use alert_event::{AlertEvent, OutageEvent, ServiceEvent};
pub use assertions::{Assertions, HeaderAssertion, JsonAssertion, JsonNumber, JsonScalar};
pub use broker_url::{BrokerAddress, BrokerServer, BrokerTls, BrokerUrl};
pub use broker_url_error::BrokerUrlError;
pub use certificate_file::CertificateFile;
pub use channel_address::{
    AddressFault, AddressField, AddressForm, AddressValue, AddressWriting, ChannelAddress,
    FieldKind, FieldTexts, KnownChannel, OwnerAddresses,
};
pub use check_kind::{CheckKind, Expected, StartTls};
pub use check_observer::CheckObserver;
pub use check_options::{Authorization, CheckOptions, RequestHeader, is_field_name, is_own};
pub use check_spec::{CheckSpec, MethodChoice, StatusRange, StatusSet, USER_AGENT, UnknownMethod};
pub use clock::{Clock, ManualClock, Moment, Now, SystemClock, Timestamp};
pub use connect_attempt::{ConnectCause, FailedConnect, failed_connects_in_words};
pub use connection_options::{
    AddressFamily, ClientCertificate, ConnectTo, ConnectionOptions, Proxy, ProxyCredentials,
    ProxyProtocol,
};
pub use correlation::{CommonTrait, CorrelatedGroup, OutageTraits, SharedTraits, correlate};
pub use duration::{DurationError, brief, exact_duration, parse_duration};
pub use event::EventKind;
pub use failure_streak::{Acknowledgement, Cause, FailureStreak, MOST_CAUSES};
pub use io_error::{FileError, error_line, plain_io_error};
pub use job::{Job, JobId, SiteId, Ticket};
pub use json_path::{JsonPath, JsonStep};
pub use maintenance_window::{
    Cron, MaintenanceWindow, MaintenanceWindows, SharedWindow, WindowStart,
};
pub use masked_text::MaskedText;
pub use masked_url::MaskedUrl;
pub use message_id::message_id;
pub use notify_settings::{
    EmailSettings, NotifySettings, PushSettings, SmsSettings, SmtpSecurity, SmtpServer,
    WebhookSettings,
};
pub use queue_options::QueueOptions;
pub use result::{
    Certificate, CheckResult, Method, Outcome, Phase, Phases, RanOn, Reason, RequestRecord, Verdict,
};
pub use retention::Retention;
pub use silence::{Silence, Untold};
pub use site::{Escalation, Owner, Quiet, Rotation, Site, Tell, WeekHours};
pub use site_edit::{FieldMistake, SiteEdit, SiteField, SiteValues};
pub use site_time::{SeenTime, SiteTime};
pub use text::{MAX_SENTENCE, clean, count, is_unsafe, is_utf8_locale, noun_of, plural, sentence};
pub use text_pattern::{PatternSearch, TextPattern};
pub use time_format::TimeFormat;
