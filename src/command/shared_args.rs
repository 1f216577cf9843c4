//! What several subcommands take from the command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which configuration.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SourceArgs {
    /// The list of sites
    #[arg(long, short, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// What a sweep prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One object a site, on a line of its own, as each check completes
    Json,
    /// For people
    Table,
}

pub(super) fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a number of at least 1".to_owned()),
        Ok(number) => Ok(number),
    }
}
