//! The command line of what looks back: `report`, `history`, `replay`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::domain::parse_duration;

use super::shared_args::SourceArgs;

/// Which history, and the sites that are configured now.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct PastArgs {
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
    pub(super) past: PastArgs,
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
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let span = parse_duration(text).map_err(|error| error.to_string())?;
    if span < Duration::from_secs(1) {
        return Err("expected at least 1s".to_owned());
    }
    Ok(span)
}
