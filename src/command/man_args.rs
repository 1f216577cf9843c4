//! What `man` takes from the command line.

use std::path::PathBuf;

use clap::Args;

/// Where to.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write squirrel.1 and a page for each subcommand into this folder, which is made
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}
