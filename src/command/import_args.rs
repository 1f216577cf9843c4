//! The command line of `squirrel import`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValue;

use crate::import::ALL;

/// The options of `import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The monitor whose configuration it is
    #[arg(value_name = "FORMAT", value_parser = formats())]
    pub(super) format: String,
    /// The files, which are read as one
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Write into this file instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, requires = "output")]
    pub(super) force: bool,
}

fn formats() -> clap::builder::PossibleValuesParser {
    ALL.each_ref()
        .map(|entry| PossibleValue::new(entry.name).help(entry.about))
        .into()
}
