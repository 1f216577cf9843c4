//! `squirrel config check`: prints every mistake of the configuration, or the number of its sites.

use super::args::SourceArgs;
use super::exit::{Exit, print};
use super::site_source;
use crate::config::SecretUse;
use crate::domain::plural;

pub(super) fn run(args: &SourceArgs) -> Exit {
    let config = match site_source::load(args.config.as_deref(), SecretUse::Needed) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let file = config
        .path
        .as_deref()
        .map_or_else(String::new, site_source::short);
    let paused = config.sites.iter().filter(|site| site.paused).count();
    let paused = if paused == 0 {
        String::new()
    } else {
        format!(" ({paused} paused)")
    };
    let line = format!(
        "{file}: in order: {}{paused}, {}\n",
        plural(config.sites.len(), "site"),
        plural(config.owners.len(), "owner"),
    );
    print(line.as_bytes())
}
