//! The command line of what looks back: `report`, `history`, `replay`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::domain::parse_duration;

use super::shared_args::{SourceArgs, ValueError, workers};

/// Which history, and the sites that are configured now.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct HistoryFileArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// The file of the history [default: history.db in the user's state directory]
    #[arg(long, value_name = "FILE")]
    pub(super) history: Option<PathBuf>,
}

/// Uptime, outages and latency over a span.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    pub(super) history: HistoryFileArgs,
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = span)]
    pub(super) since: Duration,
    /// What a row is about
    #[arg(long, value_enum, value_name = "WHAT", default_value = "site")]
    pub(super) by: By,
    /// What is printed
    #[arg(
        long,
        short,
        value_enum,
        value_name = "FORMAT",
        default_value = "table"
    )]
    pub(super) format: ReportFormat,
}

/// What a row of a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    /// One site
    Site,
    /// All sites with a tag
    Tag,
    /// All sites of an owner
    Owner,
}

/// How a report is written.
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

/// A span that reaches back.
pub(super) fn span(text: &str) -> Result<Duration, ValueError> {
    let span = parse_duration(text).map_err(ValueError::Duration)?;
    if span < Duration::from_secs(1) {
        return Err(ValueError::TooShort("1s"));
    }
    Ok(span)
}

/// What is done with the file of the history.
#[derive(Debug, Subcommand)]
pub(super) enum HistoryCommand {
    /// Print every raw result, one a line
    Export(ExportArgs),
    /// Take results from a file that export wrote, or from Uptime Kuma's or Gatus's SQLite file
    Import(HistoryImportArgs),
    /// Delete what is too old now, and give its room back to the disk
    Compact(CompactArgs),
}

/// Results out of the file.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    pub(super) history: HistoryFileArgs,
    /// How far back [default: all that is kept]
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub(super) since: Option<Duration>,
    /// What is printed
    #[arg(
        long,
        short,
        value_enum,
        value_name = "FORMAT",
        default_value = "jsonl"
    )]
    pub(super) format: ExportFormat,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// One object a result, on a line of its own
    Jsonl,
    /// For spreadsheets
    Csv,
}

/// Results into the file.
#[derive(Debug, Args)]
pub(super) struct HistoryImportArgs {
    #[command(flatten)]
    pub(super) history: HistoryFileArgs,
    /// What to read
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

/// The file made small.
#[derive(Debug, Args)]
pub(super) struct CompactArgs {
    #[command(flatten)]
    pub(super) history: HistoryFileArgs,
}

/// The past under other rules.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    pub(super) history: HistoryFileArgs,
    /// Failures in a row before a site is down, instead of what is configured
    #[arg(long, value_name = "N", value_parser = workers)]
    pub(super) confirm: Option<usize>,
    /// Good looks in a row before it is up again
    #[arg(long, value_name = "N", value_parser = workers)]
    pub(super) recover: Option<usize>,
    /// A look that took longer counts as a timeout
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) timeout: Option<Duration>,
    /// A look that took longer is degraded
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) slow: Option<Duration>,
    /// How far back [default: all that is kept]
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub(super) since: Option<Duration>,
    /// What is printed
    #[arg(
        long,
        short,
        value_enum,
        value_name = "FORMAT",
        default_value = "table"
    )]
    pub(super) format: super::shared_args::Format,
}
