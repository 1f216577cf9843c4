//! The command line's grammar.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing::level_filters::LevelFilter;

use crate::history::Place;
use crate::paradigm;

const EXAMPLES: &str = "\
Examples:
  squirrel                                 watch the sites of ./sites.toml
  squirrel --paradigm threads --workers 32 the same, by 32 threads
  squirrel demo                            everything can be tried, with no network
  squirrel check https://example.org       one look, no screen
  squirrel check --format json | jq .      one line of JSON a site
  squirrel race                            every paradigm over the same list, measured
  squirrel race --workload crunch --gil on why threads do not help there
  squirrel config check                    is sites.toml in order?

Keys on the screen: press ? there. Sites are read from --config, else ./sites.toml, else
$SQUIRREL_CONFIG, else uptime-squirrel/sites.toml in the user's configuration directory.";

/// A terminal monitor of websites that makes concurrency visible.
#[derive(Debug, Parser)]
#[command(name = "squirrel", version, about, after_help = EXAMPLES, max_term_width = 100)]
#[command(disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) monitor: MonitorArgs,
    /// How much goes into the log file (squirrel.log in the state directory)
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
    /// Look at every site once, without a screen
    Check(CheckArgs),
    /// Every paradigm over the same list, one after another: who is fastest, and at what price
    Race(RaceArgs),
    /// The monitor on a fleet of sites that it serves itself: no network needed
    Demo(DemoArgs),
    /// The monitor without a screen: one line of JSON for every change
    Watch(WatchArgs),
    /// About messages to owners
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// About the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Serve sites on loopback until standard input ends
    #[command(hide = true)]
    Fleet(FleetArgs),
    /// Carry out the checks of the process that started this one
    #[command(hide = true)]
    Worker,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Read the configuration, name every mistake in it, and do nothing else
    Check {
        #[command(flatten)]
        source: SourceArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum NotifyCommand {
    /// Send one message on each channel of an owner, and say what the other side answered
    Test(NotifyTestArgs),
}

/// Who is sent a test.
#[derive(Debug, Args)]
pub(super) struct NotifyTestArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// A name under [owners]
    #[arg(value_name = "OWNER")]
    pub(super) owner: String,
}

/// Which configuration.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SourceArgs {
    /// The list of sites
    #[arg(long, short, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// How the checks are run.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct EngineArgs {
    /// How the checks are run
    #[arg(long, short, value_name = "NAME", value_parser = PossibleValuesParser::new(paradigm::names()))]
    pub(super) paradigm: Option<String>,
    /// How many checks may be in flight at once
    #[arg(long, short, value_name = "N", value_parser = workers)]
    pub(super) workers: Option<usize>,
}

/// Where the history is kept.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct HistoryArgs {
    /// Keep the history in this file; "none" keeps it until the end only
    /// [default: history.db in the user's state directory]
    #[arg(long, value_name = "FILE|none")]
    pub(super) history: Option<PathBuf>,
}

impl HistoryArgs {
    /// The place; `default` where the command line names none.
    pub(super) fn place(&self, default: impl FnOnce() -> Place) -> Place {
        match &self.history {
            Some(word) if word.as_os_str() == "none" => Place::Memory,
            Some(path) => Place::File(path.clone()),
            None => default(),
        }
    }

    /// The place of a monitor.
    pub(super) fn of_monitor(&self) -> Place {
        self.place(|| {
            let folder = crate::config::state_dir();
            folder.map_or(Place::Memory, |folder| {
                Place::File(folder.join("history.db"))
            })
        })
    }
}

/// How the screen looks.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct ScreenArgs {
    /// Draw with ASCII characters only
    #[arg(long)]
    pub(super) ascii: bool,
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
    /// Every check as well, in the form of `check --format json`
    #[arg(long)]
    pub(super) results: bool,
}

/// The monitor on the fleet of the demonstration.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    pub(super) screen: ScreenArgs,
    #[command(flatten)]
    pub(super) history: HistoryArgs,
    /// Tell the owners of this configuration of the demonstration's outages
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

/// One sweep.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    /// What is printed
    #[arg(
        long,
        short,
        value_enum,
        default_value = "table",
        value_name = "FORMAT"
    )]
    pub(super) format: Format,
    /// Write what every check did, thread by thread, into this file (Perfetto opens it)
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// Look at these instead of the configured sites
    #[arg(value_name = "URL")]
    pub(super) urls: Vec<String>,
}

/// Every paradigm over the same list.
#[derive(Debug, Args)]
pub(super) struct RaceArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// Who takes part, parted by commas; all, if nobody is named
    #[arg(long, short, value_name = "NAMES", value_delimiter = ',', value_parser = PossibleValuesParser::new(paradigm::names()))]
    pub(super) paradigm: Vec<String>,
    /// How many checks may be in flight at once, for everybody
    #[arg(long, short, value_name = "N", value_parser = workers)]
    pub(super) workers: Option<usize>,
    /// How often everybody runs; figures are medians
    #[arg(long, short, default_value = "3", value_name = "N", value_parser = workers)]
    pub(super) rounds: usize,
    /// How many jobs: 4 toys, or as many as there are sites
    #[arg(long, short, value_name = "N", value_parser = workers)]
    pub(super) jobs: Option<usize>,
    /// What every job does
    #[arg(long, value_enum, default_value = "http", value_name = "WORK")]
    pub(super) workload: RaceWork,
    /// How long a toy takes by itself
    #[arg(long, default_value = "1s", value_name = "DURATION", value_parser = crate::domain::parse_duration)]
    pub(super) length: std::time::Duration,
    /// Whether threads have to hold an interpreter lock while they run, as CPython's do
    #[arg(long, value_enum, default_value = "off", value_name = "STATE")]
    pub(super) gil: Gil,
    /// What is printed
    #[arg(
        long,
        short,
        value_enum,
        default_value = "table",
        value_name = "FORMAT"
    )]
    pub(super) format: Format,
    /// Print what the words of the field mean, and do nothing else
    #[arg(long)]
    pub(super) explain: bool,
    /// Look at these instead of the configured sites
    #[arg(value_name = "URL")]
    pub(super) urls: Vec<String>,
}

/// What is raced over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RaceWork {
    /// Real checks: of the list that is given or found, else of the demonstration's fleet
    Http,
    /// Toys that wait
    Sleep,
    /// Toys that compute
    Crunch,
}

/// The interpreter lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Gil {
    /// One for each process
    On,
    /// None
    Off,
}

/// What a sweep prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One object a site, on a line of its own, as each check completes
    Json,
    /// For people
    Table,
}

/// Sites on loopback.
#[derive(Debug, Args)]
pub(super) struct FleetArgs {
    /// Serve alike sites on this many ports, instead of the demonstration's
    #[arg(long, value_name = "N")]
    pub(super) uniform: Option<usize>,
    /// How long a uniform site takes to answer
    #[arg(long, default_value = "0ms", value_name = "DURATION", value_parser = crate::domain::parse_duration)]
    pub(super) delay: std::time::Duration,
    /// Uniform sites never answer
    #[arg(long)]
    pub(super) hang: bool,
    /// The demonstration's directory, whose files are removed in the end
    #[arg(long, value_name = "PATH")]
    pub(super) directory: Option<PathBuf>,
}

fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a number of at least 1".to_owned()),
        Ok(number) => Ok(number),
    }
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let parsed = text
        .split_once('x')
        .and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    parsed.ok_or_else(|| "expected columns and rows such as 120x36".to_owned())
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
