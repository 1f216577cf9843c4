//! The grammar of the command line: subcommands and their options.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing::level_filters::LevelFilter;

use crate::notify::SampleEvent;
use crate::paradigm;

use super::control_args::{
    AckArgs, MaintenanceArgs, RecheckArgs, SiteArgs, SocketArgs, StatusArgs, SwitchArgs,
};
use super::history_args::{HistoryCommand, ReplayArgs, ReportArgs};
use super::import_args::ImportArgs;
use super::man_args::ManArgs;
use super::race_args::RaceArgs;
pub(super) use super::shared_args::{
    ArgumentError, HistoryArgs, MetricsArgs, OutputFormat, ScreenArgs, SourceArgs, workers,
};
use super::worker_defaults::WORKER_DEFAULTS;

const EXAMPLES: &str = "\
Examples:
  squirrel                                 watch the sites of ./sites.toml
  squirrel --paradigm threads --workers 32 the same, by 32 threads
  squirrel demo                            everything can be tried, with no network
  squirrel check https://example.org       one sweep, no screen
  squirrel check --format json | jq .      one line of JSON a site
  squirrel race                            every paradigm over the same list, measured
  squirrel race --workload crunch --gil on why threads do not help there
  squirrel report --since 30d              uptime, outages and latency, from the history
  squirrel replay --confirm 3              the past under another rule
  squirrel config check                    is sites.toml in order?
  squirrel import gatus config.yaml        a sites.toml from another monitor's configuration

Keys on the screen: press ? there. Sites are read from --config, else ./sites.toml, else
$SQUIRREL_CONFIG, else uptime-squirrel/sites.toml in the user's configuration directory.";

/// A terminal monitor of websites that makes concurrency visible.
#[derive(Debug, Parser)]
#[command(name = "squirrel", version, about, after_help = EXAMPLES, max_term_width = 100)]
#[command(disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
#[command(override_usage = "squirrel [OPTIONS] [COMMAND]")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) monitor: MonitorArgs,
    /// The least level of the lines in the log file (squirrel.log in the state directory)
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "info",
        value_name = "LEVEL"
    )]
    pub(super) log_level: LogLevel,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub(super) const fn filter(self) -> LevelFilter {
        match self {
            Self::Off => LevelFilter::OFF,
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check every site once, without a screen
    Check(CheckArgs),
    /// Run every paradigm over the same list, one after another, and compare speed and cost
    Race(RaceArgs),
    /// Run the monitor on demo sites that it serves itself: no network needed
    Demo(DemoArgs),
    /// Run the monitor without a screen: one line of JSON for every change
    Watch(WatchArgs),
    /// Print how things stand with the running monitor
    Status(StatusArgs),
    /// Tell the running monitor that the outage of a site is known: ends reminders and escalation
    Ack(AckArgs),
    /// Take that back
    Unack(SiteArgs),
    /// Check a site no more, in the running monitor and in sites.toml
    Pause(SiteArgs),
    /// Check a paused site again
    Resume(SiteArgs),
    /// Check a site now, or every site
    Recheck(RecheckArgs),
    /// Begin maintenance of a site or a tag, in which nobody is told of it, or end it
    Maintenance(MaintenanceArgs),
    /// Let another paradigm run the checks of the running monitor
    Switch(SwitchArgs),
    /// Print uptime, outages and latency over a span, from the history
    Report(ReportArgs),
    /// Replay the stored checks under other rules: outages and messages that would have been
    Replay(ReplayArgs),
    /// Export, import or compact the history file
    #[command(subcommand)]
    History(HistoryCommand),
    /// Test the messages to owners
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// Check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write a sites.toml from the configuration of another monitor
    Import(ImportArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write all of them into a folder
    Man(ManArgs),
    /// Serve sites on loopback until standard input ends
    #[command(hide = true)]
    DemoSites(DemoSitesArgs),
    /// Run checks that come over a Celery queue, on this machine or any other
    Worker(WorkerArgs),
    /// Run an installed Redis or Valkey server on a private socket, for workers here
    Broker(BrokerArgs),
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Read the configuration and print every mistake in it
    Check {
        #[command(flatten)]
        source: SourceArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum NotifyCommand {
    /// Send one message on each channel of an owner, and print what the other side answered
    Test(NotifyTestArgs),
}

/// The owner of a test.
#[derive(Debug, Args)]
pub(super) struct NotifyTestArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// A name under [owners]
    #[arg(value_name = "OWNER")]
    pub(super) owner: String,
    /// Send what such an event would send: down, recovered, digest_down …
    #[arg(long, value_name = "EVENT", default_value_t = SampleEvent::TEST, value_parser = SampleEvent::of_word)]
    pub(super) event: SampleEvent,
}

/// The paradigm and its workers.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct EngineArgs {
    /// The paradigm that runs the checks
    #[arg(long, short, value_name = "NAME", value_parser = PossibleValuesParser::new(paradigm::names()))]
    pub(super) paradigm: Option<String>,
    /// The most checks in flight at once
    #[arg(long, short, value_name = "N", value_parser = workers)]
    pub(super) workers: Option<usize>,
    /// The broker of the paradigm celery, such as redis://host:6379/0
    #[arg(
        long,
        value_name = "URL",
        env = "SQUIRREL_BROKER",
        hide_env_values = true
    )]
    pub(super) broker: Option<String>,
}

/// The live monitor.
#[derive(Debug, Args)]
pub(super) struct MonitorArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    pub(super) screen: ScreenArgs,
    #[command(flatten)]
    pub(super) history: HistoryArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
    #[command(flatten)]
    pub(super) control: SocketArgs,
}

