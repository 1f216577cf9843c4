//! The command line of `squirrel man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The options of `man`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The page: that of the program, or that of its configuration
    #[arg(value_enum, default_value = "squirrel", value_name = "PAGE")]
    pub(super) page: ManPage,
    /// Write squirrel.1, a page for each subcommand and sites.toml.5 into this folder; it is created
    /// if needed
    #[arg(long, value_name = "FOLDER", conflicts_with = "page")]
    pub(super) folder: Option<PathBuf>,
}

/// A page of the manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ManPage {
    /// squirrel(1): commands, options, files
    Squirrel,
    /// sites.toml(5): every key of the configuration
    #[value(name = "sites.toml")]
    SitesToml,
}
