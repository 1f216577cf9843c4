//! The command line of `squirrel race`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use crate::paradigm;

use super::shared_args::{Format, SourceArgs, workers};

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
    /// Write what every poll of everybody's last round did to FILE, which Perfetto opens
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
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
    /// Real checks: of the list that is given or found, else of the demo sites
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