/// The monitor without a screen.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    pub(super) history: HistoryArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
    #[command(flatten)]
    pub(super) control: SocketArgs,
    /// Print every check as well, in the form of `check --format json`
    #[arg(long)]
    pub(super) results: bool,
}

/// The monitor on the demo sites.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    pub(super) screen: ScreenArgs,
    #[command(flatten)]
    pub(super) history: HistoryArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
    /// Tell the owners of this configuration of the demo's outages
    #[arg(long, value_name = "FILE")]
    pub(super) notify: Option<PathBuf>,
    #[command(flatten)]
    pub(super) picture: PictureArgs,
}

/// A picture instead of a screen.
#[derive(Debug, Args)]
pub(super) struct PictureArgs {
    /// Draw the screen into this SVG file instead of showing it
    #[arg(long, value_name = "FILE", hide = true)]
    pub(super) svg: Option<PathBuf>,
    /// How long the monitor runs before it is drawn
    #[arg(long, default_value = "60s", value_name = "DURATION", hide = true, value_parser = crate::domain::parse_duration)]
    pub(super) after: std::time::Duration,
    /// How long it goes on after the keys
    #[arg(long, default_value = "0ms", value_name = "DURATION", hide = true, value_parser = crate::domain::parse_duration)]
    pub(super) then: std::time::Duration,
    /// Columns and rows of the picture
    #[arg(long, default_value = "120x36", value_name = "WxH", hide = true, value_parser = size)]
    pub(super) size: (u16, u16),
    /// Keys to press, as the help names them
    #[arg(long, value_name = "KEY", hide = true)]
    pub(super) key: Vec<String>,
}

/// The arguments of `squirrel check`: one sweep.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    /// The form of the output
    #[arg(
        long,
        short,
        value_enum,
        default_value = "table",
        value_name = "FORMAT"
    )]
    pub(super) format: OutputFormat,
    /// Write what every check did, thread by thread, into this file (Perfetto opens it)
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// Check these instead of the configured sites
    #[arg(value_name = "URL")]
    pub(super) urls: Vec<String>,
}

/// A worker of a Celery queue.
#[derive(Debug, Args)]
pub(super) struct WorkerArgs {
    /// The broker, such as redis://host:6379/0
    #[arg(
        long,
        short,
        value_name = "URL",
        env = "SQUIRREL_BROKER",
        hide_env_values = true
    )]
    pub(super) broker: Option<String>,
    /// The most checks that are run at once
    #[arg(long, short, value_name = "N", default_value = "100", value_parser = workers)]
    pub(super) concurrency: usize,
    /// The queue's name
    #[arg(long, short = 'Q', value_name = "NAME", default_value = &*WORKER_DEFAULTS.queue, value_parser = crate::config::parse_queue_name)]
    pub(super) queue: Box<str>,
    /// The node's name, name@host or the host alone; %h is this host [default: squirrel-PID@%h]
    #[arg(long, short = 'n', value_name = "NAME")]
    pub(super) hostname: Option<String>,
    /// The form of the line of each check
    #[arg(long, short, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(super) format: WorkerFormat,
    /// How long a check may be held by a silent worker before another takes it
    #[arg(long, value_name = "DURATION", default_value = &*WORKER_DEFAULTS.visibility_timeout, value_parser = period)]
    pub(super) visibility_timeout: std::time::Duration,
    /// How long results are kept
    #[arg(long, value_name = "DURATION", default_value = &*WORKER_DEFAULTS.result_expires, value_parser = period)]
    pub(super) result_expires: std::time::Duration,
    /// The time between two heartbeats
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = period)]
    pub(super) heartbeat_interval: std::time::Duration,
    /// Run the workloads of lab and race as well: sleep and crunch, which check no site
    #[arg(long)]
    pub(super) workloads: bool,
    /// End with this process, which started it
    #[arg(long, value_name = "PID", hide = true)]
    pub(super) parent: Option<u32>,
    /// Run the checks of the process that started this one, over pipes
    #[arg(long, hide = true)]
    pub(super) child: bool,
    /// Run one check for each line of standard input
    #[arg(long, hide = true, conflicts_with = "child")]
    pub(super) lines: bool,
}

/// The form of a worker's line about a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WorkerFormat {
    /// One object a check, on a line of its own
    Json,
    /// For people
    Text,
}

/// A private broker.
#[derive(Debug, Args)]
pub(super) struct BrokerArgs {
    /// The folder of its data [default: uptime-squirrel/broker in the state directory]
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
    /// End with this process, which started it
    #[arg(long, value_name = "PID", hide = true)]
    pub(super) parent: Option<u32>,
}

/// Sites on loopback.
#[derive(Debug, Args)]
pub(super) struct DemoSitesArgs {
    /// Serve sites that all answer alike on this many ports, instead of the demo sites
    #[arg(long, value_name = "N")]
    pub(super) uniform: Option<usize>,
    /// How long each of these sites takes to answer
    #[arg(long, default_value = "0ms", value_name = "DURATION", value_parser = crate::domain::parse_duration)]
    pub(super) delay: std::time::Duration,
    /// These sites never answer
    #[arg(long)]
    pub(super) hang: bool,
    /// The directory of the demo, whose files are removed at the end
    #[arg(long, value_name = "PATH")]
    pub(super) directory: Option<PathBuf>,
}

/// A duration of at least 100 ms.
fn period(text: &str) -> Result<std::time::Duration, ArgumentError> {
    let period = crate::domain::parse_duration(text).map_err(ArgumentError::Duration)?;
    if period < std::time::Duration::from_millis(100) {
        return Err(ArgumentError::TooShort("100ms"));
    }
    Ok(period)
}

fn size(text: &str) -> Result<(u16, u16), ArgumentError> {
    let parsed = text
        .split_once('x')
        .and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    parsed.ok_or(ArgumentError::NoSize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }
}
