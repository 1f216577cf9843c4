//! The command line of what speaks to the running monitor: `status`, `ack`, `pause` and the like.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args};

use crate::config::state_dir;
use crate::control::{ControlServer, SocketPath};
use crate::domain::parse_duration;
use crate::history::HistoryStorage;
use crate::paradigm;

use super::exit::say;
use super::shared_args::{ArgumentError, HistoryArgs, OutputFormat, workers};

/// The socket of the monitor.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SocketArgs {
    /// The socket by which commands reach the monitor [default: in the user's runtime directory,
    /// named after the history file]
    #[arg(long, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
}

impl SocketArgs {
    /// The place of the socket of the monitor with that history.
    pub(super) fn place(&self, history: &HistoryArgs) -> SocketPath {
        if let Some(path) = &self.socket {
            return SocketPath::at(path.clone());
        }
        let storage = history.of_monitor();
        let file: Option<&Path> = match &storage {
            HistoryStorage::File(path) => Some(path),
            HistoryStorage::Memory => None,
        };
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        SocketPath::of_history(file, state_dir().as_deref(), variable)
    }

    /// Binds the socket of a monitor. Without it the monitor runs all the same, and says so.
    pub(super) fn server(&self, history: &HistoryArgs) -> Option<ControlServer> {
        match ControlServer::bind(&self.place(history)) {
            Ok(server) => Some(server),
            Err(error) => {
                say(error);
                None
            }
        }
    }
}

/// Which monitor is asked.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct MonitorChoice {
    #[command(flatten)]
    pub(super) socket: SocketArgs,
    #[command(flatten)]
    pub(super) history: HistoryArgs,
}

/// The options of `status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) monitor: MonitorChoice,
    /// The form of the output
    #[arg(
        long,
        short,
        value_enum,
        default_value = "table",
        value_name = "FORMAT"
    )]
    pub(super) format: OutputFormat,
}

/// A command about one site.
#[derive(Debug, Args)]
pub(super) struct SiteArgs {
    #[command(flatten)]
    pub(super) monitor: MonitorChoice,
    /// The name of the site
    #[arg(value_name = "SITE")]
    pub(super) site: Box<str>,
}

/// The options of `ack`.
#[derive(Debug, Args)]
pub(super) struct AckArgs {
    #[command(flatten)]
    pub(super) monitor: MonitorChoice,
    /// The name of the site
    #[arg(value_name = "SITE")]
    pub(super) site: Box<str>,
    /// What is known, or done about it
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) note: Box<str>,
}

/// The options of `recheck`.
#[derive(Debug, Args)]
pub(super) struct RecheckArgs {
    #[command(flatten)]
    pub(super) monitor: MonitorChoice,
    /// The name of the site [default: every site]
    #[arg(value_name = "SITE")]
    pub(super) site: Option<Box<str>>,
}

/// The options of `maintenance`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("span").required(true).args(["lasts", "end"])))]
pub(super) struct MaintenanceArgs {
    #[command(flatten)]
    pub(super) monitor: MonitorChoice,
    /// The name of a site, or `tag:T` for all sites with that tag
    #[arg(value_name = "SITE|tag:T")]
    pub(super) target: Box<str>,
    /// Begin maintenance that lasts so long, 30 days at most
    #[arg(long = "for", value_name = "DURATION", value_parser = lasts)]
    pub(super) lasts: Option<Duration>,
    /// End the maintenance that was begun so, or by a key
    #[arg(long)]
    pub(super) end: bool,
}

/// The options of `switch`.
#[derive(Debug, Args)]
pub(super) struct SwitchArgs {
    #[command(flatten)]
    pub(super) monitor: MonitorChoice,
    /// The paradigm that runs the checks from then on
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(paradigm::names()))]
    pub(super) paradigm: String,
    /// The most checks in flight at once
    #[arg(long, short, value_name = "N", value_parser = workers)]
    pub(super) workers: Option<usize>,
}

/// The length of maintenance: a second to 30 days.
fn lasts(text: &str) -> Result<Duration, ArgumentError> {
    const LONGEST: Duration = Duration::from_secs(30 * 86_400);
    let lasts = parse_duration(text).map_err(ArgumentError::Duration)?;
    if lasts < Duration::from_secs(1) {
        return Err(ArgumentError::TooShort("1s"));
    }
    if lasts > LONGEST {
        return Err(ArgumentError::TooLong("30d"));
    }
    Ok(lasts)
}
