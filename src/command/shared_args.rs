//! What several subcommands take from the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::metrics::Endpoint;

use super::exit::{Exit, mistake};

/// Which configuration.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SourceArgs {
    /// The list of sites
    #[arg(long, short, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// Whether the metrics are served.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct MetricsArgs {
    /// Serve metrics for Prometheus at this address, such as 127.0.0.1:9115; a port alone is
    /// one of loopback
    #[arg(long, value_name = "ADDR", value_parser = crate::metrics::listen_address)]
    pub(super) metrics: Option<SocketAddr>,
}

impl MetricsArgs {
    /// Takes the port, before anything else begins.
    pub(super) fn endpoint(&self) -> Result<Option<Endpoint>, Exit> {
        let bound = self.metrics.map(Endpoint::bind).transpose();
        bound.map_err(|error| mistake(format!("squirrel: {error}")))
    }
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
