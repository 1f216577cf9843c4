//! The command line of `squirrel man`.

use std::path::PathBuf;

use clap::Args;

/// The options of `man`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write squirrel.1 and a page for each subcommand into this folder; it is created if needed
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}
