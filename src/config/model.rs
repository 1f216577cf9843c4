//! A configuration that was read and found good: settings with their defaults, owners, sites.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{MaskedUrl, NotifySettings, Owner, Site};

use super::files::SourceFile;
use crate::domain::{MaintenanceWindow, SharedWindow};

/// The User-Agent header where none is configured.
pub const USER_AGENT: &str = concat!(
    "UptimeSquirrel/",
    env!("CARGO_PKG_VERSION"),
    " (+",
    env!("CARGO_PKG_REPOSITORY"),
    ")"
);

const DAY: Duration = Duration::from_secs(86_400);

/// What the configuration may name but other rooms define.
#[derive(Clone, Copy, Debug)]
pub struct KnownNames<'a> {
    /// The paradigms that exist.
    pub paradigms: &'a [&'a str],
}

/// Everything that `sites.toml` says, the included lists read and every default filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The file, as its path was given; `None` where the sites came from the command line.
    pub path: Option<PathBuf>,
    /// `[monitor]`.
    pub monitor: MonitorSettings,
    /// `[workers]`: checks in flight at once, by paradigm.
    pub workers: BTreeMap<Box<str>, usize>,
    /// `[owners]`, by name.
    pub owners: Vec<Owner>,
    /// `[notify]`.
    pub notify: NotifySettings<Secret>,
    /// `[history]`.
    pub history: HistorySettings,
    /// `[queue]`.
    pub queue: QueueSettings,
    /// The windows in which a site's outages are expected, by the site's name.
    pub maintenance: BTreeMap<Box<str>, Vec<MaintenanceWindow>>,
    /// `[[maintenance]]`: windows of several sites.
    pub shared_maintenance: Vec<SharedWindow>,
    /// `[[sites]]` in their order, then those of the included lists. Names are unique.
    pub sites: Vec<Site>,
    /// The files that were read, as they were then: what a watcher compares with.
    pub sources: Vec<SourceFile>,
    /// What is in order and yet may not be what was meant: a line each, with its place.
    pub warnings: Vec<Box<str>>,
}

/// `[monitor]`: how to look, and what a site has that does not say otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorSettings {
    /// The paradigm to start with; `None` leaves it to the program.
    pub paradigm: Option<Box<str>>,
    /// Checks in flight at once, for the paradigm in use; `None` leaves it to the paradigm.
    pub workers: Option<usize>,
    /// How often a site is checked; at least one second.
    pub interval: Duration,
    /// The whole check, from connecting to the verdict.
    pub timeout: Duration,
    /// An answer that takes longer is degraded.
    pub slow: Duration,
    /// Failures in a row before a site is called down.
    pub confirm: u32,
    /// How soon after a failure a site is looked at again.
    pub confirm_delay: Duration,
    /// Successes in a row before a site that was down is called up again.
    pub recover: u32,
    /// A certificate that ends sooner is degraded.
    pub cert_warn: Duration,
    /// The User-Agent header.
    pub user_agent: Arc<str>,
    /// Certificates to trust besides the system's roots, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Asked before an outage, or many failures at once, are believed. An empty list: nobody
    /// is, and every failure is believed.
    pub canaries: Vec<MaskedUrl>,
    /// Globs of plain lists, relative to the file's folder.
    pub include: Vec<Box<str>>,
}

/// Hosts of three owners that nearly always answer.
const CANARIES: [&str; 3] = [
    "https://www.google.com/",
    "https://one.one.one.one/",
    "https://www.wikipedia.org/",
];

impl Default for MonitorSettings {
    fn default() -> Self {
        Self {
            paradigm: None,
            workers: None,
            interval: Duration::from_secs(300),
            timeout: Duration::from_secs(10),
            slow: Duration::from_secs(2),
            confirm: 2,
            confirm_delay: Duration::from_secs(10),
            recover: 2,
            cert_warn: 14 * DAY,
            user_agent: Arc::from(USER_AGENT),
            ca_file: None,
            canaries: CANARIES.map(MaskedUrl::new).to_vec(),
            include: Vec::new(),
        }
    }
}

/// Something that must not be shown: where it is kept, or itself. `Debug` never shows it.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// In this environment variable.
    Env(Box<str>),
    /// In this file.
    File(PathBuf),
    /// In the configuration itself.
    Plain(Box<str>),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "Env({name:?})"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Plain(_) => f.write_str("Plain(***)"),
        }
    }
}

impl Secret {
    /// Reads it where it is kept, without the line end that a file has.
    ///
    /// # Errors
    /// A sentence that says where it should have been and shows nothing of it.
    pub fn read(&self) -> Result<Box<str>, String> {
        let (text, place) = match self {
            Self::Env(name) => (std::env::var(&**name).ok(), format!("the variable {name}")),
            Self::File(path) => (
                std::fs::read_to_string(path).ok(),
                format!("the file {}", path.display()),
            ),
            Self::Plain(text) => return Ok(text.clone()),
        };
        match text.as_deref().map(str::trim_end) {
            None => Err(format!("{place} with a secret of [notify] cannot be read")),
            Some("") => Err(format!("{place} with a secret of [notify] is empty")),
            Some(secret) => Ok(secret.into()),
        }
    }
}

/// `[history]`: how long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistorySettings {
    /// Every result.
    pub raw: Duration,
    /// Hourly and daily summaries.
    pub rollup: Duration,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self {
            raw: 7 * DAY,
            rollup: 400 * DAY,
        }
    }
}

/// `[queue]`: the broker between the monitor and Celery workers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueSettings {
    /// Its URL; shows its password as `***` as a site's URL does.
    pub broker: Option<MaskedUrl>,
    /// The URL that command line or environment name: it stands before the file's.
    pub named: Option<MaskedUrl>,
    /// The queue's name, where it is not "celery".
    pub name: Option<Box<str>>,
    /// How long a check may wait for a worker.
    pub expires: Option<Duration>,
    /// How long a worker may be silent about a check before another takes it.
    pub visibility_timeout: Option<Duration>,
    /// How long results are kept.
    pub result_expires: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EmailSettings, SmtpSecurity, SmtpServer};

    #[test]
    fn a_secret_never_shows_in_debug_output() {
        let email = EmailSettings {
            smtp: SmtpServer {
                security: SmtpSecurity::Tls,
                user: None,
                host: "mail".into(),
                port: 465,
            },
            password: Some(Secret::Plain("hunter2".into())),
            from: "a@b".into(),
            allow_unencrypted: false,
        };
        assert!(!format!("{email:?}").contains("hunter2"));
        assert!(format!("{:?}", Secret::Env("NAME".into())).contains("NAME"));
    }

    #[test]
    fn a_secret_is_read_without_its_line_end_or_it_is_said_where_it_should_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let missing = Secret::File(path.clone()).read().unwrap_err();
        assert!(missing.contains("token"), "{missing}");
        std::fs::write(&path, "hunter2\n").unwrap();
        assert_eq!(&*Secret::File(path).read().unwrap(), "hunter2");
        assert!(Secret::Env("SQUIRREL_NO_SUCH".into()).read().is_err());
    }

    #[test]
    fn the_user_agent_names_the_program_and_where_to_complain() {
        assert!(USER_AGENT.starts_with("UptimeSquirrel/"));
        assert!(USER_AGENT.contains("(+https://"));
    }
}
