//! The command line of what reads the history: `report`, `history`, `replay`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::domain::parse_duration;

use super::shared_args::{ArgumentError, SourceArgs, workers};

/// The history file and the configuration.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct HistoryFileArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// The history file [default: history.db in the user's state directory]
    #[arg(long, value_name = "FILE")]
    pub(super) history: Option<PathBuf>,
}

/// The options of `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    pub(super) history: HistoryFileArgs,
    /// The span that ends now
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = span)]
    pub(super) since: Duration,
    /// Whether a row is a site, a tag or an owner
    #[arg(long, value_enum, value_name = "WHAT", default_value = "site")]
    pub(super) by: By,
    #[command(flatten)]
    pub(super) only: OnlyArgs,
    /// The form of the output
    #[arg(
        long,
        short,
        value_enum,
        value_name = "FORMAT",
        default_value = "table"
    )]
    pub(super) format: ReportFormat,
}

/// The sites that a report is about; all of them without any option.
#[derive(Debug, Default, Args)]
pub(super) struct OnlyArgs {
    /// Only the site of this name; may be given several times
    #[arg(long, value_name = "SITE")]
    pub(super) site: Vec<Box<str>>,
    /// Only sites with this tag; may be given several times
    #[arg(long, value_name = "TAG")]
    pub(super) tag: Vec<Box<str>>,
    /// Only sites of this owner; may be given several times
    #[arg(long, value_name = "OWNER")]
    pub(super) owner: Vec<Box<str>>,
}

/// What a row of a report sums up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    /// One site
    Site,
    /// All sites with a tag
    Tag,
    /// All sites of an owner
    Owner,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people
    Table,
    /// One object a row, on a line of its own
    Json,
    /// For spreadsheets
    Csv,
    /// One page with charts, for a browser
    Html,
}

/// A span that ends now, of at least a second.
pub(super) fn span(text: &str) -> Result<Duration, ArgumentError> {
    let span = parse_duration(text).map_err(ArgumentError::Duration)?;
    if span < Duration::from_secs(1) {
        return Err(ArgumentError::TooShort("1s"));
    }
    Ok(span)
}

/// The subcommands of `history`.
#[derive(Debug, Subcommand)]
pub(super) enum HistoryCommand {
    /// Print every raw result, one a line
    Export(ExportArgs),
    /// Import results that export wrote, or from Uptime Kuma's or Gatus's SQLite file
    Import(HistoryImportArgs),
    /// Delete results past their retention, and return their space to the disk
    Compact(CompactArgs),
}

/// The options of `history export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    pub(super) history: HistoryFileArgs,
    /// The span that ends now [default: all that is stored]
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub(super) since: Option<Duration>,
    /// The form of the output
    #[arg(
        long,
        short,
        value_enum,
        value_name = "FORMAT",
        default_value = "jsonl"
    )]
    pub(super) format: ExportFormat,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// One object a result, on a line of its own
    Jsonl,
    /// For spreadsheets
    Csv,
}

/// The options of `history import`.
#[derive(Debug, Args)]
pub(super) struct HistoryImportArgs {
    #[command(flatten)]
    pub(super) history: HistoryFileArgs,
    /// The file to import
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

/// The options of `history compact`.
#[derive(Debug, Args)]
pub(super) struct CompactArgs {
    #[command(flatten)]
    pub(super) history: HistoryFileArgs,
}

/// The options of `replay`.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    pub(super) history: HistoryFileArgs,
    /// Failures in a row before a site is down, instead of what is configured
    #[arg(long, value_name = "N", value_parser = workers)]
    pub(super) confirm: Option<usize>,
    /// Good checks in a row before it is up again
    #[arg(long, value_name = "N", value_parser = workers)]
    pub(super) recover: Option<usize>,
    /// A check that took longer counts as a timeout
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) timeout: Option<Duration>,
    /// A check that took longer is degraded
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) slow: Option<Duration>,
    /// The span that ends now [default: all that is stored]
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub(super) since: Option<Duration>,
    /// The form of the output
    #[arg(
        long,
        short,
        value_enum,
        value_name = "FORMAT",
        default_value = "table"
    )]
    pub(super) format: super::shared_args::OutputFormat,
}
