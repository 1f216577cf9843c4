//! The command line of `squirrel race`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use crate::paradigm;

use super::shared_args::{OutputFormat, SourceArgs, workers};

/// The options of `race`.
#[derive(Debug, Args)]
pub(super) struct RaceArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// The paradigms that take part, separated by commas [default: all]
    #[arg(long, short, value_name = "NAMES", value_delimiter = ',', value_parser = PossibleValuesParser::new(paradigm::names()))]
    pub(super) paradigm: Vec<String>,
    /// The most checks in flight at once, for every paradigm
    #[arg(long, short, value_name = "N", value_parser = workers)]
    pub(super) workers: Option<usize>,
    /// The number of rounds; figures are their medians
    #[arg(long, short, default_value = "3", value_name = "N", value_parser = workers)]
    pub(super) rounds: usize,
    /// The number of jobs [default: one for each site, or 4 where no site is checked]
    #[arg(long, short, value_name = "N", value_parser = workers)]
    pub(super) jobs: Option<usize>,
    /// The work of every job
    #[arg(long, value_enum, default_value = "http", value_name = "WORK")]
    pub(super) workload: RaceWork,
    /// How long a sleep or a crunch takes by itself
    #[arg(long, default_value = "1s", value_name = "DURATION", value_parser = crate::domain::parse_duration)]
    pub(super) length: std::time::Duration,
    /// Whether threads have to hold an interpreter lock while they run, as CPython's do
    #[arg(long, value_enum, default_value = "off", value_name = "STATE")]
    pub(super) gil: Gil,
    /// Write every poll of each paradigm's last round to FILE, which Perfetto opens
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// The form of the output
    #[arg(
        long,
        short,
        value_enum,
        default_value = "table",
        value_name = "FORMAT"
    )]
    pub(super) format: OutputFormat,
    /// Print the glossary of concurrency, and do nothing else
    #[arg(long)]
    pub(super) explain: bool,
    /// Check these instead of the configured sites
    #[arg(value_name = "URL")]
    pub(super) urls: Vec<String>,
}

/// The workload of a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RaceWork {
    /// Checks: of the list that is given or found, else of the demo sites
    Http,
    /// Jobs that only wait
    Sleep,
    /// Jobs that only compute
    Crunch,
}

/// The emulated interpreter lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Gil {
    /// One lock for each process
    On,
    /// No lock
    Off,
}
