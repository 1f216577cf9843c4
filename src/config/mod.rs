//! `sites.toml`: reading it, naming every mistake, editing it without losing a comment.
//!
//! ```text
//! locate -> load -> (monitor|sites|owners|notify|..)_table through reader -> include -> names -> Config
//!                     every mistake goes to notes, which end as Mistakes
//! edit: one site paused or resumed in the file      watch: has any of the files changed?
//! ```
//!
//! Architecture invariant: nothing outside this room reads or writes the configuration, and
//! no text of a secret ever leaves it but through [`Secret`].

mod edit;
mod files;
mod include;
mod kinds;
mod load;
mod locate;
mod maintenance;
mod mask;
mod mistakes;
mod model;
mod monitor_table;
mod names;
mod notes;
mod notify_table;
mod owners_table;
mod reader;
mod shown;
mod sites_table;
mod watch;

pub use edit::{EditError, Written, set_paused};
pub use files::{ContentHash, SourceFile};
pub use kinds::{parse_broker_url as broker_url, parse_queue_name as queue_name};
pub use load::{from_urls, load, parse};
pub use locate::{NotFound, Surroundings, find, state_dir};
pub use maintenance::{Common, Cron, CronTime, Opens, Window};
pub use mistakes::{Mistake, Mistakes, Place};
pub use model::{
    Config, EmailSettings, HistorySettings, Known, MonitorSettings, NotifySettings, PushSettings,
    QueueSettings, Secret, SmsSettings, SmtpSecurity, SmtpServer, USER_AGENT, WebhookSettings,
};
pub use watch::Watcher;
